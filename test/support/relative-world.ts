/**
 * A PostgreSQL that imitates one of its relatives: it reports that product's version, and functions that the relative
 * lacks, or that return nothing there, fail. Features that are not functions (a table lock, a cursor) are watched for:
 * every statement that is sent must need only what the relative has according to its documentation. This shows that the
 * SQL and the flows need no more; only the relative itself can show what it does with them.
 */
import pg from 'pg';
import { expect } from 'vitest';
import type { RecordCompat } from '../../src/core/system-of-record/record-dialect.ts';
import { runOnce } from './postgres.ts';
import { emptiedWorld, postgresWorld, type PostgresWorld } from './postgres-world.ts';
import { beyond } from './sql-catalogue.ts';

export type Relative = Exclude<RecordCompat, 'none'>;

const VERSIONS: Record<Relative, string> = {
  cockroach: 'CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/05 12:00:00, go1.23.7)',
  yugabyte:
    'PostgreSQL 15.12-YB-2025.1.0.0-b168 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit',
};

/** The default of `openPostgresRecord`. */
const APPLICATION_NAME = 'causeway';

const LACKING = [
  'pg_advisory_lock(bigint)',
  'pg_try_advisory_lock(bigint)',
  'pg_try_advisory_lock(integer)',
  'pg_control_system()',
  'pg_current_wal_lsn()',
  'pg_is_in_recovery()',
  'pg_logical_emit_message(boolean, text, text)',
  'current_setting(text)',
  'set_config(text, text, boolean)',
  'to_regclass(text)',
];

/** All connections of this database find these functions before those of the server. */
async function dress(connectionString: string, relative: Relative): Promise<void> {
  const name = new URL(connectionString).pathname.slice(1);
  const lacking = LACKING.map(
    (signature) => `create function relative.${signature} returns text language plpgsql as $$
begin raise exception 'unimplemented: ${signature}' using errcode = '0A000'; end $$`,
  );
  const clusterId = `create schema crdb_internal;
create function crdb_internal.cluster_id() returns uuid language sql as $$ select '${CLUSTER_ID}'::uuid $$`;
  await runOnce(
    connectionString,
    [
      'create schema relative',
      ...lacking,
      `create function relative.version() returns text language sql as $$ select '${VERSIONS[relative]}'::text $$`,
      ...(relative === 'cockroach' ? [clusterId] : []),
      `alter database ${name} set search_path = relative, pg_catalog, public`,
    ].join(';\n'),
  );
}

export const CLUSTER_ID = '9a1b64d5-7f3f-4b0e-8d2f-3f0a4c1d2e5b';

export interface RelativeWorld extends PostgresWorld {
  /** What was sent so far that the relative does not have, or not in the same form. */
  beyond(): string[];
}

/** An empty database. `compat`: the mode of the nodes; default: that of the product that the server reports. */
export async function relativeWorld(
  relative: Relative,
  compat: RecordCompat = relative,
): Promise<RelativeWorld> {
  const world = await postgresWorld();
  await dress(world.connectionString, relative);
  return watchedBy(world, relative, compat);
}

const made = new Map<Relative, string>();

/** Created once for each relative, then emptied. At its end, the statements sent are checked. */
export async function strictWorld(relative: Relative): Promise<RelativeWorld> {
  const connectionString = made.get(relative);
  const world =
    connectionString === undefined
      ? await relativeWorld(relative)
      : watchedBy(await emptiedWorld(connectionString), relative, relative);
  if (connectionString === undefined) await world.connect();
  made.set(relative, world.connectionString);
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.beyond()).toEqual([]);
    },
  };
}

function watchedBy(world: PostgresWorld, relative: Relative, compat: RecordCompat): RelativeWorld {
  const sent = watch(new URL(world.connectionString).pathname.slice(1));
  const open: PostgresWorld['open'] = (settings = {}) => world.open({ compat, ...settings });
  return {
    ...world,
    open,
    connect: async () => {
      const record = open();
      await record.start();
      return record;
    },
    beyond: () => [...beyond(relative, sent.texts), ...sent.lackingArrays],
    close: async () => {
      await world.close();
      sent.end();
    },
  };
}

interface Sent {
  readonly texts: ReadonlySet<string>;
  /** Statements that got null in place of an array, whose meaning beside other arrays is not documented everywhere. */
  readonly lackingArrays: ReadonlySet<string>;
  end(): void;
}

/** Only what nodes send to this database. */
function watch(database: string): Sent {
  const [texts, lackingArrays] = [new Set<string>(), new Set<string>()];
  const client = pg.Client.prototype as unknown as Driver;
  const { query } = client;
  client.query = function (...values) {
    const [first] = values;
    const { connectionParameters: to } = this;
    if (to.application_name === APPLICATION_NAME && to.database === database) {
      const { text, values: given = [] } = typeof first === 'string' ? { text: first } : first;
      texts.add(text);
      if (text.includes('unnest(') && given.includes(null)) lackingArrays.add(`no array: ${text}`);
    }
    return query.apply(this, values);
  };
  return { texts, lackingArrays, end: () => void (client.query = query) };
}

interface Driver {
  readonly connectionParameters: { readonly application_name: string; readonly database: string };
  query(this: Driver, ...values: [string | Asked, ...unknown[]]): unknown;
}

interface Asked {
  readonly text: string;
  readonly values?: readonly unknown[];
}
