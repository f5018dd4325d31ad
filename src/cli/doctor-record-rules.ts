/** Whether somebody has added something to the table of rows that can keep nodes from writing what they must. */
import { OUR_TRIGGERS } from './doctor-by-hand-rules.ts';
import { fault, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

export interface RecordTableFacts {
  /** The key is unique, as every statement that writes needs it. */
  readonly hasKey: boolean;
  /** The enabled triggers; null if unknown. */
  readonly triggers: readonly string[] | null;
  readonly rules: readonly string[];
  readonly hasRowSecurity: boolean;
  /** Indexes that cover what a value's update touches. */
  readonly indexes: readonly string[];
}

export function judgeRecordTable(facts: RecordTableFacts): Finding[] {
  const findings: Finding[] = [];
  if (!facts.hasKey)
    findings.push(
      fault(
        'the key of causeway.record is not unique: nothing can be written',
        'give it its key again: ADD PRIMARY KEY (key)',
      ),
    );
  const triggers = (facts.triggers ?? []).filter((name) => !OUR_TRIGGERS.includes(name));
  const strangers = [
    ...triggers.map((name) => `the trigger ${name}`),
    ...facts.rules.map((name) => `the rule ${name}`),
  ];
  if (strangers.length > 0)
    findings.push(
      warning(
        `somebody has given causeway.record ${strangers.join(', ')}`,
        'drop that, or see to it that it raises no error and neither keeps out nor changes a row: writes do not end otherwise',
      ),
    );
  if (facts.hasRowSecurity)
    findings.push(
      warning(
        'row-level security is on for causeway.record: where it applies to the user of the nodes, they refuse to use the table',
        'turn it off (DISABLE ROW LEVEL SECURITY), or for this user (ALTER ROLE ... BYPASSRLS)',
      ),
    );
  if (facts.indexes.length > 0)
    findings.push(
      warning(
        `somebody has made ${facts.indexes.join(', ')} on causeway.record: updates are slower, and a value that is too large for an index is not written`,
        'drop it; for queries, a copy of the table serves better (a logical replica)',
      ),
    );
  if (findings.length === 0) findings.push(ok('nothing has been added to causeway.record'));
  return findings;
}
