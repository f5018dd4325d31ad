/** When writes complete without PostgreSQL, and what happens to one mark: every decision case by case. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { SPOOL_AFTER_MS, SPOOL_END_AFTER_MS } from '../limits.ts';
import { judgeMark, judgeRow, planSpooling, setSpooling } from './spool.ts';
import type { RecordWord } from './spool.ts';
import { changeMembers } from '../membership/topology-change.ts';

const away: RecordWord = { awayMs: SPOOL_AFTER_MS, backMs: 0, isFull: false };
const short: RecordWord = { ...away, awayMs: SPOOL_AFTER_MS - 1 };
const back: RecordWord = { awayMs: 0, backMs: SPOOL_END_AFTER_MS, isFull: false };
const words =
  (...told: (RecordWord | undefined)[]) =>
  (id: number): RecordWord | undefined =>
    told[id - 1];

test('PostgreSQL is away from all members for long enough: spooling begins; one still reaches it, or lost it only a moment ago, or says nothing: it does not', () => {
  const topology = founded(3);
  expect(planSpooling(topology, words(away, away, away))).toBe(true);
  expect(planSpooling(topology, words(away, back, away))).toBe(null);
  expect(planSpooling(topology, words(away, short, away))).toBe(null);
  expect(planSpooling(topology, words(away, undefined, away))).toBe(null);
});

test('a member that is gone has no say', () => {
  const topology = changeMembers(founded(3), { gone: [3], entrants: [] })!;
  expect(planSpooling(topology, words(away, away, undefined))).toBe(true);
});

test('PostgreSQL answers most members again for long enough: spooling ends; it answers few, or has failed since: spooling goes on', () => {
  const topology = setSpooling(founded(3), true)!;
  expect(planSpooling(topology, words(back, back, away))).toBe(false);
  expect(planSpooling(topology, words(back, away, undefined))).toBe(null);
  expect(planSpooling(topology, words(back, { ...back, backMs: SPOOL_END_AFTER_MS - 1 }, away))).toBe(null);
  expect(planSpooling(topology, words(away, away, away))).toBe(null);
});

test('the flag is one epoch, there and back, and nothing else of the topology changes', () => {
  const topology = founded(3);
  const on = setSpooling(topology, true)!;
  expect(on).toEqual({ ...topology, epoch: topology.epoch + 1, spooling: true });
  expect(setSpooling(on, true)).toBe(null);
  expect(setSpooling(on, false)).toEqual({ ...topology, epoch: topology.epoch + 2 });
  expect(setSpooling(topology, false)).toBe(null);
});

test('a mark: a readable record of its version or higher is drained, one in flight or damaged waits, and a mark of a version that never became valid is restated for what is held', () => {
  expect(judgeMark(10, { kind: 'readable', version: 10 })).toBe('drain');
  expect(judgeMark(10, { kind: 'readable', version: 12 })).toBe('drain');
  expect(judgeMark(10, { kind: 'unfinished' })).toBe('wait');
  expect(judgeMark(10, { kind: 'damaged' })).toBe('wait');
  expect(judgeMark(10, { kind: 'readable', version: 8 })).toBe('lower');
  expect(judgeMark(10, { kind: 'none' })).toBe('drop');
});

test('a row above all that the owners hold was changed from outside', () => {
  expect(judgeRow(10, 10)).toBe('mayLift');
  expect(judgeRow(10, 12)).toBe('mayLift');
  expect(judgeRow(12, 10)).toBe('overtaken');
});
