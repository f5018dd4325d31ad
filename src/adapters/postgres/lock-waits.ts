/**
 * A statement of a writer waits for a lock for a moment only, so that one row that somebody holds does not hold up all. PostgreSQL tells
 * that it was a row only where nobody else waits for that row; else it tells as little as of a table, which is in the way of all. So
 * the tables are asked for: they are waited for as long as a statement may take, and where they are to be had it was a row.
 */
import type { Statement } from '../../base/sql-statement.ts';
import { LOCK_TIMEOUT_MS, type Connection, type Fields } from './connection.ts';
import { LOCK_NOT_AVAILABLE, RecordFailure } from './record-failure.ts';
import { TAKE_TABLES } from './statements.ts';

/** As the connection's `run`, of a statement that locks rows. */
export async function runLocking(
  connection: Connection,
  statement: Statement,
  values: readonly unknown[],
  deadline: number,
): Promise<readonly Fields[]> {
  try {
    return await connection.run(statement, values, deadline);
  } catch (error) {
    if (!isUntold(error)) throw error;
    await takeTables(connection, deadline);
    const { message, sqlState } = error;
    throw new RecordFailure('unknown', message, { isOutage: false, ofRows: true, sqlState });
  }
}

async function takeTables(connection: Connection, deadline: number): Promise<void> {
  for (;;) {
    const giveUpAt = performance.now() + 2 * LOCK_TIMEOUT_MS;
    try {
      await connection.run(TAKE_TABLES, [], giveUpAt);
      return;
    } catch (error) {
      if (!isUntold(error) || performance.now() + 2 * LOCK_TIMEOUT_MS > deadline) throw error;
    }
  }
}

function isUntold(error: unknown): error is RecordFailure & { readonly sqlState: string } {
  return error instanceof RecordFailure && error.sqlState === LOCK_NOT_AVAILABLE && !error.ofRows;
}
