/**
 * Commits one batch: writes it in one statement, and finds out, for each row that this statement did not write, what
 * stands instead. A row is never taken for committed just because nothing contradicted it. (R6)
 */
import { assert } from '../../base/assert.ts';
import type { Statement } from '../../base/sql-statement.ts';
import type { CommitResult, RecordRow } from '../../ports/system-of-record.ts';
import { isAsGoodAsAbsent, isKeptOut, versionOfFloor } from '../../core/system-of-record/record-floors.ts';
import { VERSION_NONE, counterOf } from '../../core/version.ts';
import { packInt4s, packInt8s, packTexts } from './binary-array.ts';
import type { Connection } from './connection.ts';
import { refuseHeld, runLocking, withHeldKeys } from './lock-waits.ts';
import { NOT_DURABLE, RecordFailure } from './record-failure.ts';
import { compareKeys, packRows } from './record-rows.ts';
import { STANDING } from './statements.ts';

/** A row may be removed between the write that it stopped and the read that looks for it, but not for ever. */
const ROUNDS_MAX = 4;
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
  const suspects = pending.filter(({ wasHeld }) => wasHeld === true).map(keyOf);
  if (suspects.length > 0) await refuseHeld(connection, suspects, deadline);
  for (let round = 0; pending.length > 0; round += 1) {
    if (round === ROUNDS_MAX) {
      const hint = 'does a trigger or a rule of causeway.record keep them out?';
      throw new RecordFailure('unknown', `${pending.length} rows were neither written nor found: ${hint}`, {
        isOutage: false,
        ofRows: true,
      });
    }
    let written: ReadonlySet<string> | 'all';
    try {
      written = await writeOnce(connection, batch.life, pending, deadline);
    } catch (error) {
      throw await withHeldKeys(connection, error, pending.map(keyOf), deadline);
    }
    // The usual case: by the server's own count, every row was written.
    if (written === 'all' && round === 0) return batch.rows.map(() => COMMITTED);
    const left: RecordRow[] = [];
    for (const row of pending) {
      if (written === 'all' || written.has(row.record.key)) results.set(row.record.key, COMMITTED);
      else left.push(row);
    }
    pending = left.length === 0 ? left : await findOut(connection, left, deadline, results);
  }
  return batch.rows.map((row) => results.get(row.record.key)!);
}

function keyOf({ record }: RecordRow): string {
  return record.key;
}

/** Returns the keys of the rows that were written. */
async function writeOnce(
  connection: Connection,
  life: number,
  rows: readonly RecordRow[],
  deadline: number,
): Promise<ReadonlySet<string> | 'all'> {
  const { commit, commitPast, needsWholeArrays } = connection.sql;
  const values: unknown[] = [life, ...packRows(rows, needsWholeArrays)];
  const isKnowing = rows.some((row) => row.pastFloor !== undefined);
  if (isKnowing) values.push(packInt8s(rows.map(({ pastFloor = 0 }) => versionOfFloor(pastFloor) + 1)));
  const [reply] = await runRetrying(connection, isKnowing ? commitPast : commit, values, deadline);
  const [lifeInForce, count, keys] = reply as [number | null, number, string | null];
  if (lifeInForce !== life) assert(count === 0, 'a statement of another life wrote rows');
  checkLife(lifeInForce, life);
  return count === rows.length ? 'all' : new Set<string>(keys === null ? [] : (JSON.parse(keys) as string[]));
}

/** Returns the rows that have to be written again, because no row, or a lower version, stands there now. */
async function findOut(
  connection: Connection,
  rows: readonly RecordRow[],
  deadline: number,
  results: Map<string, CommitResult>,
): Promise<readonly RecordRow[]> {
  const keys = packTexts(rows.map((row) => row.record.key));
  const reply = await connection.run(STANDING, [keys, packInt4s(rows.map((row) => row.slot))], deadline);
  const standing = new Map(reply.map((fields) => [fields[0] as string, fields]));
  return rows.filter((row) => {
    const { key, version } = row.record;
    const [, stands, checksum, floor] = standing.get(key) as [string, ...(number | null)[]];
    const result = judge(row, stands ?? null, checksum ?? null, counterOf(floor ?? 0));
    if (result !== null) results.set(key, result);
    else assert((stands ?? -1) < version, 'a row that is sent again is higher than what stands');
    return result === null;
  });
}

/** Null: nothing tells why the row was not written. */
function judge(
  row: RecordRow,
  stands: number | null,
  checksum: number | null,
  floor: number,
): CommitResult | null {
  const { record, pastFloor } = row;
  if (stands !== null && stands > record.version) return { kind: 'higher', version: stands };
  if (stands === record.version) return checksum === row.checksum ? COMMITTED : CONFLICT;
  if (!isKeptOut(record.version, floor, pastFloor)) return null;
  const isNone = stands === null || stands === VERSION_NONE;
  return isNone && isAsGoodAsAbsent(record, floor) ? COMMITTED : { kind: 'keptOut', floor };
}

/** `lifeInForce`, as a writer's statement returned it; 0: nothing was written, as it would not have been durable. */
export function checkLife(lifeInForce: number | null, life: number): void {
  if (lifeInForce === life) return;
  if (lifeInForce === 0) throw new RecordFailure('refused', NOT_DURABLE, { isUnfit: true });
  const inForce = lifeInForce === null ? 'no founding' : `life ${lifeInForce}`;
  const message = `fenced: the database holds ${inForce}, this node belongs to life ${life}`;
  throw new RecordFailure('refused', message, { fenced: true, isOutage: false });
}

async function runRetrying(
  connection: Connection,
  statement: Statement,
  values: readonly unknown[],
  deadline: number,
): Promise<readonly unknown[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const rows = await runLocking(connection, statement, values, deadline);
      return [rows[0]!];
    } catch (error) {
      if (
        !(error instanceof RecordFailure) ||
        !error.isRetryable ||
        attempt === connection.sql.commitRetriesMax
      )
        throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS_MAX));
    }
  }
}
