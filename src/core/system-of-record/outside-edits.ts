/**
 * Handles rows that somebody changed by hand in PostgreSQL. No such row is taken over as it stands: each change becomes
 * an ordinary write of the cluster, on the condition that the record which the change was based on still stands. So it
 * is replicated like any write, and one that a client's write has overtaken does nothing. An operation id makes the
 * change take effect once, however often and by however many nodes it is taken up. (PROTOCOL R6, R33, decision 43)
 */
import { certaintyOf } from '../errors.ts';
import { OPERATION_ID_AHEAD_MS_MAX, OPERATION_ID_BYTES, OPERATION_ID_WINDOW_MS } from '../limits.ts';
import type { Mutations } from '../mutations.ts';
import type { Expectation, WriteOperation, WriteResult } from '../operation.ts';
import { ORIGIN_LEGACY } from '../record.ts';
import { VERSION_NONE } from '../version.ts';

/** One noted change of one row. */
export interface OutsideEdit {
  /** Of two changes to the same key, the later one has the higher id. */
  readonly id: number;
  readonly key: string;
  /** The version that was changed; 0 if there was no row. */
  readonly base: number;
  /** The changed version was a value that had not expired. */
  readonly onValue: boolean;
  /** Nothing else was written to the row since: it still shows this change, or one based on it that was written. */
  readonly stands: boolean;
  readonly deleted: boolean;
  readonly value: Uint8Array;
  readonly contentType: string | null;
  /** Milliseconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Milliseconds since 1970, used in its operation id. */
  readonly stampMs: number;
}

/**
 * - written: the change is the key's version now.
 * - overtaken: what it was based on was replaced before the cluster had the change, so it does nothing.
 * - refused: no record can hold it.
 * - stamp: its id is too old, or from the future; it gets another one while it stands.
 * - over: a value stands that gives way: from the legacy source, or under the very version that was changed.
 * - later: the outcome is not known yet.
 */
export type EditOutcome =
  | { readonly kind: 'written'; readonly version: number }
  | { readonly kind: 'overtaken' | 'stamp' }
  | { readonly kind: 'refused' | 'later'; readonly why: string }
  | { readonly kind: 'over'; readonly version: number };

/** True unless the change's id remains usable for long enough. */
export function needsStamp({ stampMs }: OutsideEdit, wallNow: number): boolean {
  return stampMs < wallNow - OPERATION_ID_WINDOW_MS / 2 || stampMs > wallNow + OPERATION_ID_AHEAD_MS_MAX / 2;
}

/** `over`: the version of a value that gives way where the change expects none; 0 if there is none. */
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

/**
 * A change that no longer stands may have been done already, which its id tells; it must not be done now. No record
 * ever has the version expected here.
 */
function expectationOf({ base, onValue, stands }: OutsideEdit, over: number): Expectation {
  if (!stands) return { kind: 'version', version: VERSION_NONE };
  if (over !== 0) return { kind: 'version', version: over };
  return onValue ? { kind: 'version', version: base } : { kind: 'absent' };
}

/** The same bytes on every node: the time and the number of the change. */
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
      if (!edit.stands || edit.onValue || current === undefined) return { kind: 'overtaken' };
      // A slot that was given up is filled with what the row shows, under the version that was changed.
      const givesWay = current.origin === ORIGIN_LEGACY || current.version === edit.base;
      return givesWay ? { kind: 'over', version: current.version } : { kind: 'overtaken' };
    }
    case 'failed': {
      const { code, message } = result.failure;
      // One that no longer stands gets no other id: nobody knows any more whether it was done, and it must not be done now.
      if (code === 'operation_id_expired') return { kind: edit.stands ? 'stamp' : 'overtaken' };
      if (code === 'invalid_argument' && certaintyOf(code) === 'definite')
        return { kind: 'refused', why: message };
      return { kind: 'later', why: code };
    }
  }
}
