/**
 * An operation id is 16 bytes that a client puts on a write, so that it may repeat it: the first 48 bits are the
 * milliseconds since 1970 at which the id was made, big endian, as in a UUID of version 7; the rest is chance. The time
 * bounds how long a cluster must remember it. An id belongs to its key: the same one on another key is another
 * operation. (PROTOCOL R33, decision 7)
 */
import { certaintyOf, failure } from './errors.ts';
import type { Failure } from './errors.ts';
import { OPERATION_ID_AHEAD_MS_MAX, OPERATION_ID_WINDOW_MS } from './limits.ts';
import type { WriteKind, WriteResult } from './operation.ts';

/** One of the operations that a round carries under an id: with the round's version it is the whole answer. */
export interface IdentifiedOperation {
  readonly id: Uint8Array;
  readonly kind: WriteKind;
  /** increment: the new number */
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
 * Can it be told whether this id was used before? Not below the window, nor below what this node has forgotten; an id
 * from far in the future would have to be remembered for as long.
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
 * Where no owner is left to ask: what an operation is remembered to have made is what is held of its key. Another version
 * was replaced, or given up, or the record was copied from an owner that knew better. `known`: undefined where it is damaged.
 */
export function isBorneOut(known: KnownOperation | undefined, heldVersion: number): boolean {
  return known?.version === heldVersion;
}

/**
 * What is known of an operation of which an earlier attempt is open, once a later one was answered. Only what took effect
 * is remembered: any other answer says that this attempt did nothing, and the open one may still be judged later, on what
 * then stands.
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
