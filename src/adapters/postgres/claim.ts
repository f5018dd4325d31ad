/**
 * A server other than the one in use: what it holds, and how the cluster claims it. Both run on connections of their
 * own, because the pools refuse connections to such a server. The founding is replaced by compare-and-set, in a
 * transaction that waits for every statement of the previous founding to end. (PROTOCOL R27, R30)
 */
import { reasonOf } from '../../base/reason-of.ts';
import type { Statement } from '../../base/sql-statement.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { isOfThisCluster } from '../../core/lives/lives.ts';
import {
  adoptedSystem,
  isSameButNamed,
  partsOfSystem,
  type SeenServer,
} from '../../core/system-of-record/record-standing.ts';
import type { RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import type { RecordIdentity } from '../../core/membership/topology.ts';
import type { RecordClaim, RecordSurvey } from '../../ports/system-of-record.ts';
import type { Connection } from './connection.ts';
import { FORGET_LIVES_OF_OTHERS, NOTE_LIVES_BEFORE } from './life-statements.ts';
import { inTransaction } from './founding.ts';
import { prepareOnce } from './prepare-database.ts';
import { RecordFailure, sqlStateOf } from './record-failure.ts';
import { TABLE, listTables } from './compat-schema.ts';
import { identityText } from './server-identity.ts';
import { COUNT_RECORDS, HAS_RECORDS, HAS_ROWS_OF_FIRST_SYSTEM, SURVEY_TABLES } from './server-statements.ts';
import { CLAIM_FIRST, CLAIM_NEXT, READ_CLUSTER } from './statements.ts';

/** The server cancelled the statement because it took too long. */
const QUERY_CANCELED = '57014';
/** How long (ms) to wait for the server's reply beyond the server's own limit. */
const REPLY_GRACE_MS = 500;

export interface AdoptionParts {
  readonly compat: RecordCompat;
  readonly migrationsDirectory: string;
  readonly slotOf: (key: string) => number;
  readonly telemetry: Telemetry;
  /** Milliseconds. */
  readonly statementTimeoutMs: number;
  readonly foundingTimeoutMs: number;
  /** Opens a connection to whichever server answers. */
  readonly open: () => Promise<Connection>;
  /** Called for every connection with the server that it reached. */
  readonly onSeen: (server: SeenServer) => void;
}

export async function surveyServer(parts: AdoptionParts): Promise<RecordSurvey> {
  const connection = await parts.open();
  const deadline = performance.now() + 2 * (parts.statementTimeoutMs + REPLY_GRACE_MS);
  try {
    parts.onSeen(connection.identity);
    const { isOurs, isFirstSystem } = await tablesOf(parts.compat, connection, deadline);
    const hasRows =
      (isOurs && (await hasAny(connection, HAS_RECORDS, deadline))) ||
      (isFirstSystem && (await hasAny(connection, HAS_ROWS_OF_FIRST_SYSTEM, deadline)));
    const counted = isOurs ? await countRows(connection, deadline) : { rowCount: 0, newestAt: 0 };
    return { server: connection.identity, hasRows, ...counted };
  } finally {
    connection.destroy();
  }
}

/** Which system the tables on the server belong to. */
async function tablesOf(
  compat: RecordCompat,
  connection: Connection,
  deadline: number,
): Promise<{ readonly isOurs: boolean; readonly isFirstSystem: boolean }> {
  if (compat !== 'none') {
    const tables = await listTables(connection, deadline);
    return {
      isOurs: tables.has('causeway.record'),
      isFirstSystem: tables.get('public.kv_store') === TABLE,
    };
  }
  const [kinds] = await connection.run(SURVEY_TABLES, [], deadline);
  const [isOurs, isFirstSystem] = kinds as [boolean, boolean];
  return { isOurs, isFirstSystem };
}

async function hasAny(connection: Connection, statement: Statement, deadline: number): Promise<boolean> {
  const [reply] = await connection.run(statement, [], deadline);
  return reply![0] === true;
}

/** Both read the whole table, so for a large one they may exceed the statement timeout. */
async function countRows(
  connection: Connection,
  deadline: number,
): Promise<Pick<RecordSurvey, 'rowCount' | 'newestAt'>> {
  try {
    const [reply] = await connection.run(COUNT_RECORDS, [], deadline);
    const [rowCount, newestAt] = reply as [number, number];
    return { rowCount, newestAt };
  } catch (error) {
    if (sqlStateOf(error) !== QUERY_CANCELED) throw error;
    return { rowCount: null, newestAt: 0 };
  }
}

export async function claimServer(
  parts: AdoptionParts,
  expected: SeenServer,
  claim: RecordClaim,
): Promise<RecordIdentity> {
  const { compat, migrationsDirectory, statementTimeoutMs, slotOf, telemetry, foundingTimeoutMs } = parts;
  const open = async (): Promise<Connection> => {
    const connection = await parts.open();
    if (isSameButNamed(connection.identity, expected)) return connection;
    connection.destroy();
    throw changed();
  };
  const deadline = performance.now() + foundingTimeoutMs;
  const connection = await nothingClaimed(async () => {
    await prepareOnce({ compat, migrationsDirectory, statementTimeoutMs, slotOf, telemetry, open }, deadline);
    return open();
  });
  const { system, timeline } = connection.identity;
  const server = { system: adoptedSystem(partsOfSystem(system).system, claim.adoption), timeline };
  try {
    await inTransaction(connection, foundingTimeoutMs, deadline, () =>
      writeClaim(connection, expected, claim, identityText(server), deadline),
    );
  } finally {
    connection.destroy();
  }
  parts.onSeen({ ...server, clusterId: claim.clusterId, life: claim.life });
  return server;
}

/** If anything fails in here, the founding there is still the old one. */
async function nothingClaimed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new RecordFailure('refused', reasonOf(error), {
      isOutage: false,
    });
  }
}

async function writeClaim(
  connection: Connection,
  expected: SeenServer,
  { clusterId, life, ancestors }: RecordClaim,
  identity: string,
  deadline: number,
): Promise<void> {
  await connection.run(connection.sql.lockFounding, [], deadline);
  const isOurs = isOfThisCluster(expected, { clusterId, life }, ancestors);
  await connection.run(FORGET_LIVES_OF_OTHERS, [life, isOurs], deadline);
  const before = new Map(ancestors.map((each) => [each.life, each.clusterId]));
  await connection.run(NOTE_LIVES_BEFORE, [[...before.keys()], [...before.values()]], deadline);
  if (expected.clusterId === '') await connection.run(CLAIM_FIRST, [clusterId, life, identity], deadline);
  else {
    const before = [expected.clusterId, expected.life];
    await connection.run(CLAIM_NEXT, [clusterId, life, identity, ...before], deadline);
  }
  const [standing] = await connection.run(READ_CLUSTER, [], deadline);
  if (standing?.[0] !== clusterId || standing[1] !== life || standing[2] !== identity) throw changed();
}

function changed(): RecordFailure {
  const message = 'the server is another than it was, or somebody else has claimed it: look again';
  return new RecordFailure('refused', message, { isOutage: false });
}
