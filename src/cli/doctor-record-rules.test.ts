/** What `causeway doctor` says of additions to the table of rows. */
import { expect, test } from 'vitest';
import { OUR_TRIGGERS } from './doctor-by-hand-rules.ts';
import { judgeRecordTable } from './doctor-record-rules.ts';
import type { RecordTableFacts } from './doctor-record-rules.ts';

const WELL: RecordTableFacts = {
  hasKey: true,
  triggers: OUR_TRIGGERS,
  rules: [],
  hasRowSecurity: false,
  indexes: [],
};
const judge = (changes: Partial<RecordTableFacts>): string[] =>
  judgeRecordTable({ ...WELL, ...changes }).map(({ level, text }) => `${level}: ${text}`);

test('nothing has been added: that is said', () => {
  expect(judge({})).toEqual(['ok: nothing has been added to causeway.record']);
  expect(judge({ triggers: null })).toHaveLength(1);
});

test.each<[string, Partial<RecordTableFacts>, string]>([
  ['no key', { hasKey: false }, 'fault: the key of causeway.record is not unique'],
  [
    'a trigger and a rule',
    { triggers: [...OUR_TRIGGERS, 'audit'], rules: ['quiet'] },
    'warning: somebody has given causeway.record the trigger audit, the rule quiet',
  ],
  ['row-level security', { hasRowSecurity: true }, 'warning: row-level security is on for causeway.record'],
  ['an index', { indexes: ['causeway.by_value'] }, 'warning: somebody has made causeway.by_value'],
])('%s: told, with what to change', (_what, changes, text) => {
  const [only, ...others] = judgeRecordTable({ ...WELL, ...changes });
  expect(others).toEqual([]);
  expect(`${only!.level}: ${only!.text}`).toContain(text);
  expect(only!.change).toBeTruthy();
});
