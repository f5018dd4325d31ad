/** Whether rows changed by plain SQL are noted and then written by the cluster, judged by what PostgreSQL reports. */
import { ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

export interface ByHandFacts {
  /** The enabled triggers of causeway.record. */
  readonly triggers: readonly string[];
  /** Changes by this user are not noted. */
  readonly isUnwatched: boolean;
  /**
   * How many changes still wait to be written by the cluster, and how long ago the oldest was noted; null if this user
   * may not see them.
   */
  readonly waiting: number | null;
  readonly oldestMs: number;
}

/** The triggers that sql/migrations/0009_outside_edit.sql creates. */
export const OUR_TRIGGERS: readonly string[] = [
  'fill_inserted',
  'keep_deleted',
  'note_inserted',
  'note_updated',
  'refuse_truncate',
];
/** Changes are normally noticed within a second or two; if one has waited longer than this, something is in the way. */
const WAIT_MS_MAX = 30_000;

export function judgeByHand(facts: ByHandFacts): Finding[] {
  const findings: Finding[] = [];
  const lacking = OUR_TRIGGERS.filter((name) => !facts.triggers.includes(name));
  if (lacking.length > 0)
    findings.push(
      warning(
        `of causeway.record ${lacking.join(', ')} ${lacking.length === 1 ? 'is' : 'are'} off or gone: rows that are changed by hand are not noticed`,
        'put them on again (ENABLE TRIGGER USER); what is gone stands in sql/migrations/0009_outside_edit.sql',
      ),
    );
  if (facts.isUnwatched)
    findings.push(
      warning(
        'causeway.unwatched is on for this user: rows that it changes by hand are not noticed',
        'ALTER ROLE or ALTER DATABASE ... RESET causeway.unwatched',
      ),
    );
  if (facts.waiting === null)
    findings.push(
      warning(
        'this user may not read causeway.outside_edit: nodes that use it do not see rows that are changed by hand',
        'GRANT SELECT, UPDATE, DELETE ON causeway.outside_edit to the user of postgres.url',
      ),
    );
  else if (facts.waiting > 0 && facts.oldestMs > WAIT_MS_MAX)
    findings.push(
      warning(
        `${facts.waiting} changes of rows by hand wait, the oldest for ${Math.round(facts.oldestMs / 1_000)} s`,
        'causeway status says what they wait for; without a node that serves they wait for one',
      ),
    );
  if (findings.length === 0)
    findings.push(
      ok(
        `rows that are changed by hand are noted; ${facts.waiting === 0 ? 'none waits' : `${facts.waiting} wait`}`,
      ),
    );
  return findings;
}
