/** Where records expire: what is due is found, in turn, and nothing else; against a plain walk over all slots. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_COUNT } from '../core/limits.ts';
import { ExpiryTimes } from './expiry-times.ts';

/** The same, slot by slot. */
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
const step = fc.oneof(
  fc.record({ kind: fc.constant('note' as const), slot, time: fc.nat(100) }),
  fc.record({ kind: fc.constant('take' as const), now: fc.nat(100), odd: fc.boolean() }),
);

test('times are noted and taken in any order: every take finds the slot that a walk over all slots finds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const times = new ExpiryTimes();
      const plain = new PlainTimes();
      for (const each of steps) {
        if (each.kind === 'note') {
          times.note(each.slot, each.time);
          plain.note(each.slot, each.time);
        } else {
          const isOurs = (at: number): boolean => !each.odd || at % 2 === 1;
          expect(times.take(each.now, isOurs)).toBe(plain.take(each.now, isOurs));
        }
      }
    }),
  );
});

test('a slot that is due and not ours: it is found once it is ours', () => {
  const times = new ExpiryTimes();
  times.note(200, 10);
  expect(times.take(20, () => false)).toBe(-1);
  expect(times.take(20, () => true)).toBe(200);
  expect(times.take(20, () => true)).toBe(-1);
});
