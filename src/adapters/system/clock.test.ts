/** `defer` on the real event loop. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('what is deferred runs in its order after the events at hand, and what it defers itself a turn later', async () => {
  const clock = systemClock();
  const seen: string[] = [];
  clock.defer(() => {
    seen.push('first');
    clock.defer(() => seen.push('later'));
  });
  clock.defer(() => seen.push('second'));
  setImmediate(() => seen.push('end of the turn'));
  expect(seen).toEqual([]);
  await turn();
  expect(seen).toEqual(['first', 'second', 'end of the turn']);
  await turn();
  expect(seen).toEqual(['first', 'second', 'end of the turn', 'later']);
});
