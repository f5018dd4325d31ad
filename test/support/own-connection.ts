/** Connections to PostgreSQL as a node opens them, for tests that need one apart from a record's own. */
import { onTestFinished } from 'vitest';
import { commitBatch, makeBatch } from '../../src/adapters/postgres/commit-rows.ts';
import { Connection } from '../../src/adapters/postgres/connection.ts';
import type { CommitResult, RecordRow } from '../../src/ports/system-of-record.ts';
import { runOnce } from './postgres.ts';
import { until } from './supervisor-program.ts';

const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 5_000;
const PATIENCE_MS = 20_000;

export function openConnection(
  connectionString: string,
  statementTimeoutMs = STATEMENT_MS_MAX,
): Promise<Connection> {
  const limits = { statementTimeoutMs, connectTimeoutMs: CONNECT_MS_MAX };
  const told = { connectionString, applicationName: 'test', compat: 'none', isReader: false } as const;
  return Connection.open({ ...told, ...limits });
}

/** Writes like a node, over a connection that waits for locks as long as it takes, because a busy machine may be slow. */
export async function patientWriter(
  connectionString: string,
): Promise<(row: RecordRow) => Promise<readonly CommitResult[]>> {
  const connection = await openConnection(connectionString, PATIENCE_MS);
  onTestFinished(() => connection.destroy());
  return (row) => commitBatch(connection, makeBatch(1, [row]), performance.now() + PATIENCE_MS);
}

/** Until so many statements in the database wait for locks. */
export async function untilWaiting(connectionString: string, count: number): Promise<void> {
  const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await until(
    `${count} statements wait`,
    async () => ((await runOnce(connectionString, text)).rowCount ?? 0) >= count,
  );
}
