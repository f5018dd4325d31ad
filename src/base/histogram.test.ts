/** Ranges, sums and quantiles, compared with a plain sorted list. */
import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';
import { Prng } from './prng.ts';

const BOUNDS = [1, 2, 5, 10, 20, 50, 100];

test('a value on a bound is within its range, and what lies above the last one is counted, too', () => {
  const histogram = new Histogram(BOUNDS);
  for (const value of [0, 1, 1.01, 2, 100, 101, 1e9]) histogram.record(value);
  expect(histogram.countUpTo(1)).toBe(2);
  expect(histogram.countUpTo(2)).toBe(4);
  expect(histogram.countUpTo(100)).toBe(5);
  expect(histogram.count).toBe(7);
  expect(histogram.sum).toBeCloseTo(1e9 + 205.01);
});

test('quantiles lie in the range of the value at that rank, whatever was recorded', () => {
  const prng = new Prng(5);
  for (let round = 0; round < 50; round += 1) {
    const histogram = new Histogram(BOUNDS);
    const values = Array.from({ length: prng.between(1, 300) }, () => 100 * prng.next() ** 3);
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    const told = histogram.quantiles(null)!;
    expect(told.count).toBe(values.length);
    for (const [share, quantile] of [
      [0.5, told.p50],
      [0.99, told.p99],
    ] as const) {
      const value = values[Math.ceil(values.length * share) - 1]!;
      const range = BOUNDS.findIndex((bound) => value <= bound);
      expect(quantile).toBeLessThanOrEqual(BOUNDS[range]!);
      expect(quantile).toBeGreaterThanOrEqual(range === 0 ? 0 : BOUNDS[range - 1]!);
    }
  }
});

test('since a copy: only what came after it counts; where nothing did there is none', () => {
  const histogram = new Histogram(BOUNDS);
  for (let count = 0; count < 1_000; count += 1) histogram.record(90);
  const copy = histogram.copyCounts();
  expect(histogram.quantiles(copy)).toBeNull();
  expect(histogram.copyCounts()).toBe(copy);
  histogram.record(1.5);
  expect(histogram.copyCounts()).not.toBe(copy);
  expect(histogram.quantiles(copy)).toMatchObject({ count: 1 });
  expect(histogram.quantiles(copy)!.p99).toBeLessThanOrEqual(2);
  expect(histogram.quantiles(null)!.p50).toBeGreaterThan(50);
});

test('above the last bound a quantile is told as that bound: at least so much', () => {
  const histogram = new Histogram(BOUNDS);
  histogram.record(5_000);
  expect(histogram.quantiles(null)).toEqual({ p50: 100, p99: 100, count: 1 });
});
