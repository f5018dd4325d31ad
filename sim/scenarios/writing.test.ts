/** Writers that meet, with the rules as they are; `sim/mutants.test.ts` repeats them with one rule broken. */
import { expect, test } from 'vitest';
import {
  acknowledgedAndLost,
  acknowledgementOfEarlierProcess,
  acknowledgementOfLostDisk,
  counterJump,
  incrementOvertaken,
  incrementOvertakenAfterRestart,
  outrankedBeforeSpooling,
  readBeforeRecorded,
  replyLost,
  setLostBetweenSetAndIncrement,
  storedElsewhereFirst,
  tooFewOwners,
  unknownRowAbove,
  writeBesideTheEpoch,
} from './writing.ts';

test('two sets and an increment meet, one set arrives late: the increment counts from what was read', () => {
  expect(setLostBetweenSetAndIncrement({})).toBe('ok');
});

test('an increment is overtaken by a set that is valid: it is aborted for certain and done anew above it', () => {
  expect(incrementOvertaken({})).toBe('ok');
});

test('a node has come back, and its increment meets a set that it has not heard of: the increment counts from it', () => {
  expect(incrementOvertakenAfterRestart({})).toBe('ok');
});

test('the disk of a coordinator is slow: the others store its write meanwhile, and nobody is told before it has', () => {
  expect(storedElsewhereFirst({})).toBe('ok');
});

test('an owner acknowledges and loses its disk: the write is complete only when it has it again', () => {
  expect(acknowledgementOfLostDisk({})).toBe('ok');
});

test('an owner is slow to store for a process that went and came back: its word counts for none of the new ones', () => {
  expect(acknowledgementOfEarlierProcess({})).toBe('ok');
});

test('disks are slow and everything dies: what was acknowledged had reached every disk', () => {
  expect(acknowledgedAndLost({})).toBe('ok');
});

test('a coordinator has missed an epoch with a learner in it: its write ends in the new epoch, with the learner', () => {
  expect(writeBesideTheEpoch({})).toBe('ok');
});

test('every owner has a write and PostgreSQL has not: nobody reads it yet', () => {
  expect(readBeforeRecorded({})).toBe('ok');
});

test('PostgreSQL holds a higher row that no owner knows: writes are done above it, on its value', () => {
  expect(unknownRowAbove({}, 'put')).toBe('ok');
  expect(unknownRowAbove({}, 'increment')).toBe('ok');
});

test('the reply to a commit is lost: it is asked for again, and the increment counts once', () => {
  expect(replyLost({})).toBe('ok');
});

test('one owner of three is left: what comes is refused, what was under way ends when there are two again', () => {
  expect(tooFewOwners({})).toBe('ok');
});

test('a version comes that is far above all that were seen: it is refused, and one within the bound is not', () => {
  expect(counterJump({})).toBe('ok');
});

test('a put is outranked while PostgreSQL hangs, and then waits for no PostgreSQL: its own node marks what it holds first', () => {
  expect(outrankedBeforeSpooling({})).toBe('ok');
});
