/** Waiting readers and dead coordinators, with the rules as they are; `sim/mutants.test.ts` breaks one. */
import { expect, test } from 'vitest';
import {
  allDieInFlight,
  coordinatorDies,
  diesBeforeItsOwnDisk,
  everybodyReplays,
  leftOutAlive,
  entriesOfTheFinished,
  numberOfWhoIsAway,
  readerBetweenTwoWrites,
  readerOfOverwritten,
  validateLost,
} from './returning.ts';

test('a reader waits for a higher version when a lower one becomes valid: it waits on', () => {
  expect(readerBetweenTwoWrites({})).toBe('ok');
});

test('a reader waits for a version that is overwritten before it becomes valid: it gets that version', () => {
  expect(readerOfOverwritten({})).toBe('ok');
});

test('everything dies with a write on two disks of three: nobody reads it before it was finished', () => {
  expect(allDieInFlight({})).toBe('ok');
});

test('everything dies with a write that its own coordinator had not stored: its next write is another version', () => {
  expect(diesBeforeItsOwnDisk({})).toBe('ok');
});

test('an epoch leaves out who had told only one other, which dies, and takes it in again: its next write is another version', () => {
  expect(leftOutAlive({})).toBe('ok');
  expect(leftOutAlive({ retakeCounters: true })).toBe('two writes have one version');
});

test('everything dies, and who alone had a write stays away: its number is taken anew, and who comes back gives it up', () => {
  expect(numberOfWhoIsAway({})).toBe('ok');
});

test('everything dies when all is at rest: it is read at once', () => {
  expect(entriesOfTheFinished({})).toBe('ok');
});

test('a coordinator dies after the commit and before its word: the others finish under its version', () => {
  expect(coordinatorDies({})).toBe('ok');
});

test('two replay at once, a client writes above, the dead one comes back: both increments count', () => {
  expect(everybodyReplays({})).toBe('ok');
});

test('the word that a write is valid is lost: who waits asks for it', () => {
  expect(validateLost({})).toBe('ok');
});
