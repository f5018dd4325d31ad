/** Compared with a plain array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), count: fc.nat(2_000) }),
  fc.record({ kind: fc.constant('shift' as const), count: fc.nat(2_000) }),
  fc.record({ kind: fc.constant('cut' as const), count: fc.nat(2_000) }),
);

test('items come and go in any order: those that a plain array has', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new Fifo<number>();
      let plain: number[] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        if (kind === 'cut') {
          queue.cut(count);
          plain = plain.slice(0, count);
        } else {
          for (let each = 0; each < count; each += 1) {
            if (kind === 'shift') expect(queue.shift()).toBe(plain.shift());
            else {
              queue.push(next);
              plain.push(next);
              next += 1;
            }
          }
        }
        expect(queue.length).toBe(plain.length);
        expect(queue.first()).toBe(plain[0]);
      }
    }),
    { numRuns: 20 },
  );
});
