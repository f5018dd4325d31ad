/** What a run of many seeds is reported to lack: a kind of fault that never occurred, and events that were too rare. */
import { expect, test } from 'vitest';
import { FAULT_KINDS } from './fault-plan.ts';
import { emptySummary, whatIsMissing } from './summary.ts';
import type { Summary } from './summary.ts';

/** A summary in which every fault and event occurred far more often than required. */
function plenty(): Summary {
  const summary = emptySummary();
  const lines = whatIsMissing(summary, { seedCount: 2_000, kinds: null });
  for (const kind of FAULT_KINDS) summary.occurred[kind] = 100_000;
  for (const line of lines) summary.occurred[/^too few of (\w+)/.exec(line)?.[1] ?? 'none'] = 100_000;
  return summary;
}

test('everything struck and occurred: nothing is missing', () => {
  expect(whatIsMissing(plenty(), { seedCount: 2_000, kinds: null })).toEqual([]);
});

test.each(FAULT_KINDS)('%s never struck in 300 seeds: said, and in 299 not', (kind) => {
  const summary = plenty();
  delete summary.occurred[kind];
  expect(whatIsMissing(summary, { seedCount: 300, kinds: null })).toEqual([`${kind} never struck`]);
  expect(whatIsMissing(summary, { seedCount: 299, kinds: null })).toEqual([]);
});

test('commits with unknown outcome were few for so many seeds: said', () => {
  const summary = plenty();
  summary.occurred['commitUnknown'] = 5;
  expect(whatIsMissing(summary, { seedCount: 300, kinds: null })).toHaveLength(1);
});

test('a few seeds, in which hardly anything occurred: nothing is said of that', () => {
  expect(whatIsMissing(emptySummary(), { seedCount: 299, kinds: null })).toEqual([]);
  expect(whatIsMissing(emptySummary(), { seedCount: 300, kinds: null }).length).toBeGreaterThan(5);
});

test('a profile with kinds of its own: only those must have struck', () => {
  const summary = emptySummary();
  summary.occurred['kill'] = 1;
  expect(whatIsMissing(summary, { seedCount: 300, kinds: ['kill', 'pause'] })).toEqual([
    'pause never struck',
  ]);
});

test('more than one history of a thousand was not decided, beside the first: said', () => {
  const summary = plenty();
  summary.occurred['undecided'] = 3;
  expect(whatIsMissing(summary, { seedCount: 2_000, kinds: null })).toEqual([]);
  summary.occurred['undecided'] = 4;
  expect(whatIsMissing(summary, { seedCount: 2_000, kinds: null })).toEqual(['4 histories were not decided']);
});
