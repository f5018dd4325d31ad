/** How much longer clients wait while slots are copied, derived from what is in flight and how many operations end. */
import { expect, test } from 'vitest';
import { ClientDelay } from './client-delay.ts';
import { DELAY_FACTOR_MAX } from './copy-limits.ts';

const TICK_MS = 10;

/** Runs `perSecond` operations that take that long each, observed on every tick from `from` on. */
function watched(
  delay: ClientDelay,
  from: Ended,
  perSecond: number,
  tookMs: number,
  forMs: number,
  isCopying: boolean,
): Ended {
  let { now, ended } = from;
  for (const until = now + forMs; now < until;) {
    now += TICK_MS;
    ended += (perSecond * TICK_MS) / 1_000;
    delay.look({ now, inFlight: (perSecond * tookMs) / 1_000, ended, isCopying });
  }
  return { now, ended };
}

interface Ended {
  readonly now: number;
  readonly ended: number;
}

const START: Ended = { now: 1_000, ended: 0 };

test('operations take three times as long while slots are copied: reported so, and no longer once nobody copies', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  expect(delay.factor).toBe(0);
  at = watched(delay, at, 1_000, 30, 2_000, true);
  expect(delay.factor).toBeCloseTo(3, 1);
  at = watched(delay, at, 1_000, 10, 2_000, true);
  expect(delay.factor).toBeCloseTo(1, 1);
  watched(delay, at, 1_000, 30, 2_000, false);
  expect(delay.factor).toBe(0);
});

test('the baseline is what was seen while nobody copied, and is kept while slots are copied', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, at, 1_000, 40, 600_000, true);
  expect(delay.factor).toBeCloseTo(4, 1);
  // Afterwards the baseline is learnt again, within some seconds.
  at = watched(delay, at, 1_000, 40, 60_000, false);
  watched(delay, at, 1_000, 40, 2_000, true);
  expect(delay.factor).toBeCloseTo(1, 1);
});

test('too few operations, or none before copying began: no delay is reported', () => {
  const few = new ClientDelay();
  let at = watched(few, START, 10, 10, 20_000, false);
  watched(few, at, 10, 500, 20_000, true);
  expect(few.factor).toBe(0);
  const none = new ClientDelay();
  at = watched(none, START, 0, 0, 20_000, false);
  watched(none, at, 1_000, 500, 20_000, true);
  expect(none.factor).toBe(0);
});

test('operations stop while their delay is reported: it is reported no longer', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, at, 1_000, 50, 2_000, true);
  expect(delay.factor).toBeGreaterThan(4);
  watched(delay, at, 0, 0, 5_000, true);
  expect(delay.factor).toBe(0);
});

test('operations wait so long that hardly any end: the delay is still reported, because it matters most then', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 1_000, 10, 20_000, false);
  watched(delay, at, 10, 5_000, 5_000, true);
  expect(delay.factor).toBeGreaterThan(DELAY_FACTOR_MAX);
});

test('the process did not run for a minute: the baseline stays as it was', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, { ...at, now: at.now + 60_000 }, 1_000, 10, 1_000, false);
  watched(delay, at, 1_000, 40, 2_000, true);
  expect(delay.factor).toBeCloseTo(4, 1);
});

test('few operations end because few are started, and these wait no longer than before: no delay is reported', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 1_000, 10, 20_000, false);
  watched(delay, at, 10, 10, 5_000, true);
  expect(delay.factor).toBe(0);
});

test('an operation of a fraction of a millisecond takes two: copying does not give way for that', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 10_000, 0.1, 20_000, false);
  watched(delay, at, 10_000, 1.8, 2_000, true);
  expect(delay.factor).toBe(1);
});
