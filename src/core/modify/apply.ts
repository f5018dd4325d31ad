/**
 * Applies a list of changes to the current value, and collects the result of each change. Pure: only the arguments
 * decide. Each change has the semantics of the Redis 7 command that it stands for.
 */
import { unreachable } from '../../base/assert.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import {
  CHANGE_WORK_BYTES,
  DIGIT_WORK_BYTES,
  MODIFY_WORK_BYTES_MAX,
  TTL_MS_MAX,
  VALUE_BYTES_MAX,
} from '../limits.ts';
import type { KeyRecord } from '../record.ts';
import type { Change, ChangeResult, ExpireCondition } from './change.ts';
import { addToDecimal, DECIMAL_LENGTH_MAX, digitsToRead } from './decimal.ts';
import { addToInteger, asciiBytes } from './integer.ts';
import type { WorkMeter } from './work.ts';

/** A value as the changes made so far have left it. */
export interface Standing {
  readonly value: Uint8Array;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; 0 means never. */
  readonly expiresAt: number;
  /** A change to part of a value keeps its content type; a change that sets another value brings its own. */
  readonly contentType: string | null;
}

export interface Applied {
  /** Undefined if the key is absent. */
  readonly standing: Standing | undefined;
  /** The value differs from before, or was written again. */
  readonly isChanged: boolean;
  /** Some change asked for the key's removal, whether it existed or not. */
  readonly isRemoved: boolean;
  readonly results: readonly ChangeResult[];
}

interface Work {
  readonly wallNow: number;
  readonly valueBytesMax: number;
  readonly meter: WorkMeter;
  standing: Standing | undefined;
  isChanged: boolean;
  isRemoved: boolean;
}

/**
 * `live`: what a reader sees at wall time `wallNow` (ms), undefined if the key is absent. The cost is added to `meter`;
 * a list that exceeds what one list may cost is given up without effect.
 */
export function applyChanges(
  changes: readonly Change[],
  live: KeyRecord | undefined,
  wallNow: number,
  valueBytesMax: number,
  meter: WorkMeter,
): Applied | Failure {
  const work: Work = {
    wallNow,
    valueBytesMax: Math.min(valueBytesMax, VALUE_BYTES_MAX),
    standing: live,
    isChanged: false,
    isRemoved: false,
    meter,
  };
  const until = meter.bytes + MODIFY_WORK_BYTES_MAX;
  const results: ChangeResult[] = [];
  for (const change of changes) {
    meter.bytes += CHANGE_WORK_BYTES;
    results.push(apply(work, change));
    if (meter.bytes > until) return tooCostly();
  }
  // A value that was both created and removed within the list never existed.
  const isChanged = work.isChanged && (work.standing !== undefined || live !== undefined);
  return { standing: work.standing, isChanged, isRemoved: work.isRemoved, results };
}

function apply(work: Work, change: Change): ChangeResult {
  const before = work.standing;
  switch (change.kind) {
    case 'read':
      return told(work, before, before !== undefined, change.tellPrevious);
    case 'set':
      return set(work, before, change);
    case 'append':
      return splice(work, before, before?.value.length ?? 0, change.value, true);
    case 'overwrite':
      return splice(work, before, change.offset, change.value, false);
    case 'increment':
      return increment(work, before, change.delta);
    case 'incrementDecimal':
      return incrementDecimal(work, before, change.delta);
    case 'remove':
      remove(work);
      return told(work, before, before !== undefined, change.tellPrevious);
    case 'expire':
      return expire(work, before, change);
    case 'persist': {
      const isExpiring = before !== undefined && before.expiresAt !== 0;
      if (isExpiring) put(work, before.value, 0);
      return told(work, before, isExpiring, change.tellPrevious);
    }
    default:
      return unreachable(change);
  }
}

function set(work: Work, before: Standing | undefined, change: Change & { kind: 'set' }): ChangeResult {
  const { value, condition, tellPrevious } = change;
  const isMet = condition === 'always' || (before === undefined) === (condition === 'ifAbsent');
  if (!isMet) return told(work, before, false, tellPrevious);
  const expiresAt = change.expiresAt === 'keep' ? (before?.expiresAt ?? 0) : change.expiresAt;
  const problem = tooLarge(work, value.length) ?? tooLate(work, expiresAt);
  if (problem !== null) return failed(work, before, problem);
  if (expiresAt !== 0 && expiresAt <= work.wallNow) remove(work);
  else put(work, value, expiresAt, change.contentType ?? null);
  return told(work, before, true, tellPrevious);
}

/**
 * Replaces the bytes from `offset` on by `value`. If there is nothing to write, an absent key stays absent, unless the
 * change `creates` it.
 */
