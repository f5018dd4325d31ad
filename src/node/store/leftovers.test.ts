/** What is left of a slot that was given up: its records are removed, and with the last one the notes on its writes. */
import { expect, it } from 'vitest';
import type { Storage } from '../../ports/storage.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { Leftovers } from './leftovers.ts';
import type { LeftoversParts } from './leftovers.ts';

const SLOT = 7;

function makeLeftovers(recordCount: number, owners: readonly number[] = [1]) {
  let now = 0;
  let records = Array.from({ length: recordCount }, (_, index) => recordKey(SLOT, `key:${index}`));
  const forgotten: number[] = [];
  const superseded: number[] = [];
  const dropped = new Set<number>();
  const scan: Storage['scan'] = (_from, _to, countMax, _bytes, done) =>
    done(
      null,
      records.slice(0, countMax).map((key) => ({ key, value: new Uint8Array(1) })),
    );
  const topology = { epoch: 3, rows: [], slotRow: new Uint16Array(0), members: [] };
  const row = (slot: number) => ({ owns: slot !== SLOT, learns: false, owners });
  const parts = {
    clock: { now: () => now },
    storage: { scan },
    shelf: {
      digests: { countOf: (slot: number) => (slot === SLOT ? records.length : 0) },
      replaceAtRest: (slot: number, key: string) =>
        (records = records.filter((each) => each !== recordKey(slot, key))),
      superseded: { drop: (slot: number) => superseded.push(slot) },
    },
    leftInFlight: { forget: (slot: number) => forgotten.push(slot) },
    floors: { forgotten: { drop: (slot: number) => dropped.add(slot) } },
    replica: () => ({ view: { topology, row } }),
  } as unknown as LeftoversParts;
  const leftovers = new Leftovers(parts);
  const tick = (): void => {
    leftovers.tick();
    now += 50;
  };
  return { tick, forgotten, superseded, dropped, left: () => records.length };
}

it('a slot is given up: a while later its records are removed, and what was noted of them with the last one', () => {
  const { tick, forgotten, superseded, left } = makeLeftovers(3);
  for (let count = 0; count < 50; count += 1) tick();
  expect(left()).toBe(3);
  for (let count = 0; count < 100; count += 1) tick();
  expect(left()).toBe(0);
  expect([...forgotten, ...superseded]).toEqual([SLOT, SLOT]);
});

it('more records than a page holds: what was noted of them stays until the last of them is gone', () => {
  const { tick, forgotten, superseded, dropped, left } = makeLeftovers(700);
  for (let count = 0; left() === 700; count += 1) {
    expect(count).toBeLessThan(200);
    expect([...dropped]).toEqual([]);
    tick();
  }
  // Removing leftovers does not count as deleting keys.
  expect([...dropped]).toEqual([SLOT]);
  expect(left()).toBe(200);
  expect([...forgotten, ...superseded]).toEqual([]);
  tick();
  expect(left()).toBe(0);
  expect(forgotten).toEqual([SLOT]);
});

it('its records are gone, and what was noted of them is not, for a process died in between: it goes, too', () => {
  const { tick, forgotten, superseded } = makeLeftovers(0);
  for (let count = 0; count < 150; count += 1) tick();
  expect([...forgotten, ...superseded]).toEqual([SLOT, SLOT]);
});

it('a slot is given up, and none of its complete owners lives: this may be the newest copy, and it stays', () => {
  const { tick, left } = makeLeftovers(3, []);
  for (let count = 0; count < 300; count += 1) tick();
  expect(left()).toBe(3);
});
