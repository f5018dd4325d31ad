/** How much a learner has under way at once. */
import { expect, test } from 'vitest';
import { CopyWindow } from './copy-window.ts';
import { SLOT_COPIES_BYTES_MAX, SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from '../limits.ts';

/** Requests as many pieces as there is room for. */
function fill(window: CopyWindow): number[] {
  const asked: number[] = [];
  while (window.hasRoom) asked.push(window.ask());
  return asked;
}

/** Receives and stores pieces of that size, one after the other. */
function settle(window: CopyWindow, cost: number, count: number): void {
  for (let piece = 0; piece < count; piece += 1) {
    window.release(window.ask());
    window.arrived(cost);
    window.release(cost);
  }
}

test('slots at once: few while pieces are large, many once they have been small for a while', () => {
  const window = new CopyWindow();
  expect(window.slotsAtOnce).toBe(SLOT_COPIES_BYTES_MAX / SLOT_COPY_BYTES_MAX);
  settle(window, 9_000, 60);
  expect(window.slotsAtOnce).toBe(SLOT_COPIES_IN_FLIGHT_MAX);
  settle(window, 2 * SLOT_COPY_BYTES_MAX, 1);
  expect(window.slotsAtOnce).toBe(SLOT_COPIES_BYTES_MAX / SLOT_COPY_BYTES_MAX / 2);
});

test('a piece that has arrived and is not on disk yet holds up the next ones, like one on its way', () => {
  const window = new CopyWindow();
  settle(window, 100_000, 60);
  const asked = fill(window);
  expect(asked.reduce((sum, cost) => sum + cost, 0)).toBeGreaterThan(SLOT_COPIES_BYTES_MAX - 100_001);
  window.release(asked[0]!);
  window.arrived(asked[0]!);
  expect(window.hasRoom).toBe(false);
  window.release(asked[0]!);
  expect(window.hasRoom).toBe(true);
});

test('a piece larger than everything that may be under way: requested when nothing else is', () => {
  const window = new CopyWindow();
  settle(window, 2 * SLOT_COPIES_BYTES_MAX, 1);
  expect(fill(window)).toHaveLength(1);
  expect(window.slotsAtOnce).toBe(1);
});
