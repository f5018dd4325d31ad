/**
 * A statement of the SQL catalogue, and the features it needs beyond those of every database that speaks SQL: the list
 * from which `docs/SCALE.md` tells what a relative of PostgreSQL lacks. All SQL is in files named `*statements.ts` and
 * in `sql/migrations`, marked with the features it uses; `test/statements.test.ts` checks both.
 */

export type SqlFeature =
  | 'advisory lock'
  | 'aggregate into JSON'
  | 'array parameters'
  | 'bytea'
  | 'cockroach cluster id'
  | 'collation C'
  | 'cursor'
  | 'data-modifying CTE'
  | 'delete using'
  | 'empty select list'
  | 'fence by a shared row lock'
  | 'fence by the lock of a writer'
  | 'for update'
  | 'for update skip locked'
  | 'functions and triggers'
  | 'generate_series'
  | 'information schema'
  | 'list of Citus'
  | 'lock table'
  | 'lock_timeout'
  | 'multi-argument unnest'
  | 'on conflict do nothing'
  | 'on conflict do update where'
  | 'pg_control_system'
  | 'pg_is_in_recovery'
  | 'pg_logical_emit_message'
  | 'pg_stat views'
  | 'privilege functions'
  | 'row comparison'
  | 'server settings'
  | 'session settings'
  | 'storage parameters'
  | 'subquery in an insert'
  | 'system catalogue'
  | 'table changed twice'
  | 'version function'
  | 'view'
  | 'WAL functions'
  | 'window frame';

export interface Statement {
  /** Null for a statement that is sent unprepared, because it runs only once in a while. */
  readonly name: string | null;
  readonly text: string;
  /** The statement changes data: a warning that comes with its reply makes its outcome unknown. */
  readonly writes: boolean;
  readonly features: readonly SqlFeature[];
}

/** For statements that run once in a while. */
export function unprepared(text: string, features: readonly SqlFeature[] = [], writes = false): Statement {
  return { name: null, text, writes, features };
}
