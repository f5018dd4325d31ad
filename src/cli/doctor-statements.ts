/** What `causeway doctor` asks of a PostgreSQL; it only reads, and writes no row. */
import { unprepared } from '../base/sql-statement.ts';

/** Asks the catalogue, because to_regclass raises an error for users without access to the schema. */
function hasTable(name: string): string {
  return `exists (select 1 from pg_class where relnamespace = to_regnamespace('causeway') and relname = '${name}')`;
}

export const ASK = unprepared(
  `select
  current_setting('server_version_num')::int as version,
  pg_backend_pid() as process,
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
  ${hasTable('record')} as has_record,
  to_regclass('public.kv_store') is not null as has_table,
  to_regclass('citus_tables') is not null as has_citus,
  has_database_privilege(current_database(), 'CREATE') as may_create,
  coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false) as may_create_public`,
  ['pg_is_in_recovery', 'pg_stat views', 'privilege functions', 'server settings', 'system catalogue'],
);

export const ASK_PROCESS = unprepared('select pg_backend_pid() as process');
export const BEGIN = unprepared('begin');
export const ROLLBACK = unprepared('rollback');

export const ASK_SCHEMA = unprepared(
  // One call per privilege: in a single list, any one of them would be enough.
  `select has_schema_privilege('causeway', 'USAGE') as may_use, has_schema_privilege('causeway', 'CREATE') as may_make,
  ${hasTable('outside_edit')} as has_all`,
  ['privilege functions', 'system catalogue'],
);
/**
 * The owners, of whose roles this user is not a member, of what migrations change: only an owner may alter a table or
 * replace a function.
 */
export const ASK_OWNERS = unprepared(
  `select current_user::text as self, array(
    select distinct pg_get_userbyid(owner)::text from (
      select relowner as owner from pg_class where relnamespace = to_regnamespace('causeway') and relkind in ('r', 'v')
      union all select proowner from pg_proc where pronamespace = to_regnamespace('causeway')
    ) made where not pg_has_role(owner, 'USAGE') order by 1) as others`,
  ['privilege functions', 'system catalogue'],
);
export const ASK_RECORD = unprepared(
  `select has_table_privilege('causeway.record', 'SELECT') and has_table_privilege('causeway.record', 'INSERT')
  and has_table_privilege('causeway.record', 'UPDATE') and has_table_privilege('causeway.record', 'DELETE') as may_write`,
  ['privilege functions'],
);

/** The enabled triggers that note changes by hand. */
export const ASK_BY_HAND = unprepared(
  `select
  to_regclass('causeway.outside_edit') is not null as has_notes,
  has_table_privilege(to_regclass('causeway.outside_edit')::oid, 'SELECT') as may_read,
  coalesce(current_setting('causeway.unwatched', true), '') as unwatched,
  (select coalesce(string_agg(tgname::text, ' ' order by tgname), '') from pg_trigger
    where tgrelid = to_regclass('causeway.record') and not tgisinternal and tgenabled in ('O', 'A')) as triggers`,
  ['privilege functions', 'server settings', 'system catalogue'],
);
/** What somebody may have added to the table of rows, or taken from it. */
export const ASK_ADDED = unprepared(
  `select
  exists (select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'key'
    where i.indrelid = t.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
      and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) as has_key,
  array(select rulename::text from pg_rules where schemaname = 'causeway' and tablename = 'record' order by 1) as rules,
  t.relrowsecurity as has_row_security,
  array(select i.indexrelid::regclass::text from pg_index i where i.indrelid = t.oid and (i.indexprs is not null
    or exists (select 1 from pg_attribute a where a.attrelid = t.oid and a.attnum = any(i.indkey)
      and a.attname not in ('key', 'slot'))) order by 1) as indexes
from pg_class t where t.oid = to_regclass('causeway.record')`,
  ['system catalogue'],
);
/** Up to a limited number, because this is only a check. */
export const ASK_NOTES = unprepared(
  `select count(*)::int as waiting,
  coalesce(extract(epoch from clock_timestamp()) * 1000 - min(noted_ms), 0)::float8 as oldest_ms
from (select noted_ms from causeway.outside_edit order by id limit 10000) first_ones`,
);

/** Our tables that Citus has distributed, or copied to its workers. */
export const ASK_SPREAD = unprepared(
  `select n.nspname || '.' || c.relname as name from citus_tables t
    join pg_class c on c.oid = t.table_name join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'causeway' and t.citus_table_type <> 'local'`,
  ['list of Citus', 'system catalogue'],
);

export const ASK_CLOCK = unprepared('select extract(epoch from clock_timestamp())::float8 * 1000 as now');

/** A message in the WAL is committed, and so synced, like a row. */
export const EMIT_MESSAGE = unprepared("select pg_logical_emit_message(true, 'causeway doctor', '')", [
  'pg_logical_emit_message',
]);

/** Which product answers, and whether it orders text by bytes. */
export const ASK_DIALECT = unprepared(`select version() as version, 'a' > 'B' as orders_by_bytes`, [
  'version function',
]);

/** For a relative of PostgreSQL (`postgres.compat`): sets what a node sets, and reads back what took effect. */
export const SET_SERIALIZABLE = unprepared(`set default_transaction_isolation = 'serializable'`);
export const SHOW_ISOLATION = unprepared('show transaction_isolation');
export const SHOW_READ_ONLY = unprepared('show transaction_read_only');
export const SHOW_ENCODING = unprepared('show server_encoding');
export const ASK_MODE = unprepared('select mode from causeway.compat where id = 1');
