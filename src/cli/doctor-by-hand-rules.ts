/** Whether rows that somebody changes by plain SQL are noted, and written by the cluster: verdicts over what PostgreSQL says. */
import { ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

export interface ByHandFacts {
  /** Triggers of causeway.record that are on. */
  readonly triggers: readonly string[];
  /** What this user changes is not noted. */
  readonly isUnwatched: boolean;
  /** Changes that nobody has written yet, and how long ago the oldest was noted; null: this user is not shown them. */
  readonly waiting: number | null;
  readonly oldestMs: number;
}

/** As sql/migrations/0009_outside_edit.sql makes them. */
const TRIGGERS = ['fill_inserted', 'keep_deleted', 'note_inserted', 'note_updated', 'refuse_truncate'];
/** Of those that are seen within a second or two: something is in their way. */
const WAIT_MS_MAX = 30_000;

export function judgeByHand(facts: ByHandFacts): Finding[] {
  const findings: Finding[] = [];
  const lacking = TRIGGERS.filter((name) => !facts.triggers.includes(name));
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
