/**
 * Takes over the table of the first system. `kv_store` becomes a view of what Causeway holds. If a table of that name
 * exists, its rows are imported first, and the table is kept under another name. The import runs in chunks that are
 * committed one by one, so that an interrupted start continues where it stopped. The rename and a final comparison
 * happen in one transaction with the table locked, so that nothing written in the meantime is left behind.
 */
import { assert } from '../../base/assert.ts';
import type { Statement } from '../../base/sql-statement.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import {
  KEY_BYTES_MAX,
  RECORD_BATCH_BYTES_MAX,
  RECORD_BATCH_ROWS_MAX,
  VALUE_BYTES_MAX,
} from '../../core/limits.ts';
import { EMPTY_VALUE, ORIGIN_OUTSIDE, type KeyRecord } from '../../core/record.ts';
import type { RecordRow } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import {
  CLOSE_ROWS,
  COLUMNS,
  COMMIT_IMPORT,
  CREATE_VIEW,
  FIND_BACKUP,
  IMPORT,
  IMPORTED_VERSION,
  LARGEST_VALUE,
  LOCK_TABLE,
  OFFENDERS,
  OPEN_MISSING_OR_CHANGED_ROWS,
  OPEN_MISSING_ROWS,
  RELATION,
  RENAME_TABLE,
  TAKE_LOCK,
  fetchRows,
} from './adoption-statements.ts';
import type { Connection, Fields } from './connection.ts';
import { LockAwaited } from './migrate.ts';
import { LOCK_NOT_AVAILABLE, SetupError, sqlStateOf } from './record-failure.ts';
import { compareKeys, packRows } from './record-rows.ts';
import {
  BEGIN,
  limitIdleTransactions,
  limitLockInTransaction,
  limitStatements,
} from './server-statements.ts';

/** Milliseconds. A statement of the adoption may have to read the whole table. */
const STEP_TIMEOUT_MS = 600_000;
/** Milliseconds. Waiting for the table lock blocks the first system, so rather give up and try again. */
const TABLE_LOCK_TIMEOUT_MS = 5_000;
/** Milliseconds between checks whether another node has finished. */
const LOCK_POLL_MS = 200;
const LOCK_OF_FIRST_SYSTEM =
  'another transaction that holds a lock on public.kv_store, the table of the first system (end it: pg_blocking_pids and pg_stat_activity tell whose it is)';
const EXPECTED_SHAPE =
  'expected is the table of the first system: key (text or varchar), value (bytea), created_at (timestamp or ' +
  'timestamptz). Rename or move what stands there, then start again';

export interface Adoption {
  /** Holds the lock, reads the table and does the last step. Must be closed afterwards, whatever happened. */
  readonly reader: Connection;
  /** Commits the chunks while `reader` has its cursor open. */
  readonly writer: Connection;
  readonly slotOf: (key: string) => number;
  readonly telemetry: Telemetry;
  /** Until when to wait for another node's adoption, as a time of performance.now(). */
  readonly deadline: number;
}

export async function adopt(adoption: Adoption): Promise<void> {
  if (await isViewInPlace(adoption.reader)) return;
  for (const connection of [adoption.reader, adoption.writer]) {
    await ask(connection, limitStatements(STEP_TIMEOUT_MS));
    await ask(connection, limitIdleTransactions(STEP_TIMEOUT_MS));
  }
  await takeLock(adoption);
  if (await isViewInPlace(adoption.reader)) return;
  if (await isTableThere(adoption.reader)) await adoptTable(adoption);
  else await ask(adoption.reader, CREATE_VIEW);
}

