/** How a client backs off from overloaded nodes; the test supplies time and random draws. */
import { expect, test } from 'vitest';
import { OVERLOADED_RETRY_MS } from '../core/limits.ts';
import { CausewayError } from './causeway-error.ts';
import { Patience } from './patience.ts';

const refused = (retryAfterMs?: number): CausewayError =>
  new CausewayError('overloaded', 'definite', 'too much', retryAfterMs);

test('a node has refused: it counts as full for about as long as it said, and no longer', () => {
  const patience = new Patience();
  patience.afterRefusal('a', refused(400), 0, true, 1_000, 0.5);
  expect(patience.isFull('a', 1_399)).toBe(true);
  expect(patience.isFull('b', 1_399)).toBe(false);
  expect(patience.isFull('a', 1_400)).toBe(false);
  patience.afterRefusal('a', refused(400), 0, true, 2_000, 0);
  expect(patience.isFull('a', 2_199)).toBe(true);
  expect(patience.isFull('a', 2_200)).toBe(false);
});

test('another node was not asked yet: at once; all have refused: after a pause that grows, drawn around it', () => {
  const patience = new Patience();
  expect(patience.afterRefusal('a', refused(), 0, true, 0, 0.5)).toBe(0);
  expect(patience.afterRefusal('b', refused(), 1, false, 0, 0.5)).toBe(OVERLOADED_RETRY_MS * 2);
  expect(patience.afterRefusal('b', refused(), 2, false, 0, 0)).toBe(OVERLOADED_RETRY_MS * 2);
  expect(patience.afterRefusal('b', refused(), 9, false, 0, 0.99)).toBeLessThan(3_000);
  expect(patience.afterRefusal('b', refused(1e12), 0, false, 0, 0.5)).toBe(2_000);
});

test('everything is refused: the retries are a tenth of the calls, and a few', () => {
  const patience = new Patience();
  let retries = 0;
  for (let call = 0; call < 10_000; call += 1) {
    const now = call / 2;
    patience.noteCall(now);
    if (patience.afterRefusal('a', refused(), 0, true, now, 0.5) !== null) retries += 1;
  }
  expect(retries).toBeGreaterThan(900);
  expect(retries).toBeLessThan(1_100);
});
