/** Floors only rise; a fence stands for one epoch, and only versions below it are late. */
import { expect, test } from 'vitest';
import { SlotFloors } from './floors.ts';
import { makeVersion } from '../version.ts';

test('a floor is raised again, lower: it stays where it is', () => {
  const floors = new SlotFloors();
  expect([floors.of(3), floors.raise(3, 10), floors.raise(3, 7), floors.raise(3, 10)]).toEqual([
    0,
    true,
    false,
    false,
  ]);
  expect([floors.of(3), floors.of(4)]).toEqual([10, 0]);
});

test('a floor alone: nothing is late, for others may not have heard of it', () => {
  const floors = new SlotFloors();
  floors.raise(3, 10);
  expect(floors.isLate(3, makeVersion(4, 1))).toBe(false);
});

test('all are past the floor: what is at or below it is late, in that slot and in that epoch', () => {
  const floors = new SlotFloors();
  floors.raise(3, 10);
  floors.fence(3, 10);
  floors.fence(3, 6);
  expect([9, 10, 11].map((counter) => floors.isLate(3, makeVersion(counter, 4095)))).toEqual([
    true,
    true,
    false,
  ]);
  expect(floors.isLate(4, makeVersion(1, 1))).toBe(false);
  floors.openFences();
  expect(floors.isLate(3, makeVersion(9, 1))).toBe(false);
});
