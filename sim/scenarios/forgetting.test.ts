/** Deletions that are forgotten, told with the rules as they are; `sim/mutants.test.ts` breaks one. */
import { expect, test } from 'vitest';
import { copiedMeanwhile, inFlightBelow, lateCopy, writtenAgain } from './forgetting.ts';

test('a deletion was forgotten and the key is written again: the new version is above all that was there', () => {
  expect(writtenAgain({})).toBe('ok');
});

test('a copy of a write arrives after its key was deleted, and that forgotten: nothing comes back', () => {
  expect(lateCopy({})).toBe('ok');
});

test('an outranked write reaches a learner: the deletion is not forgotten before the learner has it', () => {
  expect(copiedMeanwhile({})).toBe('ok');
});

test('another key of the slot is in flight below the floor: nothing is forgotten until it is done', () => {
  expect(inFlightBelow({})).toBe('ok');
});
