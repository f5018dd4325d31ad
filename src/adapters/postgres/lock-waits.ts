/**
 * A statement of a writer waits for a lock for a moment only, so that one row that somebody holds does not hold up all. PostgreSQL tells
 * that it was a row only where nobody else waits for that row; else it tells as little as of a table, which is in the way of all. So
 * the tables are asked for: they are waited for as long as a statement may take, and where they are to be had it was a row.
 */
import type { Statement } from '../../base/sql-statement.ts';
import { LOCK_TIMEOUT_MS, type Connection, type Fields } from './connection.ts';
import { packTexts } from './binary-array.ts';
import { LOCK_NOT_AVAILABLE, RecordFailure } from './record-failure.ts';
import { FIND_HELD, TAKE_TABLES } from './statements.ts';

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

/** Rejects, without waiting, where somebody holds a lock on one of these: nothing was written then. */
export async function refuseHeld(
  connection: Connection,
  keys: readonly string[],
  deadline: number,
): Promise<void> {
  const heldKeys = await findHeld(connection, keys, deadline);
  if (heldKeys.length === 0) return;
  const text = 'another transaction holds a lock on a row';
  throw new RecordFailure('refused', text, { isOutage: false, ofRows: true, heldKeys });
}

/** Of a statement that gave up waiting for the lock of a row: which rows they are, where it can be told. */
export async function withHeldKeys(
  connection: Connection,
  error: unknown,
  keys: readonly string[],
  deadline: number,
): Promise<unknown> {
  if (!(error instanceof RecordFailure) || !error.ofRows || error.sqlState !== LOCK_NOT_AVAILABLE)
    return error;
  const { message, sqlState } = error;
  try {
    const heldKeys = await findHeld(connection, keys, deadline);
    if (heldKeys.length === 0) return error;
    return new RecordFailure('unknown', message, { isOutage: false, ofRows: true, heldKeys, sqlState });
  } catch {
    return error;
  }
}

async function findHeld(
  connection: Connection,
  keys: readonly string[],
  deadline: number,
): Promise<readonly string[]> {
  const reply = await connection.run(FIND_HELD, [packTexts(keys)], deadline);
  return reply.map(([key]) => key as string);
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
