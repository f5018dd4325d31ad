/** A learner's allowance, and what it tells of its progress. */
import { expect, test } from 'vitest';
import { CopyPace } from './copy-pace.ts';

const MEGABYTE = 1_000_000;

test('pieces that are asked for as soon as they may: the rate is kept, whatever their size', () => {
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

test('nothing was asked for a while: what gathered is bounded', () => {
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
  // What was copied in all is told on: who looks now and then sees every record of it.
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
