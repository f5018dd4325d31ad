/** When a batch leaves: with the turn where little goes on, a moment later where much does, and never twice. */
import { expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { Departure } from './departure.ts';

interface Waiting {
  at: number;
  run: (() => void) | null;
}

/** A clock that is moved by hand. */
function handClock(): Clock & { turn(): void; advance(ms: number): void } {
  let now = 0;
  let turns: (() => void)[] = [];
  let waiting: Waiting[] = [];
  return {
    now: () => now,
    wallNow: () => now,
    bootNow: () => now,
    after: (ms, run) => {
      const item: Waiting = { at: now + ms, run };
      waiting.push(item);
      return () => {
        item.run = null;
      };
    },
    defer: (run) => void turns.push(run),
    turn: () => {
      const due = turns;
      turns = [];
      for (const run of due) run();
    },
    advance: (ms) => {
      now += ms;
      const due = waiting.filter((item) => item.at <= now);
      waiting = waiting.filter((item) => item.at > now);
      for (const { run } of due) run?.();
    },
  };
}

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
