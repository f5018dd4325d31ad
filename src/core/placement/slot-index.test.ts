/** Slot tables seen by rows: every slot is exactly where the table says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_COUNT } from '../limits.ts';
import { rowPairs, rowsInOrder, slotsOfRow } from './slot-index.ts';
import type { SlotTable } from './slot-index.ts';

/** Runs of slots with random rows; the number of rows decides how pairs of them are numbered. */
function tableOf(rowCount: number, draws: readonly number[]): SlotTable {
  const row = { owners: [1], complete: [1] };
  const slotRow = Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => {
    const draw = draws[Math.floor((slot * draws.length) / SLOT_COUNT)]!;
    return (draw + (slot % 3)) % rowCount;
  });
  return { rows: Array.from({ length: rowCount }, () => row), slotRow };
}

const draws = fc.array(fc.nat(4_000), { minLength: 1, maxLength: 20 });

test('the slots of a row are those that the table gives it, ascending; a row without slots has none', () => {
  fc.assert(
    fc.property(draws, fc.integer({ min: 1, max: 30 }), (drawn, rowCount) => {
      const table = tableOf(rowCount, drawn);
      for (let row = 0; row <= rowCount; row += 1) {
        const expected: number[] = [];
        for (let slot = 0; slot < SLOT_COUNT; slot += 1) if (table.slotRow[slot] === row) expected.push(slot);
        expect([...slotsOfRow(table, row)]).toEqual(expected);
      }
    }),
    { numRuns: 20 },
  );
});

test('the rows that have slots come in the order of their first slots', () => {
  fc.assert(
    fc.property(draws, fc.integer({ min: 1, max: 30 }), (drawn, rowCount) => {
      const table = tableOf(rowCount, drawn);
      expect(rowsInOrder(table)).toEqual([...new Set(table.slotRow)]);
    }),
    { numRuns: 20 },
  );
});

for (const rowCount of [1, 7, 3_000]) {
  test(`two tables of ${rowCount} rows: each slot is in the pair of the rows that it has in one and in the other`, () => {
    fc.assert(
      fc.property(draws, draws, (before, after) => {
        const previous = tableOf(rowCount, before);
        const next = tableOf(rowCount, after);
        const seen = new Set<string>();
        let slotCount = 0;
        for (const pair of rowPairs(previous, next)) {
          seen.add(`${pair.before} ${pair.after}`);
          slotCount += pair.slots.length;
          expect(pair.slots.length).toBeGreaterThan(0);
          const strays = pair.slots.filter(
            (slot) => previous.slotRow[slot] !== pair.before || next.slotRow[slot] !== pair.after,
          );
          expect([...strays]).toEqual([]);
        }
        expect(slotCount).toBe(SLOT_COUNT);
        expect(seen.size).toBe(rowPairs(previous, next).length);
      }),
      { numRuns: 5 },
    );
  });
}

test('the same table in two topologies: each row is paired with itself', () => {
  const previous = tableOf(5, [0, 1, 2]);
  const next = { rows: previous.rows.map((row) => ({ ...row })), slotRow: previous.slotRow };
  for (const { before, after, slots } of rowPairs(previous, next)) {
    expect(after).toBe(before);
    expect(slots).toEqual(slotsOfRow(previous, before));
  }
});
