/**
 * Whether a relative of PostgreSQL (`postgres.compat`) can be the system of record, judged by what it reports about
 * itself.
 */
import { nameOfCompat, whyNotMode, type RecordCompat } from '../core/system-of-record/record-dialect.ts';
import { fault, note, ok } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { judgeClockAndPace } from './doctor-postgres-rules.ts';

export interface RelativeFacts {
  readonly compat: RecordCompat;
  readonly version: string;
  readonly ordersByBytes: boolean;
  /** The isolation level that it reports after serializable was requested. */
  readonly isolation: string;
  readonly isReadOnly: boolean;
  readonly encoding: string;
  /** Null if there are no tables yet. */
  readonly madeFor: RecordCompat | null;
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
}

export function judgeRelative(facts: RelativeFacts): Finding[] {
  const { compat, madeFor } = facts;
  const findings: Finding[] = [ok(facts.version.split(' (')[0]!)];
  if (facts.isolation !== 'serializable')
    findings.push(
      fault(
        `serializable isolation was asked for, and it answers with ${facts.isolation}`,
        'let this user set default_transaction_isolation: earlier lives of the cluster would not be fenced',
      ),
    );
  if (!facts.ordersByBytes)
    findings.push(
      fault('it orders text by a language, and keys by that', 'make a database with the collation "C"'),
    );
  if (facts.encoding !== 'UTF8')
    findings.push(fault(`the database is in ${facts.encoding}`, "make one with ENCODING 'UTF8'"));
  if (facts.isReadOnly)
    findings.push(
      fault(
        'transactions are read-only',
        'ALTER ROLE or ALTER DATABASE ... SET default_transaction_read_only = off',
      ),
    );
  const otherMode = madeFor === null ? null : whyNotMode(compat, madeFor);
  if (otherMode !== null) findings.push(fault('its tables are of another mode', otherMode));
  if (findings.length === 1) findings.push(ok('a node can use it, as far as it tells'));
  findings.push(
    note(
      `${nameOfCompat(compat)} says nothing of its durability, its rights and its connections to this check`,
      'see docs/SCALE.md for what to set there',
    ),
  );
  findings.push(...judgeClockAndPace({ ...facts, commitMs: null }));
  return findings;
}
