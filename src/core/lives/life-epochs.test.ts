/** A member from an earlier life of the cluster has missed epochs, however that life went on. */
import { expect, it } from 'vitest';
import { firstEpochOf, isAfter, isNext, nextLifeEpoch } from './life-epochs.ts';
import { EPOCHS_PASSED_OVER } from '../limits.ts';

it('the first life begins with the first epoch, and each later one above all that the ones before can have chosen', () => {
  expect(firstEpochOf(1)).toBe(1);
  for (let life = 2; life < 1_000; life += 1) {
    expect(firstEpochOf(life)).toBeGreaterThan(firstEpochOf(life - 1) + EPOCHS_PASSED_OVER - 1);
    expect(Number.isSafeInteger(firstEpochOf(life))).toBe(true);
  }
});

it('a life goes on from one that had not heard of those in between: above these all the same', () => {
  const second = nextLifeEpoch(500, 2);
  expect(second).toBeGreaterThan(EPOCHS_PASSED_OVER);
  const fourth = nextLifeEpoch(40, 4);
  expect(fourth).toBeGreaterThan(nextLifeEpoch(second + 500, 3));
});

it('a life that goes on never begins with the epoch of a founding, in which nobody is waited out', () => {
  expect(nextLifeEpoch(1, 2)).toBeGreaterThan(firstEpochOf(2));
  expect(nextLifeEpoch(5, 3)).toBeGreaterThan(firstEpochOf(3));
});

it('a later life is after an earlier one, also where that has used up more than its room of epochs', () => {
  const worn = { life: 1, epoch: firstEpochOf(2) + 5 };
  expect(isAfter({ life: 2, epoch: firstEpochOf(2) }, worn)).toBe(true);
  expect(isAfter(worn, { life: 2, epoch: firstEpochOf(2) })).toBe(false);
  expect(isAfter({ life: 1, epoch: worn.epoch + 1 }, worn)).toBe(true);
  expect(isAfter(worn, worn)).toBe(false);
});

it('an epoch is the next one of its life, or the first of a life that was begun from the one before it; any other has missed some', () => {
  const before = { life: 1, epoch: 40 };
  expect([40, 41, 42].map((epoch) => isNext({ life: 1, epoch }, before))).toEqual([false, true, false]);
  const first = nextLifeEpoch(40, 2);
  expect([first - 1, first, first + 1].map((epoch) => isNext({ life: 2, epoch }, before))).toEqual([
    false,
    true,
    false,
  ]);
  expect(isNext({ life: 2, epoch: nextLifeEpoch(41, 2) }, before)).toBe(false);
});
