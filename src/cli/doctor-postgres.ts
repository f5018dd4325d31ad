/**
 * Asks a PostgreSQL what it is, and measures how fast it answers. It writes a few empty messages to the WAL, and no
 * rows.
 */
import type pg from 'pg';
import { isExchanged } from '../base/exchanged-session.ts';
import type { Statement } from '../base/sql-statement.ts';
import { dialectOf, whyNotDialect, type RecordCompat } from '../core/system-of-record/record-dialect.ts';
import type { ByHandFacts } from './doctor-by-hand-rules.ts';
import type { OwnerFacts, PoolerKind, PostgresFacts } from './doctor-postgres-rules.ts';
import type { RelativeFacts } from './doctor-relative-rules.ts';
import {
  ASK,
  ASK_ADDED,
  ASK_BY_HAND,
  ASK_CLOCK,
  ASK_DIALECT,
  ASK_MODE,
  ASK_NOTES,
  ASK_OWNERS,
  ASK_PROCESS,
  ASK_RECORD,
  ASK_SCHEMA,
  ASK_SPREAD,
  BEGIN,
  EMIT_MESSAGE,
  ROLLBACK,
  SET_SERIALIZABLE,
  SHOW_ENCODING,
  SHOW_ISOLATION,
  SHOW_READ_ONLY,
} from './doctor-statements.ts';

const SAMPLES = 5;
const KEEP_MS_MIN = 100;
/** The part of the time for a statement within which a pooler is looked at: one in so many. */
const POOLER_LOOK_SHARE = 4;

type Row = Record<string, unknown>;

/** 'other' means that the server is not the kind that the settings name, and why; it is not examined further. */
export type ServerFacts =
  | { readonly kind: 'itself'; readonly facts: PostgresFacts }
  | { readonly kind: 'relative'; readonly facts: RelativeFacts }
  | { readonly kind: 'other'; readonly why: string };

