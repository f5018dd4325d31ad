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

test('while slots are copied operations take three times as long: so it is told, and no more once nobody copies', () => {
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

test('what is usual is what was seen while nobody copied, and is not forgotten meanwhile', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, at, 1_000, 40, 600_000, true);
  expect(delay.factor).toBeCloseTo(4, 1);
  // Afterwards the baseline is learnt again, within some seconds.
  at = watched(delay, at, 1_000, 40, 60_000, false);
  watched(delay, at, 1_000, 40, 2_000, true);
  expect(delay.factor).toBeCloseTo(1, 1);
});

test('few operations, or none before: nothing is told', () => {
  const few = new ClientDelay();
  let at = watched(few, START, 10, 10, 20_000, false);
  watched(few, at, 10, 500, 20_000, true);
  expect(few.factor).toBe(0);
  const none = new ClientDelay();
  at = watched(none, START, 0, 0, 20_000, false);
  watched(none, at, 1_000, 500, 20_000, true);
  expect(none.factor).toBe(0);
});

test('operations stopped while it was told of them: it is told no more', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, at, 1_000, 50, 2_000, true);
  expect(delay.factor).toBeGreaterThan(4);
  watched(delay, at, 0, 0, 5_000, true);
  expect(delay.factor).toBe(0);
});

test('they wait so long that hardly any end: it is told all the same, for that is when it matters most', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 1_000, 10, 20_000, false);
  watched(delay, at, 10, 5_000, 5_000, true);
  expect(delay.factor).toBeGreaterThan(DELAY_FACTOR_MAX);
});

test('the process did not run for a minute: that is not what is usual', () => {
  const delay = new ClientDelay();
  let at = watched(delay, START, 1_000, 10, 20_000, false);
  at = watched(delay, { ...at, now: at.now + 60_000 }, 1_000, 10, 1_000, false);
  watched(delay, at, 1_000, 40, 2_000, true);
  expect(delay.factor).toBeCloseTo(4, 1);
});

test('few end, since few are begun, and those that are wait no longer than before: nothing is told', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 1_000, 10, 20_000, false);
  watched(delay, at, 10, 10, 5_000, true);
  expect(delay.factor).toBe(0);
});

test('what takes a fraction of a millisecond may take two: nobody gives way for that', () => {
  const delay = new ClientDelay();
  const at = watched(delay, START, 10_000, 0.1, 20_000, false);
  watched(delay, at, 10_000, 1.8, 2_000, true);
  expect(delay.factor).toBe(1);
});
