/**
 * Statements for the relatives of PostgreSQL that spread their rows (`postgres.compat`), in place of those that need what
 * one of them lacks or does otherwise. `record-sql.ts` tells which stands for which.
 *
 * There is no table lock to be had: the fence is the row of `causeway.cluster`. Every writing statement reads it `for share`
 * under serializable isolation, and goes by nothing else of it than what it then says; a founding changes it, and reads
 * the highest version in a transaction of its own, begun afterwards. So either of the two alone holds: the lock, which a founding
 * waits for, and the isolation, which lets no statement commit that read the row as it was before. (R27)
 */
import { unprepared, type SqlFeature, type Statement } from '../../base/sql-statement.ts';
import { COLUMNS, COLUMNS_UNNESTED, COLUMNS_UNNESTED_PAST, IF_HIGHER, ROW_COLUMNS } from './statements.ts';

export const COMPAT_FENCE = `with fence as (select life, floor from causeway.cluster where id = 1 for share)`;
export const COMPAT_IN_LIFE = `exists (select 1 from fence where life = $1)`;

function commitText(arrays: string, columns: string, past: string): string {
  return `${COMPAT_FENCE},
written as (
  insert into causeway.record as r (${COLUMNS})
  select ${COLUMNS} from unnest(${arrays}) as t(${columns})
  where ${COMPAT_IN_LIFE} and (
    ${past} > (select floor from fence)
    or ${past} > coalesce((select f.version from causeway.slot_floor f where f.slot = t.slot), -1)
  )
  ${IF_HIGHER}
  returning r.key
)
select (select life from fence), count(*),
  case when count(*) < array_length($2::text[], 1) then array_to_json(array_agg(key)) end
from written`;
}

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

/** As `COMMIT`. */
export const COMPAT_COMMIT: Statement = {
  name: 'causeway_commit',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(COLUMNS_UNNESTED, COLUMNS, 't.version'),
};

/** As `COMMIT_PAST`. */
export const COMPAT_COMMIT_PAST: Statement = {
  name: 'causeway_commit_past',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(COLUMNS_UNNESTED_PAST, `${COLUMNS}, past`, 'greatest(t.version, t.past)'),
};

/** As `RAISE_FLOORS`. The row that fences is changed by it, so that this needs no lock beside; no table is changed twice. */
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
raised as (
  insert into causeway.slot_floor as f (slot, version, raised_at, turn)
  select t.slot, t.version, clock_timestamp(), t.turn + 1
  from unnest($2::int4[], $3::int8[], $5::int8[]) as t(slot, version, turn)
  where ${COMPAT_IN_LIFE}
  on conflict (slot) do update set
    version = greatest(f.version, excluded.version),
    raised_at = case when f.version < excluded.version then excluded.raised_at else f.raised_at end,
    turn = excluded.turn
  where f.turn = excluded.turn - 1
  returning f.slot
)
select life from fence`,
};

/** As `REMOVE_ROWS`, but that it waits for who is writing one of the rows: rows that are locked cannot be left out everywhere. */
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
  text: `${COMPAT_FENCE},
doomed as (
  select r.key, r.version from unnest($2::text[], $3::int8[], $4::bool[]) as t(key, version, deleted)
  join causeway.record r on r.key = t.key and r.version = t.version and r.deleted = t.deleted
  join causeway.slot_floor f on f.slot = r.slot and f.version >= r.version
    and f.raised_at <= clock_timestamp() - $5::int4 * interval '1 millisecond'
  where ${COMPAT_IN_LIFE}
),
removed as (
  delete from causeway.record as r using doomed as d where r.key = d.key and r.version = d.version returning r.key
)
select (select life from fence), array_to_json(array_agg(key)) from removed`,
};

/** Seconds of a moment are no decimal everywhere: what a double makes of milliseconds is rounded, not cut off. */
export const ROUNDED = ROW_COLUMNS.replaceAll(
  /\(extract\(epoch from (\w+)\) \* 1000\)/g,
  'round(extract(epoch from $1) * 1000)',
);

/** As `READ`. */
export const COMPAT_READ: Statement = {
  name: 'causeway_read',
  writes: false,
  features: ['array parameters'],
  text: `select ${ROUNDED} from causeway.record where key = any($1::text[])`,
};

/** As `pageText`: what stands before a row is what stands up to it, less the row. */
export function compatPageText(chosen: string, order: string): string {
  return `(
  select page.*, octet_length(key) + coalesce(octet_length(value), 0) as row_bytes,
    sum(octet_length(key) + coalesce(octet_length(value), 0)) over (order by ${order}) as bytes_through
  from (
    ${chosen}
  ) as page
) as bounded where bytes_through - row_bytes < $4::int8 order by ${order}`;
}

/** As `SCAN`. */
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

/** Taken before the row is changed, so that two foundings at once wait rather than fail. */
export const COMPAT_LOCK_FOUNDING: Statement = {
  name: null,
  writes: false,
  features: ['for update'],
  text: 'select life from causeway.cluster where id = 1 for update',
};

export const COMPAT_PROBE = unprepared('show transaction_read_only');

/** Sent as one: settings of the session, none of which takes anything back. */
export function prepareCompatSession(statementMs: number, isolation: string): Statement {
  return unprepared(`set statement_timeout = ${statementMs};
set idle_in_transaction_session_timeout = ${statementMs};
set bytea_output = 'hex';
set client_min_messages = 'warning';
set default_transaction_isolation = '${isolation}'`);
}

export const SHOW_ISOLATION = unprepared('show transaction_isolation');
export const SHOW_ENCODING = unprepared('show server_encoding');

/** The cluster of CockroachDB, whichever of its nodes is asked. It may not be told to every user. */
export const READ_COCKROACH_CLUSTER = unprepared('select crdb_internal.cluster_id()::text', [
  'cockroach cluster id',
]);

/** For which mode this database was made, and what it was then named. */
export const READ_COMPAT = unprepared('select mode, database_name from causeway.compat where id = 1');

/** What makes a database of this mode. Each may be sent again, and by many at once. */
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

/** `schema.table` of all that matters here, and what it is: `BASE TABLE` or `VIEW`. */
export const LIST_TABLES = unprepared(
  `select table_schema || '.' || table_name, table_type from information_schema.tables
where table_schema = 'causeway' or (table_schema = 'public' and table_name = 'kv_store')`,
  ['information schema'],
);
