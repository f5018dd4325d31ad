/** Asks a PostgreSQL what it is and how fast it answers. It writes a few empty messages to its log (WAL), and no row. */
import type pg from 'pg';
import type { PostgresFacts } from './doctor-postgres-rules.ts';

const SAMPLES = 5;
const KEEP_MS_MIN = 100;

const ASK = `select
  current_setting('server_version_num')::int as version,
  pg_is_in_recovery() as is_standby,
  current_setting('transaction_read_only') = 'on' as is_read_only,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  current_setting('server_encoding') as encoding,
  current_setting('autovacuum') as autovacuum,
  current_setting('synchronous_standby_names') as standby_names,
  (select case when count(*) = count(sync_state)
    then count(*) filter (where sync_state in ('sync', 'quorum'))::int end from pg_stat_replication) as standbys,
  current_setting('max_connections')::int as connections_max,
  (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections_used,
  to_regnamespace('causeway') is not null as has_schema,
  to_regclass('causeway.record') is not null as has_record,
  to_regclass('public.kv_store') is not null as has_table,
  has_database_privilege(current_database(), 'CREATE') as may_create,
  coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false) as may_create_public`;

const ASK_SCHEMA = `select has_schema_privilege('causeway', 'USAGE, CREATE') as may_use`;
const ASK_RECORD = `select has_table_privilege('causeway.record', 'SELECT, INSERT, UPDATE, DELETE') as may_write`;

type Row = Record<string, unknown>;

export async function postgresFacts(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<PostgresFacts> {
  const { default: driver } = await import('pg');
  const client = new driver.Client({
    connectionString: url,
    application_name: 'causeway doctor',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => undefined);
  signal.addEventListener('abort', () => void client.end().catch(() => undefined));
  try {
    await client.connect();
    const row = await one(client, ASK);
    const { offsetMs, tripMs } = await clockOf(client);
    return {
      version: Number(row['version']),
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
      clockAheadMs: offsetMs,
      roundTripMs: tripMs,
      commitMs: row['is_standby'] === true ? null : await commitMs(client),
    };
  } finally {
    await Promise.race([
      client.end(),
      new Promise((resolve) => setTimeout(resolve, KEEP_MS_MIN).unref()),
    ]).catch(() => undefined);
  }
}

/** What the first start makes must be allowed; later it is there, and must be usable. */
async function rightsLacking(client: pg.Client, row: Row): Promise<string[]> {
  const lacking: string[] = [];
  if (row['has_schema'] !== true) {
    if (row['may_create'] !== true) lacking.push('make a schema in this database (CREATE)');
  } else if ((await one(client, ASK_SCHEMA))['may_use'] !== true) {
    lacking.push('use the schema causeway (USAGE, CREATE)');
  } else if (row['has_record'] === true && (await one(client, ASK_RECORD))['may_write'] !== true) {
    lacking.push('write to causeway.record (SELECT, INSERT, UPDATE, DELETE)');
  }
  if (row['has_table'] !== true && row['may_create_public'] !== true)
    lacking.push('make the view public.kv_store (CREATE on the schema public)');
  return lacking;
}

async function clockOf(client: pg.Client): Promise<{ offsetMs: number; tripMs: number }> {
  const samples: { offsetMs: number; tripMs: number }[] = [];
  for (let count = 0; count < SAMPLES; count++) {
    const began = performance.now();
    const { now } = await one(client, 'select extract(epoch from clock_timestamp())::float8 * 1000 as now');
    const tripMs = performance.now() - began;
    // Its clock was read half a round trip ago, more or less.
    samples.push({ tripMs, offsetMs: Number(now) - (Date.now() - tripMs / 2) });
  }
  return samples.sort((a, b) => a.tripMs - b.tripMs)[Math.floor(SAMPLES / 2)]!;
}

/** A message in the log is committed, and so synced, as a row would be. Null where it may not be written. */
async function commitMs(client: pg.Client): Promise<number | null> {
  const took: number[] = [];
  try {
    for (let count = 0; count < SAMPLES; count++) {
      const began = performance.now();
      await client.query("select pg_logical_emit_message(true, 'causeway doctor', '')");
      took.push(performance.now() - began);
    }
  } catch {
    return null;
  }
  return took.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)]!;
}

async function one(client: pg.Client, text: string): Promise<Row> {
  const { rows } = await client.query<Row>(text);
  return rows[0]!;
}
