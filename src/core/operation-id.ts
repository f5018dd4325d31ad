/**
 * An operation id is 16 bytes that a client puts on a write so that it can repeat it. The first 48 bits are the
 * milliseconds since 1970 at which the id was made, big endian, as in a version 7 UUID; the rest is random. The time
 * bounds how long a cluster must remember the id. An id belongs to its key: the same id on another key is another
 * operation. (PROTOCOL R33, decision 7)
 */
import { certaintyOf, failure } from './errors.ts';
import type { Failure } from './errors.ts';
import { OPERATION_ID_AHEAD_MS_MAX, OPERATION_ID_WINDOW_MS } from './limits.ts';
import type { WriteKind, WriteResult } from './operation.ts';

/** One of the identified operations of a round. Together with the round's version it is the whole answer. */
export interface IdentifiedOperation {
  readonly id: Uint8Array;
  readonly kind: WriteKind;
  /** The new number, for an increment. */
  readonly number: bigint | null;
}

/** What is remembered of an operation that took effect. */
export interface KnownOperation {
  readonly version: number;
  readonly kind: WriteKind;
  readonly number: bigint | null;
}

/** Milliseconds since 1970. */
export function operationIdTime(id: Uint8Array): number {
  let time = 0;
  for (let index = 0; index < 6; index += 1) time = time * 256 + id[index]!;
  return time;
}

/**
 * Null if it can be told whether this id was used before; otherwise the refusal. It cannot be told for ids older than
 * the window, nor for those this node has forgotten; and an id from far in the future would have to be remembered for
 * as long.
 */
export function operationIdRefusal(
  id: Uint8Array,
  wallNow: number,
  forgottenThrough: number,
): Failure | null {
  const time = operationIdTime(id);
  if (time <= Math.max(wallNow - OPERATION_ID_WINDOW_MS, forgottenThrough)) {
    return failure('operation_id_expired');
  }
  if (time > wallNow + OPERATION_ID_AHEAD_MS_MAX) {
    return failure(
      'invalid_argument',
      `the operation id is more than ${OPERATION_ID_AHEAD_MS_MAX} ms ahead of the node's clock: its first 48 bits are the milliseconds since 1970, as in a UUID of version 7; or one of the two clocks is wrong`,
    );
  }
  return null;
}

/**
 * For slots where no owner is left to ask: an operation is trusted only if the version it made is the one held for its
 * key. Any other version was replaced or given up, or the record was copied from an owner that knew better. `known` is
 * undefined if the entry is damaged.
 */
export function isBorneOut(known: KnownOperation | undefined, heldVersion: number): boolean {
  return known?.version === heldVersion;
}

/**
 * The result of a repeated write when an earlier attempt has an unknown outcome. Only operations that took effect are
 * remembered: any other answer says that this attempt did nothing, but the earlier one may still be judged later, on
 * the record that stands then.
 */
export function resultAfterDoubt(last: WriteResult): WriteResult {
  if (last.kind === 'done') return last;
  if (last.kind === 'failed' && certaintyOf(last.failure.code) === 'indefinite') return last;
  return { kind: 'failed', failure: failure('outcome_unknown') };
}

export function isSameId(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return a.length === b.length;
}
