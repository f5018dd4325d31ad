/** The order of a simulation's events makes a seed repeatable; it is compared with a plain sorted list. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';
import type { SimEvent } from './event-queue.ts';

/** One step: the events to add, by how far ahead they are due, and which earlier event to cancel. */
const step = fc.record({ aheads: fc.array(fc.nat(3), { maxLength: 4 }), cancels: fc.option(fc.nat(300)) });

test('events are added, cancelled and put off in any way: those left come in the order of times, then of adding', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.nat(7), (steps, putOff) => {
      const queue = new EventQueue();
      const added: SimEvent[] = [];
      const waiting = new Set<SimEvent>();
      let now = 0;
      let cameCount = 0;
      const takeNext = (until: number): boolean => {
        const next = queue.next(until);
        const first = nextOf(waiting);
        if (next?.cancelled !== true)
          expect(next).toBe(first !== undefined && first.at > until ? undefined : first);
        if (next === undefined) return false;
        now = next.at;
        waiting.delete(next);
        cameCount += 1;
        if (next.cancelled || cameCount % 8 !== putOff) return true;
        queue.postpone(next, now + 1);
        waiting.add(next);
        return true;
      };
      for (const { aheads, cancels } of steps) {
        for (const ahead of aheads) {
          const event = queue.add(now + ahead, now, () => undefined, null);
          added.push(event);
          waiting.add(event);
        }
        if (cancels !== null && cancels < added.length) queue.cancel(added[cancels]!);
        takeNext(now + 1);
      }
      while (takeNext(Infinity));
      expect(nextOf(waiting)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('a thousand waits are cancelled before their time: they do not stay', () => {
  const queue = new EventQueue();
  const waits = Array.from({ length: 1_000 }, () => queue.add(5_000, 0, () => undefined, null));
  for (const wait of waits) queue.cancel(wait);
  let left = 0;
  while (queue.next(Infinity) !== undefined) left += 1;
  expect(left).toBeLessThan(200);
});

/** The event that is due first, of those not cancelled. */
function nextOf(events: ReadonlySet<SimEvent>): SimEvent | undefined {
  return [...events]
    .filter((event) => !event.cancelled)
    .sort((a, b) => a.at - b.at || a.sequence - b.sequence)
    .at(0);
}