/** The lock is held until the caller closes the connection. */
async function takeLock({ reader, deadline }: Adoption): Promise<void> {
  for (;;) {
    const [row] = await ask(reader, TAKE_LOCK);
    if (row![0] === true) return;
    if (performance.now() > deadline) throw new Error('another node is still adopting the table kv_store');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function adoptTable(adoption: Adoption): Promise<void> {
  const { reader, writer, telemetry } = adoption;
  const chunkRows = await inspectTable(reader);
  telemetry.event('info', 'postgres.adoption.begun', { chunkRows });
  await ask(reader, BEGIN);
  const importedFirst = await importRows(adoption, writer, OPEN_MISSING_ROWS, chunkRows);
  await ask(reader, COMMIT_IMPORT);

  await ask(reader, BEGIN);
  await ask(reader, limitLockInTransaction(TABLE_LOCK_TIMEOUT_MS));
  await lockTable(reader);
  const importedLast = await importRows(adoption, reader, OPEN_MISSING_OR_CHANGED_ROWS, chunkRows);
  await ask(reader, RENAME_TABLE);
  await ask(reader, CREATE_VIEW);
  await ask(reader, COMMIT_IMPORT);
  telemetry.event('info', 'postgres.adoption.done', { rowCount: importedFirst + importedLast });
}

/** The blocker may not be one of ours, so the error names the table and says that waiting loses nothing. */
async function lockTable(reader: Connection): Promise<void> {
  try {
    await ask(reader, LOCK_TABLE);
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new LockAwaited(LOCK_OF_FIRST_SYSTEM, TABLE_LOCK_TIMEOUT_MS);
  }
}

/** Returns the number of rows per chunk. Changes nothing; throws if the table does not fit. */
async function inspectTable(reader: Connection): Promise<number> {
  const columns = new Map((await ask(reader, COLUMNS)).map((row) => [row[0] as string, row[1] as string]));
  const fits =
    ['text', 'character varying'].includes(columns.get('key') ?? '') &&
    columns.get('value') === 'bytea' &&
    (columns.get('created_at') ?? '').startsWith('timestamp');
  if (!fits) {
    const found = [...columns].map(([name, type]) => `${name} ${type}`).join(', ');
    throw new SetupError(
      `public.kv_store cannot be adopted: it has the columns (${found}); ${EXPECTED_SHAPE}`,
    );
  }
  const [backup] = await ask(reader, FIND_BACKUP);
  if (backup![0] === true) {
    throw new SetupError(
      'public.kv_store cannot be adopted: a table kv_store_before_causeway already stands, under which it would be kept',
    );
  }
  const offenders = await ask(reader, OFFENDERS);
  if (offenders.length > 0)
    throw offence(offenders.map((row) => [row[0] as string | null, row[1] as string]));
  const [largest] = await ask(reader, LARGEST_VALUE);
  const rowsOfLargest = Math.floor(RECORD_BATCH_BYTES_MAX / Math.max(1, largest![0] as number));
  return Math.min(RECORD_BATCH_ROWS_MAX, Math.max(1, rowsOfLargest));
}

async function importRows(
  adoption: Adoption,
  writer: Connection,
  selection: Statement,
  chunkRows: number,
): Promise<number> {
  const { reader } = adoption;
  let count = 0;
  await ask(reader, selection);
  for (;;) {
    const chunk = await ask(reader, fetchRows(chunkRows));
    if (chunk.length === 0) break;
    const rows = chunk.map((fields) => importedRow(fields, adoption.slotOf)).sort(compareKeys);
    await ask(writer, IMPORT, packRows(rows));
    count += rows.length;
  }
  await ask(reader, CLOSE_ROWS);
  return count;
}

function importedRow(fields: Fields, slotOf: (key: string) => number): RecordRow {
  const [key, value, createdMs, fault] = fields as [string | null, Uint8Array | null, number, string | null];
  if (fault !== null || key === null) throw offence([[key, fault ?? 'no key']]);
  const record: KeyRecord = {
    key,
    version: IMPORTED_VERSION,
    origin: ORIGIN_OUTSIDE,
    tombstone: false,
    value: value ?? EMPTY_VALUE,
    createdAt: createdMs,
    updatedAt: createdMs,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  };
  return { record, slot: slotOf(key), checksum: sealRecord(record).checksum };
}

function offence(offenders: readonly (readonly [string | null, string])[]): SetupError {
  const list = offenders
    .map(([key, fault]) => `${JSON.stringify(key?.slice(0, 60) ?? null)} (${fault})`)
    .join(', ');
  return new SetupError(
    `public.kv_store cannot be adopted and was left as it is: some of its rows break the limits, for example ${list}. ` +
      `Keys have 1 to ${KEY_BYTES_MAX} bytes and stand once, values have at most ${VALUE_BYTES_MAX} bytes. ` +
      'Correct or remove these rows, then start again',
  );
}

async function isViewInPlace(connection: Connection): Promise<boolean> {
  const [row] = await ask(connection, RELATION);
  if (row === undefined || row[0] !== 'v') return false;
  if (row[1] === true) return true;
  throw new SetupError(`public.kv_store is a view of something else; ${EXPECTED_SHAPE}`);
}

async function isTableThere(connection: Connection): Promise<boolean> {
  const [row] = await ask(connection, RELATION);
  if (row === undefined) return false;
  if (row[0] === 'r' || row[0] === 'p') return true;
  throw new SetupError(`public.kv_store is neither a table nor a view; ${EXPECTED_SHAPE}`);
}

function ask(
  connection: Connection,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<readonly Fields[]> {
  return connection.run(statement, values, performance.now() + STEP_TIMEOUT_MS);
}

assert(VALUE_BYTES_MAX <= RECORD_BATCH_BYTES_MAX, 'a chunk must hold the largest value');
