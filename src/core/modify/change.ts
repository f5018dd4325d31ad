/**
 * What one modification may do to its key, change by change, and what it tells of each. A modification is judged and
 * written as one conditional write, so its changes take effect together or not at all; each is judged on what the one
 * before it made. One that fails by itself changes nothing and the others go on, as within a transaction of Redis.
 */
import { unreachable } from '../../base/assert.ts';
import { contentTypeFault } from '../check-key.ts';
import type { Failure } from '../errors.ts';
import { MODIFY_BYTES_MAX, MODIFY_CHANGES_MAX } from '../limits.ts';
import { DECIMAL_LENGTH_MAX } from './decimal.ts';

/** `later` and `sooner` compare with the expiry that stands, and none is the latest of all. */
export type ExpireCondition = 'always' | 'ifNone' | 'ifSome' | 'ifLater' | 'ifSooner' | 'ifSomeAndSooner';

/** Times of expiry are milliseconds since 1970, whole, not below 0; one that has passed deletes the key. */
export type Change =
  /** Changes nothing. */
  | { readonly kind: 'read'; readonly tellPrevious: boolean }
  | {
      readonly kind: 'set';
      readonly value: Uint8Array;
      readonly condition: 'always' | 'ifAbsent' | 'ifPresent';
      /** 0: the value keeps for ever; keep: as long as the one before it. */
      readonly expiresAt: number | 'keep';
      readonly tellPrevious: boolean;
      /** Of the new value; null or left out: none, whatever the one before it had. */
      readonly contentType?: string | null;
    }
  | { readonly kind: 'append'; readonly value: Uint8Array }
  /** Writes over the bytes from the offset on; zeros fill the gap where the value ends before it. */
  | { readonly kind: 'overwrite'; readonly offset: number; readonly value: Uint8Array }
  | { readonly kind: 'increment'; readonly delta: bigint }
  /** The delta as its client wrote it: what is no number fails like a value that is none. */
  | { readonly kind: 'incrementDecimal'; readonly delta: string }
  | { readonly kind: 'remove'; readonly tellPrevious: boolean }
  | {
      readonly kind: 'expire';
      readonly expiresAt: number;
      readonly condition: ExpireCondition;
      readonly tellPrevious: boolean;
    }
  | { readonly kind: 'persist'; readonly tellPrevious: boolean };

export type ChangeKind = Change['kind'];

export interface ChangeResult {
  /** Its condition held; false also where it needs a key, or an expiry, that is not there, and where it failed. */
  readonly applied: boolean;
  /** There was a value before it. */
  readonly existed: boolean;
  /** That value, where the change asks for it. */
  readonly previous: Uint8Array | null;
  /** Bytes of the value after it; 0 where there is none. */
  readonly length: number;
  /** Milliseconds since 1970 at which the value after it expires; 0: never, or there is none. */
  readonly expiresAt: number;
  /** increment and incrementDecimal: the new number, as it is stored. */
  readonly text: string | null;
  /** Why it changed nothing. */
  readonly failure: Failure | null;
}

/** Bytes that a change brings. */
export function changeBytes(change: Change): number {
  switch (change.kind) {
    case 'set':
    case 'append':
    case 'overwrite':
      return change.value.length;
    case 'incrementDecimal':
      return change.delta.length;
    case 'read':
    case 'increment':
    case 'remove':
    case 'expire':
    case 'persist':
      return 0;
    default:
      return unreachable(change);
  }
}

export function bytesOfChanges(changes: readonly Change[]): number {
  let bytes = 0;
  for (const change of changes) bytes += changeBytes(change);
  return bytes;
}

/** Bytes that the answers of a modification take beside their fixed part. */
export function bytesOfResults(results: readonly ChangeResult[]): number {
  let bytes = 0;
  for (const { previous, text } of results) bytes += (previous?.length ?? 0) + (text?.length ?? 0);
  return bytes;
}

/** Undefined: the list is one that can be sent and judged. */
export function changesFault(changes: readonly Change[]): string | undefined {
  const count = changes.length;
  if (count === 0) return 'a modification has no changes';
  if (count > MODIFY_CHANGES_MAX) {
    return `a modification has ${count} changes, more than the limit of ${MODIFY_CHANGES_MAX}`;
  }
  for (const change of changes) {
    const number = change.kind === 'overwrite' ? change.offset : 'expiresAt' in change ? change.expiresAt : 0;
    if (number !== 'keep' && (!Number.isSafeInteger(number) || number < 0)) {
      return `a time of expiry, or an offset, is not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`;
    }
  }
  if (
    changes.some((change) => change.kind === 'incrementDecimal' && change.delta.length > DECIMAL_LENGTH_MAX)
  )
    return `a decimal number has more than ${DECIMAL_LENGTH_MAX} characters`;
  // Characters are counted as bytes.
  if (changes.some((change) => change.kind === 'incrementDecimal' && !isAscii(change.delta)))
    return 'a decimal number has characters that no number has';
  for (const change of changes) {
    const fault = change.kind === 'set' ? contentTypeFault(change.contentType) : undefined;
    if (fault !== undefined) return fault;
  }
  const bytes = bytesOfChanges(changes);
  if (bytes <= MODIFY_BYTES_MAX) return undefined;
  return `the changes of a modification have ${bytes} bytes, more than the limit of ${MODIFY_BYTES_MAX}`;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
