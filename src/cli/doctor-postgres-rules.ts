/** Whether a PostgreSQL can be the system of record, judged by what it reports about itself. */
import { judgeByHand } from './doctor-by-hand-rules.ts';
import type { ByHandFacts } from './doctor-by-hand-rules.ts';
import { judgeRecordTable } from './doctor-record-rules.ts';
import type { RecordTableFacts } from './doctor-record-rules.ts';
import { fault, millisecondsText, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

/** Who owns the tables, views and functions of the schema causeway. */
export interface OwnerFacts {
  /** The user that connects. */
  readonly self: string;
  /** Owners that this user neither is nor is a member of. */
  readonly others: readonly string[];
  /** Tables of this version do not exist yet. */
  readonly areTablesMissing: boolean;
}

/** 'exchanges': sessions, between transactions, for certain. 'unknown': nothing showed that it does. */
export type PoolerKind = 'exchanges' | 'unknown';

export interface PostgresFacts {
  /** As in server_version_num, for example 170002. */
  readonly version: number;
  /** Null if no pooler, as PgBouncer, stands in between. */
  readonly pooler: PoolerKind | null;
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
  readonly synchronousCommit: string;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly encoding: string;
  readonly autovacuum: string;
  readonly standbyNames: string;
  /** Null if this user may not see it. */
  readonly standbysInStep: number | null;
  readonly connectionsMax: number;
  readonly connectionsUsed: number;
  /** Descriptions of the rights that this user lacks. */
  readonly rightsLacking: readonly string[];
  /** Null if nothing was created yet. */
  readonly owners: OwnerFacts | null;
  /** Tables of Causeway that Citus has distributed, or copied to its workers. */
  readonly spreadByCitus: readonly string[];
  /** Null if unknown. */
  readonly byHand: ByHandFacts | null;
  /** Null if unknown, or not made yet. */
  readonly table: RecordTableFacts | null;
  /** How far the server's clock is ahead of ours. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
  /** Null if it could not be measured. */
  readonly commitMs: number | null;
}

const VERSION_MIN = 120_000;
/** A node's pool, plus connections for migrations and probes. */
const CONNECTIONS_PER_NODE = 8;
const CLOCK_MS_MAX = 1_000;
const COMMIT_MS_MAX = 20;
const ROUND_TRIP_MS_MAX = 10;

export function judgePostgres(facts: PostgresFacts, memberCount: number): Finding[] {
  const findings = [...judgeServer(facts), ...judgeDurability(facts)];
  const free = facts.connectionsMax - facts.connectionsUsed;
  const needed = memberCount * CONNECTIONS_PER_NODE;
  const connections = `${free} of ${facts.connectionsMax} connections free`;
  findings.push(
    free < needed
      ? warning(
          `${connections}; ${memberCount} nodes may need ${needed} if none runs yet`,
          'raise max_connections, or end other clients',
        )
      : ok(connections),
  );
  if (facts.table !== null) findings.push(...judgeRecordTable(facts.table));
  if (facts.byHand !== null) findings.push(...judgeByHand(facts.byHand));
  findings.push(...judgeClockAndPace(facts));
  return findings;
}

/** What to change, by PostgreSQL's error code. Any other code means that no PostgreSQL was reached. */
const CHANGES: Readonly<Record<string, string>> = {
  '28P01': 'correct the password in postgres.url',
  28000: 'correct the user in postgres.url, or make it (CREATE ROLE ... LOGIN); does pg_hba.conf let it in?',
  '3D000': 'correct the name in postgres.url, or make the database (CREATE DATABASE)',
  42501:
    'the tables are of another user: take that one in postgres.url, or GRANT it to this one, the schema causeway and what is in it',
  53300: 'raise max_connections, or end other clients',
};

export function refusedBy(code: string, reason: string): Finding {
  const change =
    CHANGES[code] ?? 'is it up, is postgres.url right, and does pg_hba.conf let this machine in?';
  return fault(`it cannot be asked: ${reason}`, change);
}

function judgeServer(facts: PostgresFacts): Finding[] {
  const findings: Finding[] = [];
  const number = `PostgreSQL ${Math.floor(facts.version / 10_000)}.${facts.version % 10_000}`;
  findings.push(facts.version < VERSION_MIN ? fault(number, 'version 12 or later is needed') : ok(number));
  if (facts.isStandby)
    findings.push(
      fault(
        'it is a standby, which takes no writes',
        'point postgres.url at the primary, or at an address that moves with it',
      ),
    );
  else if (facts.isReadOnly)
    findings.push(
      fault(
        'transactions are read-only',
        'ALTER ROLE or ALTER DATABASE ... SET default_transaction_read_only = off',
      ),
    );
  if (facts.pooler !== null) findings.push(judgePooler(facts.pooler));
  if (facts.encoding !== 'UTF8')
    findings.push(fault(`the database is in ${facts.encoding}`, "make one with ENCODING 'UTF8'"));
  if (facts.spreadByCitus.length > 0)
    findings.push(
      fault(
        `Citus has spread or copied ${facts.spreadByCitus.join(', ')}: nodes refuse to start`,
        'undistribute_table brings each back to the coordinator; why is told in docs/SCALE.md',
      ),
    );
  for (const right of facts.rightsLacking)
    findings.push(
      fault(`this user may not ${right}`, `GRANT it, or make the user the owner of the database`),
    );
  if (facts.rightsLacking.length === 0) findings.push(ok('this user has the rights that are needed'));
  if (facts.owners !== null && facts.owners.others.length > 0) findings.push(judgeOwners(facts.owners));
  return findings;
}

function judgePooler(kind: PoolerKind): Finding {
  const change = 'point postgres.url at the server itself; why is told in docs/DEPLOYMENT.md';
  if (kind === 'exchanges')
    return fault(
      'a pooler stands in between that exchanges sessions between transactions: nodes refuse it',
      change,
    );
  return warning(
    'a pooler stands in between: by transaction or by statement it takes away what nodes rely on, and by session it saves nothing',
    change,
  );
}

/** A node needs no more than its rights, until a version changes the tables. */
function judgeOwners({ self, others, areTablesMissing }: OwnerFacts): Finding {
  const owners = others.join(', ');
  const grants = others.map((owner) => `GRANT ${quoted(owner)} TO ${quoted(self)}`).join('; ');
  // Being granted a superuser's role would mean getting all of its rights.
  const change = `start the first node of such a version as ${owners} (postgres.url), or, unless that is a superuser, ${grants}`;
  if (areTablesMissing)
    return fault(
      `the tables are of ${owners}, and this version changes them: no node of it starts as ${self}`,
      change,
    );
  return warning(
    `the tables are of ${owners}: a version that changes them does not start as ${self}`,
    change,
  );
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function judgeDurability(facts: PostgresFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.synchronousCommit === 'off')
    findings.push(
      fault(
        'synchronous_commit is off: a crash loses what was acknowledged',
        'ALTER ROLE or ALTER DATABASE ... SET synchronous_commit = on; nodes refuse to start with it off',
      ),
    );
  if (facts.fsync !== 'on')
    findings.push(
      fault('fsync is off: a crash may ruin the whole database', 'fsync = on in postgresql.conf'),
    );
  if (facts.fullPageWrites !== 'on')
    findings.push(
      warning(
        'full_page_writes is off: a crash may tear pages',
        'full_page_writes = on, unless the file system never tears a page (ZFS)',
      ),
    );
  if (facts.standbyNames !== '' && facts.standbysInStep === 0)
    findings.push(
      fault(
        `synchronous_standby_names is '${facts.standbyNames}' and none of them follows: every commit hangs`,
        'start a standby, or take the name out',
      ),
    );
  if (findings.length === 0)
    findings.push(ok(`commits are durable (synchronous_commit ${facts.synchronousCommit})`));
  if (facts.autovacuum !== 'on')
    findings.push(
      warning('autovacuum is off: every overwritten row stays', 'autovacuum = on in postgresql.conf'),
    );
  return findings;
}

export function judgeClockAndPace({
  clockAheadMs,
  roundTripMs,
  commitMs,
}: Pick<PostgresFacts, 'clockAheadMs' | 'roundTripMs' | 'commitMs'>): Finding[] {
  const findings: Finding[] = [];
  // The answer may lie anywhere within the round trip.
  if (Math.abs(clockAheadMs) > CLOCK_MS_MAX + roundTripMs)
    findings.push(
      warning(
        `its clock is ${millisecondsText(Math.abs(clockAheadMs))} ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this machine's`,
        'run a time service on both: expiry is as exact as the clocks',
      ),
    );
  const pace = `an answer takes ${millisecondsText(roundTripMs)}`;
  if (roundTripMs > ROUND_TRIP_MS_MAX)
    findings.push(note(pace, 'every write waits for it: the nearer PostgreSQL is, the better'));
  if (commitMs === null) findings.push(ok(pace));
  else if (commitMs > COMMIT_MS_MAX)
    findings.push(
      warning(
        `${pace}, a commit ${millisecondsText(commitMs)}`,
        'every write waits for it: a faster disk for its WAL',
      ),
    );
  else findings.push(ok(`${pace}, a commit ${millisecondsText(commitMs)}`));
  return findings;
}
