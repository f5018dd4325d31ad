/** A node that serves a slot without the floor below which deletions were forgotten must be named. */
import { expect, test } from 'vitest';
import { makeVersion } from '../../src/core/version.ts';
import { ForgottenWatch } from './forgotten.ts';

const owns = (): boolean => true;
const nothing = (): number => 0;
const EPOCH = 4;

function watchOf(): ForgottenWatch {
  const watch = new ForgottenWatch();
  watch.forgotten(5, makeVersion(9, 2), EPOCH);
  watch.forgotten(5, makeVersion(3, 1), EPOCH + 1);
  return watch;
}

test('an owner whose floor is that of what was forgotten, or above: nothing to say', () => {
  const watch = watchOf();
  watch.look('a', EPOCH, owns, () => 9, nothing);
  watch.look('b', EPOCH + 7, owns, () => 12, nothing);
  expect([watch.violation, watch.highest(5), watch.highest(6)]).toEqual([null, makeVersion(9, 2), 0]);
});

test('a member that does not serve the slot, or acts in an earlier epoch: is not named', () => {
  const watch = watchOf();
  const none = (): number => 0;
  watch.look('c', EPOCH, () => false, none, nothing);
  watch.look('d', EPOCH - 1, owns, none, nothing);
  expect(watch.violation).toBeNull();
});

test('an owner whose floor is lower: is named', () => {
  const watch = watchOf();
  watch.look(
    'e',
    EPOCH,
    owns,
    () => 8,
    () => makeVersion(8, 4),
  );
  expect(watch.violation).toContain('e serves slot 5 with the floor 8');
});

test('an owner whose floor is lower, and that has the deletion or what came after it: is not named', () => {
  const watch = watchOf();
  watch.look('f', EPOCH, owns, nothing, () => makeVersion(9, 2));
  watch.look('g', EPOCH, owns, nothing, () => makeVersion(10, 1));
  expect(watch.violation).toBeNull();
});
