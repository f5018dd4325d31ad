/** A learner's allowance, and the progress it reports. */
import { expect, test } from 'vitest';
import { COPY_BYTES_PER_SECOND_MIN, COPY_PATIENCE_MS } from './copy-limits.ts';
import { CopyPace } from './copy-pace.ts';

const MEGABYTE = 1_000_000;

test('pieces requested as soon as allowed: the rate is kept, whatever their size', () => {
  for (const piece of [1_000, 300_000, 5 * MEGABYTE]) {
    const pace = new CopyPace(10 * MEGABYTE, 0);
    let bytes = 0;
    for (let now = 0; now < 60_000; now += 10) {
      if (!pace.mayAsk(now)) continue;
      pace.arrived(1, piece, now);
      bytes += piece;
    }
    const perSecond = bytes / 60;
    expect(perSecond).toBeLessThan(10 * MEGABYTE + (2 * MEGABYTE + piece) / 60 + 1_000);
    expect(perSecond).toBeGreaterThan(piece === 1_000 ? 90_000 : 9.5 * MEGABYTE);
  }
});

test('nothing was requested for a while: the accumulated allowance is bounded', () => {
  const pace = new CopyPace(MEGABYTE, 0);
  let bytes = 0;
  while (pace.mayAsk(100_000)) {
    pace.arrived(1, 10_000, 100_000);
    bytes += 10_000;
  }
  expect(bytes).toBeLessThanOrEqual(210_000);
});

test('no limit: always', () => {
  const pace = new CopyPace(0, 0);
  pace.arrived(1, 1e12, 1);
  expect(pace.mayAsk(1)).toBe(true);
});

test('half is copied: the time left is as long as the time so far, and the rate is that of late', () => {
  const pace = new CopyPace(0, 0);
  pace.progress(100, 0);
  for (let now = 100; now <= 4_000; now += 100) pace.arrived(10, 5_000, now);
  pace.progress(50, 4_000);
  const told = pace.status(4_000);
  expect(told).toMatchObject({ slotsDone: 50, slotsTotal: 100, bytes: 200_000, secondsLeft: 4 });
  expect(told.bytesPerSecond).toBeGreaterThan(45_000);
  expect(told.bytesPerSecond).toBeLessThan(55_000);
  pace.progress(0, 5_000);
  expect(pace.status(5_000)).toMatchObject({ slotsDone: 0, slotsTotal: 0, bytes: 0, secondsLeft: 0 });
  // The total of copied records keeps counting, so that an occasional observer misses none.
  pace.progress(5, 6_000);
  pace.arrived(7, 700, 6_100);
  expect(pace.status(6_200)).toMatchObject({ recordsCopied: 407, bytesCopied: 200_700 });
});

test('the allowance is spent: how long until there is some again', () => {
  const pace = new CopyPace(MEGABYTE, 0);
  expect(pace.waitMs(0)).toBe(0);
  pace.arrived(1, 1_200_000, 0);
  const waitMs = pace.waitMs(0);
  expect(waitMs).toBeGreaterThan(990);
  expect(pace.mayAsk(waitMs - 5)).toBe(false);
  expect(pace.mayAsk(waitMs)).toBe(true);
});

test('nothing is copied yet: the time left cannot be told', () => {
  const pace = new CopyPace(0, 0);
  pace.progress(10, 0);
  expect(pace.status(500).secondsLeft).toBeNull();
});

/**
 * Copies as much as allowed for `forMs`, in pieces of 4 kB, while clients wait `factor` times as long as before.
 * Returns bytes per second.
 */
function copied(pace: CopyPace, from: number, forMs: number, factor: number, isUrgent = false): number {
  let bytes = 0;
  for (let now = from; now < from + forMs; now += 10) {
    pace.giveWay(factor, isUrgent, now);
    for (let more = pace.mayAsk(now); more && bytes < forMs * MEGABYTE; more = pace.mayAsk(now)) {
      pace.arrived(40, 4_000, now);
      bytes += 4_000;
    }
  }
  return (bytes * 1_000) / forMs;
}

