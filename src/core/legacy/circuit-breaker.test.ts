/** When the breaker opens, probes and closes, and how many retries are allowed, in virtual time. */
import { expect, test } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';
import { LEGACY_SOURCE_DEFAULTS } from './legacy-config.ts';
import type { Verdict } from './circuit-breaker.ts';
import { RetryBudget, retryDelay } from './retry-budget.ts';

const RULES = LEGACY_SOURCE_DEFAULTS.breaker;
/** No jitter. */
const MIDDLE = 0.5;

function feed(breaker: CircuitBreaker, now: number, verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    const ticket = breaker.admit(now);
    if (ticket !== null) breaker.report(ticket, verdict, now, MIDDLE);
  }
}

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker(RULES);
  feed(breaker, 0, new Array<Verdict>(20).fill('failure'));
  expect(breaker.kind).toBe('open');
  return breaker;
}

test('failures below the number of samples: it stays closed', () => {
  const breaker = new CircuitBreaker(RULES);
  feed(breaker, 0, new Array<Verdict>(19).fill('failure'));
  expect(breaker.kind).toBe('closed');
  feed(breaker, 1, ['failure']);
  expect(breaker.kind).toBe('open');
});

test('failures below half: it stays closed; at half: it opens', () => {
  const breaker = new CircuitBreaker(RULES);
  for (let n = 0; n < 50; n++) feed(breaker, n, ['success', 'success', 'failure']);
  expect(breaker.kind).toBe('closed');
  feed(breaker, 100, new Array<Verdict>(50).fill('failure'));
  expect(breaker.kind).toBe('open');
});

test('old failures: no longer counted after the window', () => {
  const breaker = new CircuitBreaker(RULES);
  feed(breaker, 0, new Array<Verdict>(19).fill('failure'));
  feed(breaker, RULES.windowMs + 1_000, ['failure']);
  expect(breaker.kind).toBe('closed');
});

test('verdicts of neither kind: never open it', () => {
  const breaker = new CircuitBreaker(RULES);
  feed(breaker, 0, new Array<Verdict>(1_000).fill('neither'));
  expect(breaker.kind).toBe('closed');
});

test('open: nothing passes until its time, then exactly one probe', () => {
  const breaker = opened();
  expect(breaker.admit(4_999)).toBeNull();
  expect(breaker.waitMs(4_000)).toBe(1_000);
  expect(breaker.admit(5_000)).not.toBeNull();
  expect(breaker.admit(5_000)).toBeNull();
});

test('a probe that succeeds: closed, and old failures are forgotten', () => {
  const breaker = opened();
  feed(breaker, 5_000, ['success']);
  expect(breaker.kind).toBe('closed');
  feed(breaker, 5_001, ['failure']);
  expect(breaker.kind).toBe('closed');
});

test('probes that fail: open for twice as long each time, at most a minute', () => {
  const breaker = opened();
  let now = 0;
  for (const openMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(breaker.admit(now + openMs - 1)).toBeNull();
    now += openMs;
    feed(breaker, now, ['failure']);
  }
  feed(breaker, now + 60_000, ['success']);
  expect(breaker.kind).toBe('closed');
});

test('a probe that ends without telling anything: the next request probes', () => {
  const breaker = opened();
  feed(breaker, 5_000, ['neither']);
  expect(breaker.kind).toBe('probing');
  feed(breaker, 5_000, ['success']);
  expect(breaker.kind).toBe('closed');
});

test('an answer to a request from before it opened: tells nothing about the probe', () => {
  const breaker = new CircuitBreaker(RULES);
  const early = breaker.admit(0)!;
  feed(breaker, 0, new Array<Verdict>(20).fill('failure'));
  const probe = breaker.admit(5_000)!;
  breaker.report(early, 'success', 5_001, MIDDLE);
  expect(breaker.kind).toBe('probing');
  breaker.report(probe, 'failure', 5_002, MIDDLE);
  expect(breaker.kind).toBe('open');
});

test('the draw: moves the open time by at most a fifth', () => {
  for (const [draw, openMs] of [
    [0, 4_000],
    [1, 6_000],
  ] as const) {
    const breaker = new CircuitBreaker(RULES);
    for (let n = 0; n < 20; n++) breaker.report(breaker.admit(0)!, 'failure', 0, draw);
    expect(breaker.waitMs(0)).toBeCloseTo(openMs);
  }
});

test('the retry budget: a tenth of the requests and one a second, over ten seconds', () => {
  const budget = new RetryBudget(0.1, 1);
  const takeAll = (now: number): number => {
    let count = 0;
    while (budget.take(now)) count += 1;
    return count;
  };
  expect(takeAll(0)).toBe(10);
  for (let n = 0; n < 500; n++) budget.noteRequest(1_000);
  expect(takeAll(1_000)).toBe(50);
  expect(takeAll(9_000)).toBe(0);
  expect(takeAll(30_000)).toBe(10);
});

test('the pause before a retry: drawn from nothing up to a bound that doubles to its limit', () => {
  expect(retryDelay(0, 50, 1_000, 0)).toBe(0);
  expect([0, 1, 2, 9].map((index) => retryDelay(index, 50, 1_000, 1))).toEqual([50, 100, 200, 1_000]);
});
