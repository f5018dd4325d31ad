/** When the count of lines that were left out is told. */
import { expect, test } from 'vitest';
import { LineRate } from './line-rate.ts';

function world(perSecondMax: number) {
  let now = 10_000;
  let timer: (() => void) | null = null;
  const leftOut: number[] = [];
  const clock = {
    now: () => now,
    after: (_ms: number, run: () => void) => {
      timer = run;
      return () => (timer = null);
    },
  };
  const rate = new LineRate(perSecondMax, clock, (count) => leftOut.push(count));
  const fire = (): void => {
    const run = timer;
    timer = null;
    run?.();
  };
  return { rate, leftOut, fire, hasTimer: () => timer !== null, wait: (ms: number) => (now += ms) };
}

test('nothing more comes: the count is told when the second is over; nothing was left out: there is no timer', () => {
  const { rate, leftOut, fire, hasTimer, wait } = world(1);
  expect([rate.mayTell(), hasTimer()]).toEqual([true, false]);
  expect([rate.mayTell(), rate.mayTell(), hasTimer()]).toEqual([false, false, true]);
  wait(1_000);
  fire();
  expect([leftOut, hasTimer()]).toEqual([[2], false]);
  expect(rate.mayTell()).toBe(true);
});

test('the next line comes before the timer of the second that is over: counted once, and the next second by itself', () => {
  const { rate, leftOut, fire, wait } = world(1);
  for (let line = 0; line < 3; line += 1) rate.mayTell();
  wait(1_000);
  expect(rate.mayTell()).toBe(true);
  expect(leftOut).toEqual([2]);
  fire();
  expect(leftOut).toEqual([2]);
  rate.mayTell();
  wait(1_000);
  fire();
  expect(leftOut).toEqual([2, 1]);
});
