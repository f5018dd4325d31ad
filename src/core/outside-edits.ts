/**
 * Rows that somebody changed by hand in PostgreSQL. Nothing of that is taken over as it stands: each change is a write
 * that the cluster does itself, on the condition that what the change was made on is still what stands. So it goes round
 * as any write does, and one that a client's write has overtaken comes to nothing. It carries an operation id, by
 * which it is done once however often and by however many it is taken up. (PROTOCOL R6, R33, decision 43)
 */
import { certaintyOf } from './errors.ts';
import { OPERATION_ID_AHEAD_MS_MAX, OPERATION_ID_BYTES, OPERATION_ID_WINDOW_MS } from './limits.ts';
import type { Mutations } from './mutations.ts';
import type { Expectation, WriteOperation, WriteResult } from './operation.ts';
import { ORIGIN_LEGACY } from './record.ts';
import { VERSION_NONE } from './version.ts';

/** One change of one row, as it is noted. */
export interface OutsideEdit {
  /** Of two changes of a key the later one has the higher. */
  readonly id: number;
  readonly key: string;
  /** The version that it was made on; 0: there was no row. */
  readonly base: number;
  /** That was a value, and not yet expired. */
  readonly onValue: boolean;
  /** The row still shows it, or it follows one that was written: nothing else was written there since. */
  readonly stands: boolean;
  readonly deleted: boolean;
  readonly value: Uint8Array;
  readonly contentType: string | null;
  /** Milliseconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Milliseconds since 1970: of its operation id. */
  readonly stampMs: number;
}

/**
 * written: it is the key's version now. overtaken: what it was made on was replaced before the cluster had it, and it comes to
 * nothing. refused: no record can hold it. stamp: its id is too old, or from the future: to be given another one while
 * it stands. fill: a value from the legacy source has come in between, which gives way. later: nobody knows yet.
 */
export type EditOutcome =
  | { readonly kind: 'written'; readonly version: number }
  | { readonly kind: 'overtaken' | 'stamp' }
  | { readonly kind: 'refused' | 'later'; readonly why: string }
  | { readonly kind: 'fill'; readonly version: number };

/** An id that may be judged for long enough yet. */
export function needsStamp({ stampMs }: OutsideEdit, wallNow: number): boolean {
  return stampMs < wallNow - OPERATION_ID_WINDOW_MS / 2 || stampMs > wallNow + OPERATION_ID_AHEAD_MS_MAX / 2;
}

/** `over`: the version of a value from the legacy source that stands where there was nothing; 0: none does. */
export function operationOf(
  edit: OutsideEdit,
  over: number,
  wallNow: number,
  mutations: Mutations,
): WriteOperation {
  const { key, value, contentType, expiresAt } = edit;
  const operationId = mutations.editUnnamed === true ? null : operationIdOf(edit);
  const isOver = edit.deleted || (expiresAt !== 0 && expiresAt <= wallNow);
  const ttlMs = expiresAt === 0 ? 0 : expiresAt - wallNow;
  if (mutations.editIgnoresBase === true) {
    return isOver
      ? { kind: 'delete', key, operationId }
      : { kind: 'put', key, value, contentType, ttlMs, operationId };
  }
  const expect = expectationOf(edit, over);
  if (isOver) return { kind: 'compareAndDelete', key, expect, operationId };
  return { kind: 'compareAndPut', key, expect, value, contentType, ttlMs, operationId };
}

/** What does not stand any more may have been done, which its id tells, and is not done now: nothing has no version. */
function expectationOf({ base, onValue, stands }: OutsideEdit, over: number): Expectation {
  if (!stands) return { kind: 'version', version: VERSION_NONE };
  if (over !== 0) return { kind: 'version', version: over };
  return onValue ? { kind: 'version', version: base } : { kind: 'absent' };
}

/** The same wherever it is made: the time, and the number of the change. */
function operationIdOf({ id, stampMs }: OutsideEdit): Uint8Array {
  const bytes = new Uint8Array(OPERATION_ID_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(stampMs / 2 ** 32));
  view.setUint32(2, stampMs % 2 ** 32);
  view.setUint32(8, Math.floor(id / 2 ** 32));
  view.setUint32(12, id % 2 ** 32);
  return bytes;
}

export function outcomeOf(edit: OutsideEdit, result: WriteResult): EditOutcome {
  switch (result.kind) {
    case 'done':
    case 'modified':
    case 'unchanged':
      return { kind: 'written', version: result.version };
    case 'conditionFailed': {
      const { current } = result;
      const isFill = edit.stands && !edit.onValue && current?.origin === ORIGIN_LEGACY;
      return isFill ? { kind: 'fill', version: current.version } : { kind: 'overtaken' };
    }
    case 'failed': {
      const { code, message } = result.failure;
      if (code === 'operation_id_expired') return { kind: 'stamp' };
      if (code === 'invalid_argument' && certaintyOf(code) === 'definite')
        return { kind: 'refused', why: message };
      return { kind: 'later', why: code };
    }
  }
}