export async function serverFacts(
  { url, compat }: { readonly url: string; readonly compat: RecordCompat },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ServerFacts> {
  const { default: driver } = await import('pg');
  const clients: pg.Client[] = [];
  const makeClient = (): pg.Client => {
    const client = new driver.Client({
      connectionString: url,
      application_name: 'causeway doctor',
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    });
    clients.push(client);
    client.on('error', () => undefined);
    signal.addEventListener('abort', () => void client.end().catch(() => undefined));
    return client;
  };
  try {
    const client = makeClient();
    await client.connect();
    const asked = await one(client, ASK_DIALECT);
    const version = String(asked['version']);
    const why = whyNotDialect(compat, version);
    if (why !== null) return { kind: 'other', why };
    if (compat !== 'none') {
      return {
        kind: 'relative',
        facts: await relativeFacts(client, version, asked['orders_by_bytes'] === true),
      };
    }
    const lookAtPooler = (): Promise<PoolerKind> =>
      poolerOf(client, makeClient, timeoutMs / POOLER_LOOK_SHARE);
    return { kind: 'itself', facts: await postgresFacts(client, lookAtPooler) };
  } finally {
    await Promise.race([
      Promise.all(clients.map((client) => client.end())),
      new Promise((resolve) => setTimeout(resolve, KEEP_MS_MIN).unref()),
    ]).catch(() => undefined);
  }
}

async function postgresFacts(
  client: pg.Client,
  lookAtPooler: () => Promise<PoolerKind>,
): Promise<PostgresFacts> {
  const row = await one(client, ASK);
  const { offsetMs, tripMs } = await clockOf(client);
  return {
    version: Number(row['version']),
    pooler: Number(row['process']) === processOf(client) ? null : await lookAtPooler(),
    isStandby: row['is_standby'] === true,
    isReadOnly: row['is_read_only'] === true,
    synchronousCommit: String(row['synchronous_commit']),
    fsync: String(row['fsync']),
    fullPageWrites: String(row['full_page_writes']),
    encoding: String(row['encoding']),
    autovacuum: String(row['autovacuum']),
    standbyNames: String(row['standby_names']),
    standbysInStep: row['standbys'] === null ? null : Number(row['standbys']),
    connectionsMax: Number(row['connections_max']),
    connectionsUsed: Number(row['connections_used']),
    rightsLacking: await rightsLacking(client, row),
    owners: row['has_schema'] === true ? await ownerFacts(client) : null,
    spreadByCitus: row['has_citus'] === true ? await spreadByCitus(client) : [],
    ...(row['has_record'] === true ? await tableFacts(client) : { byHand: null, table: null }),
    clockAheadMs: offsetMs,
    roundTripMs: tripMs,
    commitMs: row['is_standby'] === true ? null : await commitMs(client),
  };
}

/**
 * The server's process as the other side named it when it was connected to. A pooler gives numbers of its own, since the
 * process behind a connection may change.
 */
function processOf(client: pg.Client): number | null {
  return (client as unknown as { readonly processID: number | null }).processID;
}

async function poolerOf(client: pg.Client, makeOther: () => pg.Client, waitMs: number): Promise<PoolerKind> {
  const processBehind = async (own: pg.Client): Promise<unknown> => (await one(own, ASK_PROCESS))['process'];
  const other = makeOther();
  const asOther = {
    connect: () => other.connect(),
    process: () => processBehind(other),
    begin: () => other.query(BEGIN.text),
    rollback: () => other.query(ROLLBACK.text),
    end: () => void other.end().catch(() => undefined),
  };
  const late = new Promise((resolve) => setTimeout(resolve, waitMs).unref());
  const isSeen = await isExchanged({ process: () => processBehind(client) }, asOther, late);
  return isSeen ? 'exchanges' : 'unknown';
}

async function relativeFacts(
  client: pg.Client,
  version: string,
  ordersByBytes: boolean,
): Promise<RelativeFacts> {
  await client.query(SET_SERIALIZABLE.text);
  const shown = async (statement: Statement): Promise<string> =>
    String(Object.values(await one(client, statement))[0]);
  const isolation = await shown(SHOW_ISOLATION);
  const isReadOnly = (await shown(SHOW_READ_ONLY)) === 'on';
  const encoding = await shown(SHOW_ENCODING);
  const { offsetMs, tripMs } = await clockOf(client);
  const compat = dialectOf(version);
  const madeFor = await madeForMode(client);
  return {
    ...{ compat, version, ordersByBytes, isolation, isReadOnly, encoding, madeFor },
    ...{ clockAheadMs: offsetMs, roundTripMs: tripMs },
  };
}

/** Null if no node has created its tables yet, or if they may not be read. */
async function madeForMode(client: pg.Client): Promise<RecordCompat | null> {
  try {
    return (await one(client, ASK_MODE))['mode'] as RecordCompat;
  } catch {
    return null;
  }
}

/** Before the first start, the user must be allowed to create the schema; afterwards it must be allowed to use it. */
async function rightsLacking(client: pg.Client, row: Row): Promise<string[]> {
  const lacking: string[] = [];
  if (row['has_schema'] !== true) {
    if (row['may_create'] !== true) lacking.push('make a schema in this database (CREATE)');
  } else {
    const schema = await one(client, ASK_SCHEMA);
    const mayUse = schema['may_use'] === true;
    if (!mayUse) lacking.push('use the schema causeway (USAGE)');
    // Needed by the first node of a version with tables that do not exist yet.
    if (schema['has_all'] !== true && schema['may_make'] !== true)
      lacking.push('make tables in the schema causeway (CREATE)');
    if (mayUse && row['has_record'] === true && (await one(client, ASK_RECORD))['may_write'] !== true)
      lacking.push('write to causeway.record (SELECT, INSERT, UPDATE, DELETE)');
  }
  if (row['has_table'] !== true && row['may_create_public'] !== true)
    lacking.push('make the view public.kv_store (CREATE on the schema public)');
  return lacking;
}

/** Migrations alter existing tables, which takes ownership and not just rights. */
async function ownerFacts(client: pg.Client): Promise<OwnerFacts> {
  const { self, others } = await one(client, ASK_OWNERS);
  const { has_all: hasAll } = await one(client, ASK_SCHEMA);
  return { self: String(self), others: others as string[], areTablesMissing: hasAll !== true };
}

async function spreadByCitus(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<Row>(ASK_SPREAD.text);
  return rows.map(({ name }) => String(name));
}

async function tableFacts(client: pg.Client): Promise<Pick<PostgresFacts, 'byHand' | 'table'>> {
  const byHand = await byHandFacts(client);
  try {
    const added = await one(client, ASK_ADDED);
    const table = {
      hasKey: added['has_key'] === true,
      triggers: byHand?.triggers ?? null,
      rules: added['rules'] as string[],
      hasRowSecurity: added['has_row_security'] === true,
      indexes: added['indexes'] as string[],
    };
    return { byHand, table };
  } catch {
    return { byHand, table: null };
  }
}

/** Null if the tables were made by an earlier version, or if this user may not use their schema. */
async function byHandFacts(client: pg.Client): Promise<ByHandFacts | null> {
  try {
    const told = await one(client, ASK_BY_HAND);
    if (told['has_notes'] !== true) return null;
    const isUnwatched = told['unwatched'] === 'on';
    const triggers = String(told['triggers']).split(' ').filter(Boolean);
    if (told['may_read'] !== true) return { triggers, isUnwatched, waiting: null, oldestMs: 0 };
    const { waiting, oldest_ms: oldestMs } = await one(client, ASK_NOTES);
    return { triggers, isUnwatched, waiting: Number(waiting), oldestMs: Number(oldestMs) };
  } catch {
    return null;
  }
}

async function clockOf(client: pg.Client): Promise<{ offsetMs: number; tripMs: number }> {
  const samples: { offsetMs: number; tripMs: number }[] = [];
  for (let count = 0; count < SAMPLES; count++) {
    const began = performance.now();
    const { now } = await one(client, ASK_CLOCK);
    const tripMs = performance.now() - began;
    // The server read its clock about half a round trip ago.
    samples.push({ tripMs, offsetMs: Number(now) - (Date.now() - tripMs / 2) });
  }
  return samples.sort((a, b) => a.tripMs - b.tripMs)[Math.floor(SAMPLES / 2)]!;
}

/** A message in the WAL is committed, and so synced, like a row. Null if this user may not write one. */
async function commitMs(client: pg.Client): Promise<number | null> {
  const took: number[] = [];
  try {
    for (let count = 0; count < SAMPLES; count++) {
      const began = performance.now();
      await client.query(EMIT_MESSAGE.text);
      took.push(performance.now() - began);
    }
  } catch {
    return null;
  }
  return took.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)]!;
}

async function one(client: pg.Client, { text }: Statement): Promise<Row> {
  const { rows } = await client.query<Row>(text);
  return rows[0]!;
}
