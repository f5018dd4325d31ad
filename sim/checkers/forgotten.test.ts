/** Who serves a slot without the floor under which deletions were forgotten: it must be named. */
import { expect, test } from 'vitest';
import { makeVersion } from '../../src/core/version.ts';
import { ForgottenWatch } from './forgotten.ts';

const owns = (): boolean => true;

test('an owner whose floor is that of what was forgotten, or above: nothing to say', () => {
  const watch = new ForgottenWatch();
  watch.forgotten(5, makeVersion(9, 2));
  watch.look('a', owns, () => 9);
  watch.look('b', owns, () => 12);
  expect([watch.violation, watch.highest(5), watch.highest(6)]).toEqual([null, makeVersion(9, 2), 0]);
});

test('an owner whose floor is lower: is named; one that does not serve the slot: is not', () => {
  const watch = new ForgottenWatch();
  watch.forgotten(5, makeVersion(9, 2));
  watch.look(
    'c',
    () => false,
    () => 0,
  );
  expect(watch.violation).toBeNull();
  watch.look('d', owns, () => 8);
  expect(watch.violation).toContain('d serves slot 5 with the floor 8');
});
