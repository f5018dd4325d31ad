/** Deletions that are forgotten, with the rules as they are; `sim/mutants.test.ts` breaks one. */
import { expect, test } from 'vitest';
import {
  copiedMeanwhile,
  inFlightBelow,
  incrementAfterRaise,
  incrementBesideRaise,
  lateCopy,
  putAtFormerLearner,
  putBeforeIncrementArrives,
  putJustAbove,
  writtenAgain,
} from './forgetting.ts';

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

test('an increment at an owner that has raised the floor, and a put at one that has not: both count', () => {
  expect(incrementBesideRaise({})).toBe('ok');
});

test.each(['an epoch without C', 'an epoch in which C copies', 'all die and return'] as const)(
  'one owner alone has raised the floor, and %s: an increment there and a put elsewhere both count, and without that rule not',
  (after) => {
    expect(incrementAfterRaise({}, after)).toBe('ok');
    expect(incrementAfterRaise({ liftUnagreed: true }, after)).not.toBe('ok');
  },
);

test('who has learnt from an owner below the floor becomes one, after the owners have agreed: its put counts, too', () => {
  expect(putAtFormerLearner({})).toBe('ok');
});

test('an increment is on its way while a learner that has an earlier floor becomes an owner: its put counts, too', () => {
  expect(putBeforeIncrementArrives({})).toBe('ok');
});

test('a put from below a floor has the version that an increment would have above it: the increment counts from the put', () => {
  expect(putJustAbove({})).toBe('ok');
});
