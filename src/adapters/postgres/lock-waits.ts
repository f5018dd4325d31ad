/**
 * A writer's statement waits only briefly for a lock, so that one row locked by somebody does not block everything.
 * PostgreSQL says which row it was only if nobody else waits for the same row; otherwise the error looks the same as
 * for a table lock, which blocks everybody. So the tables are tried next, for as long as a statement may take: if their
 * locks can be had, it was a row.
 */
import type { Statement } from '../../base/sql-statement.ts';
import { LOCK_TIMEOUT_MS, type Connection, type Fields } from './connection.ts';
import { packTexts } from './binary-array.ts';
import { LOCK_NOT_AVAILABLE, RecordFailure } from './record-failure.ts';
import { FIND_HELD, TAKE_TABLES } from './statements.ts';

/** Like the connection's `run`, for a statement that locks rows. */
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

/** Rejects, without waiting, if somebody holds a lock on one of these rows; nothing was written then. */
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

/**
 * Adds the keys of the locked rows, where they can be found, to the error of a statement that gave up waiting for a row
 * lock.
 */
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
