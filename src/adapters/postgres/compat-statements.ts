/**
 * Statements for the relatives of PostgreSQL that distribute their rows (`postgres.compat`). They replace statements
 * that need something that one of the relatives lacks or does differently; `record-sql.ts` has the mapping.
 *
 * There are no table locks, so the row of `causeway.cluster` serves as the fence (`ROW_LOCK`). Every writing statement
 * reads it `for share` under serializable isolation, and relies only on what it says. A founding changes that row, and
 * reads the highest version in a separate transaction that begins afterwards. Either mechanism alone is sufficient: the
 * lock, which a founding waits for, or the isolation, which lets no statement commit that has read the old row. (R27)
 */
import { unprepared, type SqlFeature, type Statement } from '../../base/sql-statement.ts';
import {
  COLUMNS,
  COLUMNS_UNNESTED,
  COLUMNS_UNNESTED_PAST,
  PAST,
  ROW_COLUMNS,
  commitText,
  raisedText,
  removeText,
} from './statements.ts';
import type { LifeFence } from './statements.ts';

/** For its relatives. */
export const ROW_LOCK: LifeFence = {
  begin: 'with fence as (select life, floor from causeway.cluster where id = 1 for share)',
  holds: 'exists (select 1 from fence where life = $1)',
  life: '(select life from fence)',
  floor: '(select floor from fence)',
};

const COMMIT_FEATURES: readonly SqlFeature[] = [
  'aggregate into JSON',
  'array parameters',
  'bytea',
  'data-modifying CTE',
  'fence by a shared row lock',
  'multi-argument unnest',
  'on conflict do update where',
  'subquery in an insert',
];

/** Like `COMMIT`. */
export const COMPAT_COMMIT: Statement = {
  name: 'causeway_commit',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(ROW_LOCK, COLUMNS_UNNESTED, COLUMNS, 't.version'),
};

/** Like `COMMIT_PAST`. */
export const COMPAT_COMMIT_PAST: Statement = {
  name: 'causeway_commit_past',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(ROW_LOCK, COLUMNS_UNNESTED_PAST, `${COLUMNS}, past`, PAST),
};

/** Like `RAISE_FLOORS`. It changes the fencing row itself, so it needs no other lock; no table is changed twice. */
export const COMPAT_RAISE_FLOORS: Statement = {
  name: null,
  writes: true,
  features: [
    'array parameters',
    'data-modifying CTE',
    'multi-argument unnest',
    'on conflict do update where',
    'subquery in an insert',
  ],
  text: `with fence as (
  update causeway.cluster set floor = case when life = $1 and floor < $4::int8 then $4::int8 else floor end
  where id = 1 returning life
),
${raisedText(ROW_LOCK)}
select life from fence`,
};

/** Like `REMOVE_ROWS`, but waits for writers of these rows, because not every relative can skip locked rows. */
export const COMPAT_REMOVE_ROWS: Statement = {
  name: null,
  writes: true,
  features: [
    'aggregate into JSON',
    'array parameters',
    'data-modifying CTE',
    'delete using',
    'fence by a shared row lock',
    'multi-argument unnest',
  ],
  text: removeText(ROW_LOCK, ''),
};

/** Not every relative has decimal seconds, so the milliseconds computed from a double are rounded, not truncated. */
export const ROUNDED = ROW_COLUMNS.replaceAll(
  /\(extract\(epoch from (\w+)\) \* 1000\)/g,
  'round(extract(epoch from $1) * 1000)',
);

/** Like `READ`. */
export const COMPAT_READ: Statement = {
  name: 'causeway_read',
  writes: false,
  features: ['array parameters'],
  text: `select ${ROUNDED} from causeway.record where key = any($1::text[])`,
};

/** Like `pageText`: the bytes before a row are the running total including it, minus its own. */
export function compatPageText(chosen: string, order: string): string {
  return `(
  select page.*, octet_length(key) + coalesce(octet_length(value), 0) as row_bytes,
    sum(octet_length(key) + coalesce(octet_length(value), 0)) over (order by ${order}) as bytes_through
  from (
    ${chosen}
  ) as page
) as bounded where bytes_through - row_bytes < $4::int8 order by ${order}`;
}

/** Like `SCAN`. */
export const COMPAT_SCAN: Statement = {
  name: 'causeway_scan',
  writes: false,
  features: [],
  text: `select ${ROUNDED} from ${compatPageText(
    `select * from causeway.record where slot >= $1::int4 and (slot > $1::int4 or key > $2::text)
    order by slot, key limit $3::int4`,
    'slot, key',
  )}`,
};

/** Locks the row before it is changed, so that of two concurrent foundings one waits instead of failing. */
export const COMPAT_LOCK_FOUNDING: Statement = {
  name: null,
  writes: false,
  features: ['for update'],
  text: 'select life from causeway.cluster where id = 1 for update',
};

export const COMPAT_PROBE = unprepared('show transaction_read_only');

/** Sent as one statement: settings of the session, which nothing rolls back. */
export function prepareCompatSession(statementMs: number, isolation: string): Statement {
  return unprepared(`set statement_timeout = ${statementMs};
set idle_in_transaction_session_timeout = ${statementMs};
set bytea_output = 'hex';
set client_min_messages = 'warning';
set default_transaction_isolation = '${isolation}'`);
}

export const SHOW_ISOLATION = unprepared('show transaction_isolation');
export const SHOW_ENCODING = unprepared('show server_encoding');

/** The id of the CockroachDB cluster, the same on all of its nodes. Not every user may read it. */
export const READ_COCKROACH_CLUSTER = unprepared('select crdb_internal.cluster_id()::text', [
  'cockroach cluster id',
]);

/** The mode for which this database was made, and the name that it was given then. */
export const READ_COMPAT = unprepared('select mode, database_name from causeway.compat where id = 1');

/** Creates the schema for this mode. Each statement may be repeated, also concurrently. */
export const CREATE_SCHEMA = unprepared('create schema if not exists causeway');
export const CREATE_COMPAT = unprepared(`create table if not exists causeway.compat (
  id smallint primary key check (id = 1),
  mode text not null,
  database_name text not null
)`);
export const CREATE_COMPAT_MIGRATION = unprepared(`create table if not exists causeway.compat_migration (
  name text primary key,
  applied_at timestamptz not null default now()
)`);
export const NAME_COMPAT = unprepared(
  'insert into causeway.compat (id, mode, database_name) values (1, $1, $2) on conflict (id) do nothing',
  ['on conflict do nothing'],
);
export const READ_COMPAT_MIGRATIONS = unprepared('select name from causeway.compat_migration');
export const NOTE_COMPAT_MIGRATION = unprepared(
  'insert into causeway.compat_migration (name) values ($1) on conflict (name) do nothing',
  ['on conflict do nothing'],
);

/** All relations that matter here as `schema.table`, with their kind: `BASE TABLE` or `VIEW`. */
export const LIST_TABLES = unprepared(
  `select table_schema || '.' || table_name, table_type from information_schema.tables
where table_schema = 'causeway' or (table_schema = 'public' and table_name = 'kv_store')`,
  ['information schema'],
);
