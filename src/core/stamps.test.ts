/** Stamps are small integers that wrap around: only the time between two of them has a meaning. */
import { expect, test } from 'vitest';
import { stampOf, stampedMs } from './stamps.ts';

const ROUND_MS = 2 ** 32 / 64;

test('between two moments of a process of any age', () => {
  for (const age of [0.02, 1, 12_345.678, ROUND_MS / 2 - 1, ROUND_MS - 1, 40 * ROUND_MS + 3]) {
    for (const ms of [0, 0.5, 3.25, 900, 60_000]) {
      expect(Math.abs(stampedMs(stampOf(age), stampOf(age + ms)) - ms)).toBeLessThan(0.04);
    }
  }
});

test('it fits an integer that needs no object of its own, and is never the one that stands for none', () => {
  for (const now of [0, 0.001, 2 ** 31 / 64, ROUND_MS, 1e12]) {
    expect(stampOf(now)).toBe(stampOf(now) | 0);
    expect(stampOf(now)).not.toBe(0);
  }
});

test('a moment that was not taken: no time passes between it and any other', () => {
  expect(stampedMs(0, stampOf(1_000))).toBe(0);
  expect(stampedMs(stampOf(1_000), 0)).toBe(0);
  expect(stampedMs(stampOf(2_000), stampOf(1_000))).toBe(0);
});
