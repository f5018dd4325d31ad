/** When records expire: exactly the due slots are found, in turn; compared with a plain walk over all slots. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_COUNT } from '../../core/limits.ts';
import { ExpiryTimes } from './expiry-times.ts';
import type { SlotChoice } from './expiry-times.ts';

/** The same, checking slot by slot. */
class PlainTimes {
  private readonly times = new Map<number, number>();
  private cursor = 0;

  note(slot: number, expiresAt: number): void {
    this.times.set(slot, Math.min(expiresAt, this.times.get(slot) ?? Infinity));
  }

  take(wallNow: number, isOurs: (slot: number) => boolean): number {
    const due = [...this.times].filter(([slot, time]) => time <= wallNow && isOurs(slot));
    const inTurn = (slot: number): number => (slot - this.cursor + SLOT_COUNT) % SLOT_COUNT;
    const taken = due.map(([slot]) => slot).sort((a, b) => inTurn(a) - inTurn(b))[0] ?? -1;
    if (taken < 0) return -1;
    this.times.delete(taken);
    this.cursor = (taken + 1) % SLOT_COUNT;
    return taken;
  }
}

const slot = fc.oneof(fc.nat(SLOT_COUNT - 1), fc.constantFrom(0, 126, 127, 128, 129, SLOT_COUNT - 1));
const ALL: SlotChoice = { has: () => true, scope: {} };
const ODD: SlotChoice = { has: (at) => at % 2 === 1, scope: {} };
const NONE: SlotChoice = { has: () => false, scope: {} };

const step = fc.oneof(
  fc.record({ kind: fc.constant('note' as const), slot, time: fc.nat(100) }),
  fc.record({
    kind: fc.constant('take' as const),
    now: fc.nat(100),
    odd: fc.boolean(),
    askers: fc.constantFrom(1, 2),
  }),
);

test('times are noted and taken in any order: every take finds the slot that a walk over all slots finds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const times = new ExpiryTimes(2);
      const plain = new PlainTimes();
      for (const each of steps) {
        if (each.kind === 'note') {
          times.note(each.slot, each.time);
          plain.note(each.slot, each.time);
        } else {
          const choice = each.odd ? ODD : ALL;
          const asker = each.askers === 2 && each.odd ? 1 : 0;
          expect(times.take(each.now, choice, asker)).toBe(plain.take(each.now, choice.has));
        }
      }
    }),
  );
});

test('a slot that is due and not ours: it is found once it is ours', () => {
  const times = new ExpiryTimes();
  times.note(200, 10);
  expect(times.take(20, NONE)).toBe(-1);
  expect(times.take(20, ALL)).toBe(200);
  expect(times.take(20, ALL)).toBe(-1);
});

test('a slot that is due and not ours: it is not looked at again until something else is due or it may be ours', () => {
  const times = new ExpiryTimes();
  const looked: number[] = [];
  const choice = { has: (at: number) => looked.push(at) < 0, scope: {} };
  times.note(200, 10);
  expect(times.take(20, choice)).toBe(-1);
  expect(times.take(30, choice)).toBe(-1);
  expect(looked).toEqual([200]);
  times.note(300, 40);
  expect(times.take(50, choice)).toBe(-1);
  expect(looked).toEqual([200, 300]);
  expect(times.take(50, ALL)).toBe(200);
});
