/**
 * Statements about the server itself, each sent only now and then: sessions and transactions, which server it is, and
 * what it contains.
 */
import { unprepared, type Statement } from '../../base/sql-statement.ts';

/**
 * Which product answers, and whether it compares text by bytes, as keys must be: in any natural language 'a' sorts
 * before 'B'.
 */
export const CHECK_DIALECT = unprepared(`select version(), 'a' > 'B'`, ['version function']);

/**
 * Isolation: at any other level the snapshot of a statement is older than the lock that it waits for, and what waited
 * for a founding would not see it. (R27) Row security: with it off, a policy that applies is an error. With it on,
 * rows that a policy hides would look as if they were absent. Name and encoding: a session that is made as good as new
 * behind a pooler has lost those with which it was begun.
 */
export const PREPARE_SESSION = unprepared(
  `select
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('row_security', 'off', false),
  set_config('statement_timeout', $1, false),
  set_config('idle_in_transaction_session_timeout', $1, false),
  set_config('bytea_output', 'hex', false),
  set_config('client_min_messages', 'warning', false),
  set_config('lock_timeout', $2, false),
  set_config('application_name', $3, false),
  set_config('client_encoding', 'UTF8', false)`,
  ['lock_timeout', 'session settings'],
);

export const CHECK_SERVER = unprepared(
  `select pg_is_in_recovery(), current_setting('transaction_read_only'),
  current_setting('synchronous_commit'), current_setting('server_encoding'),
  current_setting('server_version_num')::int4`,
  ['pg_is_in_recovery', 'server settings'],
);

export const READ_PROCESS = unprepared('select pg_backend_pid()');

export const DISCARD_ALL = unprepared('discard all', ['session settings']);

export const READ_SYSTEM = unprepared('select system_identifier::text from pg_control_system()', [
  'pg_control_system',
]);

/** The name of the current WAL file begins with the timeline, in eight hexadecimal digits. */
export const READ_WAL_FILE = unprepared('select pg_walfile_name(pg_current_wal_lsn())', ['WAL functions']);

export const BEGIN = unprepared('begin');
export const ROLLBACK = unprepared('rollback');
export const COMMIT_TRANSACTION = unprepared('commit', [], true);

export function limitTransaction(statementMs: number): Statement {
  return unprepared(`set local statement_timeout = ${statementMs}`);
}

export function limitLockInTransaction(lockMs: number): Statement {
  return unprepared(`set local lock_timeout = ${lockMs}`, ['lock_timeout']);
}

export function limitStatements(statementMs: number): Statement {
  return unprepared(`set statement_timeout = ${statementMs}`);
}

export function limitIdleTransactions(idleMs: number): Statement {
  return unprepared(`set idle_in_transaction_session_timeout = ${idleMs}`);
}

/** A user without the right to create schemas is refused even if the schema exists, so this is checked first. */
export const HAS_SCHEMA = unprepared(`select to_regnamespace('causeway') is not null`, ['system catalogue']);

/** Two statements in one, because a library with locks and tables of its own runs the migrations. */
export function limitMigration(lockMs: number, statementMs: number): Statement {
  return unprepared(`set lock_timeout = ${lockMs}; set statement_timeout = ${statementMs}`, ['lock_timeout']);
}

/** The transaction that has held something of ours for longest: its process, application name, and seconds. */
export const OLDEST_HOLDER = unprepared(
  `select a.pid, coalesce(a.application_name, ''), coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int4
  from pg_locks l join pg_stat_activity a on a.pid = l.pid
  where l.granted and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.locktype = 'advisory' or l.relation in (
      select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'causeway'))
  order by a.xact_start nulls last limit 1`,
  ['pg_stat views', 'system catalogue'],
);

export const UNLIMIT_LOCK = unprepared('set lock_timeout = 0', ['lock_timeout']);

/**
 * Returns those of the given server processes that are still at a statement of this node, and ends those of them that
 * have been for so many milliseconds: no statement of a node may live that long. One with little time left when it was
 * sent is given up sooner, and has to be looked at again. A process of somebody else that was given the same number
 * meanwhile is left alone.
 */
export const END_OVERDUE = unprepared(
  `select pid, case when clock_timestamp() - query_start >= $2::float8 * interval '1 millisecond'
    then pg_terminate_backend(pid) end
  from pg_stat_activity where pid = any($1::int4[]) and usename = current_user and state = 'active'
    and datname = current_database() and application_name = current_setting('application_name')`,
  ['array parameters', 'pg_stat views', 'server settings'],
);

/** `kv_store` only as a table; as a view it is ours. */
export const SURVEY_TABLES = unprepared(
  `select to_regclass('causeway.record') is not null,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relname = 'kv_store' and c.relkind in ('r', 'p'))`,
  ['empty select list', 'system catalogue'],
);

export const HAS_RECORDS = unprepared('select exists (select 1 from causeway.record)');
export const HAS_ROWS_OF_FIRST_SYSTEM = unprepared('select exists (select 1 from public.kv_store)');

export const COUNT_RECORDS = unprepared(
  `select count(*), coalesce(round(extract(epoch from max(updated_at) filter (where isfinite(updated_at))) * 1000)::bigint, 0) from causeway.record`,
);

/** Whether the tables were made by a node of another mode (`postgres.compat`). */
export const HAS_COMPAT = unprepared(`select to_regclass('causeway.compat') is not null`, [
  'system catalogue',
]);

/** Whether Citus is installed and lists its tables. */
export const HAS_CITUS = unprepared(`select to_regclass('citus_tables') is not null`, ['system catalogue']);

/** Our tables that Citus has distributed, or copied to its workers. */
export const LIST_SPREAD = unprepared(
  `select n.nspname || '.' || c.relname from citus_tables t
    join pg_class c on c.oid = t.table_name join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'causeway' and t.citus_table_type <> 'local'`,
  ['list of Citus', 'system catalogue'],
);
