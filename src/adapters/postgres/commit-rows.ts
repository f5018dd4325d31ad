/**
 * One batch to its end: written in one statement, and for each row that this statement did not write, what
 * stands instead. A row is never taken for committed because nothing contradicted it. (R6)
 */
import { assert } from '../../base/assert.ts';
import type { CommitResult, RecordRow } from '../../ports/system-of-record.ts';
import { packTexts } from './binary-array.ts';
import type { Connection } from './connection.ts';
import { RecordFailure } from './record-failure.ts';
import { compareKeys, packRows } from './record-rows.ts';
import { COMMIT, STANDING } from './statements.ts';

/** A row may be removed between the write that it stopped and the read that looks for it, but not for ever. */
const ROUNDS_MAX = 4;
/** Times that a statement which lost against another transaction is sent again. */
const RETRIES_MAX = 4;
const RETRY_MS_MAX = 50;

const COMMITTED: CommitResult = { kind: 'committed' };
const CONFLICT: CommitResult = { kind: 'conflict' };

export interface RowBatch {
  readonly life: number;
  readonly rows: readonly RecordRow[];
  /** The same rows in the order in which every writer locks them. */
  readonly sorted: readonly RecordRow[];
}

export function makeBatch(life: number, rows: readonly RecordRow[]): RowBatch {
  const sorted = [...rows].sort(compareKeys);
  for (let i = 1; i < sorted.length; i += 1) {
    assert(sorted[i]!.record.key !== sorted[i - 1]!.record.key, 'a key stands twice in a batch of commit');
  }
  return { life, rows, sorted };
}

export async function commitBatch(
  connection: Connection,
  batch: RowBatch,
  deadline: number,
): Promise<readonly CommitResult[]> {
  const results = new Map<string, CommitResult>();
  let pending = batch.sorted;
  for (let round = 0; pending.length > 0; round += 1) {
    if (round === ROUNDS_MAX) {
      throw new RecordFailure('unknown', `${pending.length} rows were neither written nor found`, {
        isOutage: false,
      });
    }
    pending = await writeOnce(connection, batch.life, pending, deadline, results);
    if (pending.length > 0) pending = await findOut(connection, pending, deadline, results);
  }
  return batch.rows.map((row) => results.get(row.record.key)!);
}

/** Returns the rows that were not written. */
async function writeOnce(
  connection: Connection,
  life: number,
  rows: readonly RecordRow[],
  deadline: number,
  results: Map<string, CommitResult>,
): Promise<readonly RecordRow[]> {
  const [reply] = await runRetrying(connection, [life, ...packRows(rows)], deadline);
  const [lifeInForce, count, keys] = reply as [number | null, number, string | null];
  if (lifeInForce !== life) {
    assert(count === 0, 'a statement of another life wrote rows');
    const inForce = lifeInForce === null ? 'no founding' : `life ${lifeInForce}`;
    const message = `fenced: the database holds ${inForce}, this node belongs to life ${life}`;
    throw new RecordFailure('refused', message, { fenced: true, isOutage: false });
  }
  if (count === rows.length) {
    for (const row of rows) results.set(row.record.key, COMMITTED);
    return [];
  }
  const written = new Set<string>(keys === null ? [] : (JSON.parse(keys) as string[]));
  for (const key of written) results.set(key, COMMITTED);
  return rows.filter((row) => !written.has(row.record.key));
}

/** Returns the rows that have to be written again: nothing, or something lower, stands there now. */
async function findOut(
  connection: Connection,
  rows: readonly RecordRow[],
  deadline: number,
  results: Map<string, CommitResult>,
): Promise<readonly RecordRow[]> {
  const reply = await connection.run(STANDING, [packTexts(rows.map((row) => row.record.key))], deadline);
  const standing = new Map(reply.map((fields) => [fields[0] as string, fields]));
  return rows.filter((row) => {
    const fields = standing.get(row.record.key);
    const [, version, checksum] = (fields ?? [null, -1, -1]) as [string | null, number, number];
    if (version < row.record.version) return true;
    if (version > row.record.version) results.set(row.record.key, { kind: 'higher', version });
    else results.set(row.record.key, checksum === row.checksum ? COMMITTED : CONFLICT);
    return false;
  });
}

async function runRetrying(
  connection: Connection,
  values: readonly unknown[],
  deadline: number,
): Promise<readonly unknown[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const rows = await connection.run(COMMIT, values, deadline);
      return [rows[0]!];
    } catch (error) {
      if (!(error instanceof RecordFailure) || !error.isRetryable || attempt === RETRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS_MAX));
    }
  }
}
