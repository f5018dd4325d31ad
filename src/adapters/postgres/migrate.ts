/**
 * Brings the schema up to date. The numbered files are applied once each and in order, under a lock of the
 * server, so any number of nodes may start at the same moment. The directory is handed in: the bundled
 * program finds it elsewhere than the source tree does.
 */
import { runner } from 'node-pg-migrate';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Connection } from './connection.ts';
import { UNLIMIT_LOCK, limitMigration } from './server-statements.ts';

/** Milliseconds. A change of the schema waits this long for its lock, then gives way to the writers. (A19) */
const LOCK_TIMEOUT_MS = 10_000;
/** Milliseconds. Building an index over a large table takes its time, but not for ever. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

export async function migrate(
  connection: Connection,
  directory: string,
  telemetry: Telemetry,
): Promise<void> {
  const client = connection.raw;
  const timer = setTimeout(() => connection.destroy(), MIGRATION_TIMEOUT_MS);
  try {
    await client.query(limitMigration(LOCK_TIMEOUT_MS, MIGRATION_TIMEOUT_MS).text);
    const applied = await runner({
      dbClient: client,
      dir: directory,
      direction: 'up',
      migrationsSchema: 'causeway',
      migrationsTable: 'migration',
      createMigrationsSchema: true,
      advisoryLockMode: 'wait',
      log: () => {},
    });
    for (const { name } of applied) telemetry.event('info', 'postgres.migrated', { name });
    await client.query(UNLIMIT_LOCK.text);
  } finally {
    clearTimeout(timer);
  }
}
