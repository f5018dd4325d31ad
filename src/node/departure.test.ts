/** When a batch is sent: at the end of the turn under little load, a moment later under much, and never twice. */
import { expect, test } from 'vitest';
import { handClock } from '../../test/support/hand-clock.ts';
import { GATHER_ITEMS_MIN, GATHER_MANY_ITEMS_MIN, GATHER_MANY_MS, GATHER_MS } from '../core/gather-limits.ts';
import { Departure, gatherMs, storeGatherMs } from './departure.ts';

test('asked for at once: it leaves with the turn, once for all who asked in it', () => {
  const clock = handClock();
  let left = 0;
  const departure = new Departure(clock, () => (left += 1));
  departure.ask(0);
  departure.ask(0);
  departure.ask(1);
  expect(left).toBe(0);
  clock.turn();
  clock.advance(10);
  expect(left).toBe(1);
});

test('asked for within a time: it waits that long, however often it is asked', () => {
  const clock = handClock();
  let left = 0;
  const departure = new Departure(clock, () => (left += 1));
  departure.ask(2);
  clock.turn();
  clock.advance(1);
  departure.ask(2);
  expect(left).toBe(0);
  clock.advance(1);
  expect(left).toBe(1);
  clock.advance(10);
  expect(left).toBe(1);
});

test('something urgent comes while it waits: it leaves with the turn, and not again', () => {
  const clock = handClock();
  let left = 0;
  const departure = new Departure(clock, () => (left += 1));
  departure.ask(2);
  departure.ask(0);
  clock.turn();
  expect(left).toBe(1);
  clock.advance(10);
  expect(left).toBe(1);
  departure.ask(2);
  clock.advance(2);
  expect(left).toBe(2);
});

test('much goes on: a batch waits for as many as there were before, and no longer', () => {
  expect(gatherMs(1, GATHER_ITEMS_MIN - 1)).toBe(0);
  expect(gatherMs(1, GATHER_ITEMS_MIN)).toBe(GATHER_MS);
  expect(gatherMs(GATHER_ITEMS_MIN - 1, GATHER_ITEMS_MIN)).toBe(GATHER_MS);
  expect(gatherMs(GATHER_ITEMS_MIN, GATHER_ITEMS_MIN)).toBe(0);
});

test('very much goes on: a batch of the store waits longer, and no longer than for as many as before', () => {
  expect(storeGatherMs(1, GATHER_ITEMS_MIN)).toBe(GATHER_MS);
  expect(storeGatherMs(1, GATHER_MANY_ITEMS_MIN)).toBe(GATHER_MANY_MS);
  expect(storeGatherMs(GATHER_MANY_ITEMS_MIN, GATHER_MANY_ITEMS_MIN)).toBe(0);
});
