/** Several callers ask for something that is done once. */
import { expect, test } from 'vitest';
import { DoneOnce } from './done-once.ts';

test('it is begun once; all are told when it is done, in their order, and who comes later at once', () => {
  const once = new DoneOnce();
  const told: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (name: string): void =>
    once.ask(
      () => told.push(name),
      (ended) => ends.push(ended),
    );
  ask('first');
  ask('second');
  expect([told, ends.length]).toEqual([[], 1]);
  ends[0]!();
  ask('late');
  expect([told, ends.length]).toEqual([['first', 'second', 'late'], 1]);
});
