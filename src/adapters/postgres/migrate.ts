/**
 * Brings the schema up to date. The numbered files are applied once each and in order, under a lock of the
 * server, so any number of nodes may start at the same moment. The directory is handed in: the bundled
 * program finds it elsewhere than the source tree does.
 */
import { runner } from 'node-pg-migrate';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Connection } from './connection.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from './record-failure.ts';
import { ask } from './server-identity.ts';
import { HAS_SCHEMA, OLDEST_HOLDER, ROLLBACK, UNLIMIT_LOCK, limitMigration } from './server-statements.ts';

/**
 * Milliseconds that a change of the schema waits for its lock: whoever asks for the table after it waits behind it, writers too.
 * Longer than the second after which the server takes a lock from autovacuum for it.
 */
const LOCK_TIMEOUT_MS_MAX = 2_000;
/** Of the time that a writer's statement is given. (A19) */
const LOCK_TIMEOUT_SHARE_MAX = 0.4;
/** For each part of the time in which it waited, writers have so many without it. */
const PAUSE_PARTS = 2;
/** Milliseconds. Building an index over a large table takes its time, but not for ever. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

/** Somebody's transaction holds what is to be changed: to be tried again after a pause. What was applied before stays. */
export class LockAwaited extends Error {
  override readonly name = 'LockAwaited';
  readonly pauseMsMin: number;

  constructor(holder: string, lockTimeoutMs: number) {
    super(`the schema is to be changed, which waits for ${holder}; writers go on meanwhile`);
    this.pauseMsMin = PAUSE_PARTS * lockTimeoutMs;
  }
}

/** `statementTimeoutMs`: of the writers that may wait behind it. The connection is of no use after a failure. */
export async function migrate(
  connection: Connection,
  directory: string,
  statementTimeoutMs: number,
  telemetry: Telemetry,
): Promise<void> {
  const client = connection.raw;
  const timer = setTimeout(() => connection.destroy(), MIGRATION_TIMEOUT_MS);
  const lockTimeoutMs = Math.min(LOCK_TIMEOUT_MS_MAX, Math.ceil(LOCK_TIMEOUT_SHARE_MAX * statementTimeoutMs));
  try {
    await client.query(limitMigration(lockTimeoutMs, MIGRATION_TIMEOUT_MS).text);
    const [hasSchema] = await ask(client, HAS_SCHEMA);
    const applied = await runner({
      dbClient: client,
      dir: directory,
      direction: 'up',
      migrationsSchema: 'causeway',
      migrationsTable: 'migration',
      createMigrationsSchema: hasSchema !== true,
      advisoryLockMode: 'wait',
      log: () => {},
    });
    for (const { name } of applied) telemetry.event('info', 'postgres.migrated', { name });
    await client.query(UNLIMIT_LOCK.text);
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new LockAwaited(await oldestHolder(client), lockTimeoutMs);
  } finally {
    clearTimeout(timer);
  }
}

async function oldestHolder(client: Connection['raw']): Promise<string> {
  await client.query(ROLLBACK.text);
  const [pid, name, seconds] = (await ask(client, OLDEST_HOLDER)) as [number?, string?, number?];
  if (pid === undefined) return 'a lock that another transaction held';
  const named = name === '' ? '' : `'${name}', `;
  return `a lock, held for up to ${seconds} s by ${named}process ${pid} of PostgreSQL`;
}
