/** Learners and fills, with the rules as they are; `sim/mutants.test.ts` breaks one. */
import { expect, test } from 'vitest';
import {
  copiedFarAbove,
  fillAfterDelete,
  fillAfterWrite,
  fillOvertaken,
  loweredWhileCompared,
  higherLeftover,
  leftoverOfUnknownKey,
  pendingIsCopied,
  promotedLearner,
  storedBeforeGivenUp,
  deletedMeanwhile,
  taughtBeforeStored,
  taughtOnceStored,
  versionTakenTwice,
  writeToLearner,
} from './learning.ts';

test('a learner holds a higher version that nobody heard of: it takes the lower one of its source', () => {
  expect(higherLeftover({})).toBe('ok');
});

test('a learner holds a key that its source lacks: the key goes', () => {
  expect(leftoverOfUnknownKey({})).toBe('ok');
});

test('an owner writes below what a learner has left over: the learner says equal and stores it', () => {
  expect(writeToLearner({})).toBe('ok');
});

test('a learner copies what is in flight: it stays unreadable there, too', () => {
  expect(pendingIsCopied({})).toBe('ok');
});

test('a learner is made complete: it has what was written without it', () => {
  expect(promotedLearner({})).toBe('ok');
});

test('a learner has begun a write that only a slow disk knows of: it is complete when it has heard of it again', () => {
  expect(versionTakenTwice({})).toBe('ok');
});

test('an increment is on its way to the disk of its coordinator, which teaches and dies: its number stands for one write', () => {
  expect(taughtBeforeStored({})).toBe('ok');
});

test('a slow disk has not stored what it is asked to teach: it is taught once it has', () => {
  expect(taughtOnceStored({})).toBe('ok');
});

test('a learner copies what is far above all that it has seen: what comes above that is no jump', () => {
  expect(copiedFarAbove({})).toBe('ok');
});

test('a slot is given up and learnt again while the disk is slow: what it stores late says nothing of what came since', () => {
  expect(storedBeforeGivenUp({})).toBe('ok');
});

test('a learner still has what was deleted meanwhile: it learns the deletion, and what it writes afterwards stands', () => {
  expect(deletedMeanwhile({})).toBe('ok');
});

test('a lower write takes the place of what a learner has, while its digest is compared: it copies the slot after all', () => {
  expect(loweredWhileCompared({})).toBe('ok');
});

test('a fill comes after a client has written or deleted: nothing changes', () => {
  expect(fillAfterWrite({})).toBe('ok');
  expect(fillAfterDelete({})).toBe('ok');
});

test('a fill is overtaken by a client: the client wins', () => {
  expect(fillOvertaken({})).toBe('ok');
});
