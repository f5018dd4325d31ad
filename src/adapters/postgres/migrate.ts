/**
 * Brings the schema up to date. The numbered files are applied once each, in order, under a server-side lock, so any
 * number of nodes may start at the same moment. The directory is a parameter, because it differs between the bundled
 * program and the source tree.
 */
import { runner } from 'node-pg-migrate';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Connection } from './connection.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from './record-failure.ts';
import { ask } from './server-identity.ts';
import { HAS_SCHEMA, OLDEST_HOLDER, ROLLBACK, UNLIMIT_LOCK, limitMigration } from './server-statements.ts';

/**
 * How long (ms) a schema change waits for its lock. Everyone who needs the table after it queues behind it, including
 * writers. Longer than the second after which the server cancels autovacuum for it.
 */
const LOCK_TIMEOUT_MS_MAX = 2_000;
/** The wait as a share of a writer's statement timeout. (A19) */
const LOCK_TIMEOUT_SHARE_MAX = 0.4;
/** The pause before the next attempt, during which writers run freely, as a multiple of the wait. */
const PAUSE_PARTS = 2;
/** Milliseconds. Building an index over a large table takes long, but not for ever. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

/** A transaction holds a lock on what must change: retry after a pause. Earlier migrations stay applied. */
export class LockAwaited extends Error {
  override readonly name = 'LockAwaited';
  readonly pauseMsMin: number;

  constructor(holder: string, lockTimeoutMs: number) {
    super(`the schema is to be changed, which waits for ${holder}; writers go on meanwhile`);
    this.pauseMsMin = PAUSE_PARTS * lockTimeoutMs;
  }
}

/**
 * `statementTimeoutMs` is that of the writers that may queue behind a migration. After a failure the connection is
 * unusable.
 */
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
