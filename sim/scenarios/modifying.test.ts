/** Many writes on one key. What modifications promise is tested, and seen to fail, in `mutants.test.ts`. */
import { expect, test } from 'vitest';
import { hundredWait, muchWorkWaits } from './modifying.ts';

test('a hundred increments wait on one key: two rounds, each with its own result, in order; nobody else waits', () => {
  const { totals, rounds, verdict } = hundredWait();
  expect(verdict).toBe('ok');
  expect(rounds).toBe(2);
  expect(totals).toEqual(Array.from({ length: 100 }, (_, index) => BigInt(index + 1)));
});

test('modifications wait that are much work together: more rounds share it, so that a turn stays short', () => {
  expect(muchWorkWaits()).toEqual({ rounds: 4, verdict: 'ok' });
});