test('clients wait too long: the copy rate falls, but not below its minimum, and grows again when they do not', () => {
  const pace = new CopyPace(16 * MEGABYTE, 0);
  pace.progress(100, 0);
  expect(copied(pace, 0, 1_000, 1)).toBeGreaterThan(15 * MEGABYTE);
  expect(pace.status(1_000).givesWay).toBe(false);
  copied(pace, 1_000, 8_000, 4);
  expect(pace.status(9_000).givesWay).toBe(true);
  const least = copied(pace, 9_000, 10_000, 4);
  expect(least).toBeGreaterThan(0.9 * COPY_BYTES_PER_SECOND_MIN);
  expect(least).toBeLessThan(1.1 * COPY_BYTES_PER_SECOND_MIN);
  const grown = copied(pace, 19_000, 2_000, 1);
  expect(grown).toBeGreaterThan(1.5 * COPY_BYTES_PER_SECOND_MIN);
  expect(grown).toBeLessThan(4 * COPY_BYTES_PER_SECOND_MIN);
  copied(pace, 21_000, 20_000, 1);
  expect(pace.status(41_000).givesWay).toBe(false);
});

test('clients wait too long forever: the minimum copy rate doubles every ten minutes, so that copying ends', () => {
  const pace = new CopyPace(16 * MEGABYTE, 0);
  pace.progress(100, 0);
  copied(pace, 0, 10_000, 9);
  for (const times of [1, 2, 4, 6]) {
    const rate = copied(pace, times * COPY_PATIENCE_MS + 5_000, 20_000, 9);
    expect(rate / (COPY_BYTES_PER_SECOND_MIN * 2 ** times)).toBeGreaterThan(0.7);
    expect(rate / (COPY_BYTES_PER_SECOND_MIN * 2 ** times)).toBeLessThan(1.2);
  }
  expect(copied(pace, 9 * COPY_PATIENCE_MS, 20_000, 9)).toBeGreaterThan(7 * MEGABYTE);
  // The next time, waiting starts afresh.
  const anew = 10 * COPY_PATIENCE_MS;
  pace.progress(0, anew);
  pace.progress(100, anew);
  copied(pace, anew, 10_000, 9);
  expect(copied(pace, anew + 10_000, 10_000, 9)).toBeLessThan(1.2 * COPY_BYTES_PER_SECOND_MIN);
});

test('nothing is known of clients, copies are missing, or there is no limit: copying does not give way', () => {
  for (const [limit, factor, isUrgent] of [
    [MEGABYTE, 0, false],
    [MEGABYTE, 9, true],
    [0, 9, false],
  ] as const) {
    const pace = new CopyPace(limit, 0);
    pace.progress(100, 0);
    copied(pace, 0, 2_000, factor, isUrgent);
    expect(pace.status(2_000).givesWay).toBe(false);
  }
});

test('reports on clients are missing for a moment, as when everything is late: copying still gives way', () => {
  const pace = new CopyPace(16 * MEGABYTE, 0);
  pace.progress(100, 0);
  copied(pace, 0, 8_000, 4);
  for (let from = 8_000; from < 18_000; from += 1_000) {
    expect(copied(pace, from, 600, 4)).toBeLessThan(2 * COPY_BYTES_PER_SECOND_MIN);
    expect(copied(pace, from + 600, 400, 0)).toBeLessThan(2 * COPY_BYTES_PER_SECOND_MIN);
  }
  // For good: clients do not wait any more.
  copied(pace, 18_000, 4_000, 0);
  expect(pace.status(22_000).givesWay).toBe(false);
});

test('the start of giving way is reported once', () => {
  const pace = new CopyPace(MEGABYTE, 0);
  pace.progress(100, 0);
  const said = [1, 2, 2, 1, 3].map((factor, at) => pace.giveWay(factor, false, 1_000 * (at + 1)));
  expect(said).toEqual([false, true, false, false, false]);
});
