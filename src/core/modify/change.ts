/**
 * What one modification may do to its key, change by change, and the result of each. A modification is judged and
 * written as one conditional write, so its changes take effect together or not at all; each is judged on the result of
 * the one before. A change that fails by itself changes nothing while the others go on, as in a Redis transaction.
 */
import { unreachable } from '../../base/assert.ts';
import { contentTypeFault } from '../clients/check-key.ts';
import type { Failure } from '../errors.ts';
import { MODIFY_BYTES_MAX, MODIFY_CHANGES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { DECIMAL_LENGTH_MAX } from './decimal.ts';

/** `later` and `sooner` compare with the current expiry, where no expiry counts as the latest of all. */
export type ExpireCondition = 'always' | 'ifNone' | 'ifSome' | 'ifLater' | 'ifSooner' | 'ifSomeAndSooner';

/** Expiry times are whole milliseconds since 1970, not negative; one in the past deletes the key. */
export type Change =
  /** Changes nothing. */
  | { readonly kind: 'read'; readonly tellPrevious: boolean }
  | {
      readonly kind: 'set';
      readonly value: Uint8Array;
      readonly condition: 'always' | 'ifAbsent' | 'ifPresent';
      /** 0: the value never expires. keep: it keeps the previous value's expiry. */
      readonly expiresAt: number | 'keep';
      readonly tellPrevious: boolean;
      /** The content type of the new value; null or left out if it has none, whatever the previous value had. */
      readonly contentType?: string | null;
    }
  | { readonly kind: 'append'; readonly value: Uint8Array }
  /** Overwrites the bytes from the offset on; zeros fill the gap if the value ends before it. */
  | { readonly kind: 'overwrite'; readonly offset: number; readonly value: Uint8Array }
  | { readonly kind: 'increment'; readonly delta: bigint }
  /**
   * The delta as the client wrote it: if it is not a number, the change fails as it does for a value that is not one.
   */
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
  /**
   * The change's condition held. False also if the change needs a key or an expiry that does not exist, or if it
   * failed.
   */
  readonly applied: boolean;
  /** There was a value before the change. */
  readonly existed: boolean;
  /** The previous value, if the change asks for it. */
  readonly previous: Uint8Array | null;
  /** Bytes of the value after the change; 0 if there is none. */
  readonly length: number;
  /** Milliseconds since 1970 at which the resulting value expires; 0 if never, or there is no value. */
  readonly expiresAt: number;
  /** The new number as it is stored, for increment and incrementDecimal. */
  readonly text: string | null;
  /** Why the change had no effect. */
  readonly failure: Failure | null;
}

/** Bytes that a change carries. */
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

/** Bytes that the results of a modification take in addition to their fixed part. */
export function bytesOfResults(results: readonly ChangeResult[]): number {
  let bytes = 0;
  for (const { previous, text } of results) bytes += (previous?.length ?? 0) + (text?.length ?? 0);
  return bytes;
}

/** Undefined if the list can be sent and judged. */
export function changesFault(
  changes: readonly Change[],
  valueBytesMax = VALUE_BYTES_MAX,
): string | undefined {
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
  // Characters are counted as bytes, so all must be ASCII.
  if (changes.some((change) => change.kind === 'incrementDecimal' && !isAscii(change.delta)))
    return 'a decimal number has characters that no number has';
  for (const change of changes) {
    const fault = change.kind === 'set' ? contentTypeFault(change.contentType) : undefined;
    if (fault !== undefined) return fault;
  }
  const bytes = bytesOfChanges(changes);
  if (bytes <= MODIFY_BYTES_MAX) return undefined;
  const largest = Math.max(...changes.map(changeBytes));
  if (largest > valueBytesMax)
    return `a value has ${largest} bytes, more than the limit of ${valueBytesMax} (limits.valueBytesMax)`;
  return `the changes of a modification have ${bytes} bytes, more than the limit of ${MODIFY_BYTES_MAX}`;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