function splice(
  work: Work,
  before: Standing | undefined,
  offset: number,
  value: Uint8Array,
  creates: boolean,
): ChangeResult {
  if (value.length === 0 && (before !== undefined || !creates)) return told(work, before, true, false);
  const length = Math.max(before?.value.length ?? 0, offset + value.length);
  const problem = tooLarge(work, length);
  if (problem !== null) return failed(work, before, problem);
  work.meter.bytes += length;
  const bytes = new Uint8Array(length);
  if (before !== undefined) bytes.set(before.value);
  bytes.set(value, offset);
  put(work, bytes, before?.expiresAt ?? 0);
  return told(work, before, true, false);
}

function increment(work: Work, before: Standing | undefined, delta: bigint): ChangeResult {
  const sum = addToInteger(before?.value, delta);
  if (typeof sum === 'string') return failed(work, before, failure(sum));
  return putNumber(work, before, sum.toString());
}

function incrementDecimal(work: Work, before: Standing | undefined, delta: string): ChangeResult {
  const digits = digitsToRead(delta) + Math.min(before?.value.length ?? 0, DECIMAL_LENGTH_MAX);
  const sum = addToDecimal(before?.value, delta);
  work.meter.bytes += DIGIT_WORK_BYTES * (digits + (typeof sum === 'string' ? 0 : sum.text.length));
  if (typeof sum === 'string') return failed(work, before, failure(sum));
  return putNumber(work, before, sum.text);
}

function putNumber(work: Work, before: Standing | undefined, text: string): ChangeResult {
  const problem = tooLarge(work, text.length);
  if (problem !== null) return failed(work, before, problem);
  put(work, asciiBytes(text), before?.expiresAt ?? 0);
  return { ...told(work, before, true, false), text };
}

function expire(work: Work, before: Standing | undefined, change: Change & { kind: 'expire' }): ChangeResult {
  const { expiresAt, condition, tellPrevious } = change;
  if (before === undefined || !mayExpire(condition, before.expiresAt, expiresAt)) {
    return told(work, before, false, tellPrevious);
  }
  const problem = tooLate(work, expiresAt);
  if (problem !== null) return failed(work, before, problem);
  if (expiresAt <= work.wallNow) remove(work);
  else if (expiresAt !== before.expiresAt) put(work, before.value, expiresAt);
  return told(work, before, true, tellPrevious);
}

/** A `current` of 0 means never. */
function mayExpire(condition: ExpireCondition, current: number, next: number): boolean {
  switch (condition) {
    case 'always':
      return true;
    case 'ifNone':
      return current === 0;
    case 'ifSome':
      return current !== 0;
    case 'ifLater':
      return current !== 0 && next > current;
    case 'ifSooner':
      return current === 0 || next < current;
    case 'ifSomeAndSooner':
      return current !== 0 && next < current;
    default:
      return unreachable(condition);
  }
}

function put(
  work: Work,
  value: Uint8Array,
  expiresAt: number,
  contentType = work.standing?.contentType ?? null,
): void {
  const createdAt = work.standing?.createdAt ?? work.wallNow;
  work.standing = { value, createdAt, expiresAt, contentType };
  work.isChanged = true;
}

function remove(work: Work): void {
  work.isRemoved = true;
  if (work.standing === undefined) return;
  work.standing = undefined;
  work.isChanged = true;
}

function tooLarge(work: Work, bytes: number): Failure | null {
  if (bytes <= work.valueBytesMax) return null;
  const text = `the value would have ${bytes} bytes, more than the limit of ${work.valueBytesMax} (limits.valueBytesMax)`;
  return failure('invalid_argument', text);
}

function tooCostly(): Failure {
  const text = `the changes of a modification make, or read, more than the limit of ${MODIFY_WORK_BYTES_MAX} bytes together: send them in several`;
  return failure('invalid_argument', text);
}

function tooLate(work: Work, expiresAt: number): Failure | null {
  if (expiresAt <= work.wallNow + TTL_MS_MAX) return null;
  return failure('invalid_argument', `the time of expiry is more than ${TTL_MS_MAX} milliseconds from now`);
}

function told(
  work: Work,
  before: Standing | undefined,
  applied: boolean,
  tellPrevious: boolean,
): ChangeResult {
  const { standing } = work;
  return {
    applied,
    existed: before !== undefined,
    previous: tellPrevious && before !== undefined ? before.value : null,
    length: standing === undefined ? 0 : standing.value.length,
    expiresAt: standing === undefined ? 0 : standing.expiresAt,
    text: null,
    failure: null,
  };
}

function failed(work: Work, before: Standing | undefined, problem: Failure): ChangeResult {
  return { ...told(work, before, false, false), failure: problem };
}
