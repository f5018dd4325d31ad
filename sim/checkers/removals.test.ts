/** Which removals count as a storm. */
import { expect, it } from 'vitest';
import { RemovalWatch } from './removals.ts';

function watch(removals: readonly (readonly [string, number])[]): RemovalWatch {
  const removed = new RemovalWatch();
  for (const [member, epoch] of removals) removed.removed(member, epoch);
  return removed;
}

it('a few removals, each told by several: none', () => {
  const removed = watch([1, 1, 1, 2, 2, 3, 3, 4].map((epoch) => ['a', epoch]));
  expect(removed.violation).toBeNull();
  expect(removed.count).toBe(4);
});

it('one member again and again: a storm', () => {
  expect(watch(Array.from({ length: 7 }, (_, epoch) => ['a', epoch])).violation).toContain('a was taken out');
});

it('as many removals of several members: none', () => {
  expect(watch(Array.from({ length: 9 }, (_, epoch) => ['abc'[epoch % 3]!, epoch])).violation).toBeNull();
});
