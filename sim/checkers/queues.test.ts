/** The watch over queues must notice a queue that grows, and one that is never emptied. */
import { expect, test } from 'vitest';
import { leftAtRest, QueueWatch } from './queues.ts';

test('a queue grows beyond what the load can cause: found, with its name and its node', () => {
  const watch = new QueueWatch({ clientCount: 2, keys: ['a'] });
  for (let size = 0; size < 60; size += 1) watch.look('node-1', { rounds: size, inFlightEntries: 3 });
  expect(watch.violation).toBeNull();
  for (let size = 60; size < 100; size += 1) watch.look('node-2', { rounds: size, inFlightEntries: 3 });
  expect(watch.violation).toMatch(/rounds of node-2 holds 7\d/);
  expect(watch.largest.get('rounds')).toBe(99);
});

test('bytes are measured by the values of the load', () => {
  const watch = new QueueWatch({ clientCount: 1, keys: ['a'] });
  watch.look('node-1', { operationBytes: 500 });
  expect(watch.violation).toBeNull();
  watch.look('node-1', { operationBytes: 5_000 });
  expect(watch.violation).not.toBeNull();
});

test('nothing is under way and something is left: told', () => {
  expect(leftAtRest('node-1', { rounds: 0, inFlightEntries: 0 })).toBeNull();
  expect(leftAtRest('node-1', { rounds: 0, inFlightEntries: 2 })).toBe('2 left in inFlightEntries of node-1');
});
