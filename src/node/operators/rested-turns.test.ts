/** Plans are asked for all at once: they are made one by one, and the node has time for everything else. */
import { expect, test } from 'vitest';
import { PLAN_REST_FACTOR } from '../../core/copying/copy-limits.ts';
import { RestedTurns } from './rested-turns.ts';

test('many at once: one at a time, in their order, each followed by a rest of several times its length', () => {
  let now = 1_000;
  let ticks: (() => void)[] = [];
  const turns = new RestedTurns({ now: () => now }, (run) => ticks.push(run));
  const done: [name: number, begun: number][] = [];
  for (let name = 0; name < 3; name += 1)
    turns.begin(() => {
      done.push([name, now]);
      now += 300;
    });
  expect(done).toEqual([[0, 1_000]]);
  while (ticks.length > 0) {
    now += 10;
    const due = ticks;
    ticks = [];
    for (const run of due) run();
  }
  const each = 300 + PLAN_REST_FACTOR * 300;
  expect(done).toEqual([
    [0, 1_000],
    [1, 1_000 + each],
    [2, 1_000 + 2 * each],
  ]);
  now += each;
  turns.begin(() => done.push([3, now]));
  expect(done.at(-1)).toEqual([3, now]);
});
