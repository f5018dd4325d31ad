/** A clock that is moved by hand: for timeouts, and for what happens at the end of a turn. */
import type { Clock } from '../../src/ports/clock.ts';

interface Waiting {
  at: number;
  run: (() => void) | null;
}

export function handClock(): Clock & { turn(): void; advance(ms: number): void } {
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
