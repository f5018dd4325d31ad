/** The values and results of the client API, and their conversion to and from protocol messages. */
import { keyFault, operationIdFault, ttlFault } from '../core/clients/check-key.ts';
import { isErrorCode } from '../core/errors.ts';
import { causeway } from '../gen/protocol.js';
import { CausewayError } from './causeway-error.ts';

/** A string is written as UTF-8. */
export type Value = string | Uint8Array;

/** A value with its metadata. Times are milliseconds since 1970. */
export interface Entry {
  readonly value: Uint8Array;
  /** A safe integer; of two versions of a key the later one is higher. */
  readonly version: number;
  /** Who wrote it: a client, the legacy API from which it was read, or somebody in PostgreSQL by hand. */
  readonly origin: 'client' | 'legacy' | 'outside';
  /** Milliseconds since this version was written. */
  readonly ageMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** 0 if the key never expires. */
  readonly expiresAtMs: number;
  /** The media type that was stored with the value; undefined if there is none. */
  readonly contentType: string | undefined;
}

/** An entry as a read returned it. */
export interface ReadEntry extends Entry {
  /** The entry may be outdated; only possible if the read allowed it. */
  readonly stale: boolean;
  /** If `stale`: the entry was current at some moment within the last `staleMs` milliseconds. Otherwise 0. */
  readonly staleMs: number;
}

/** The result of a read, including the absence of a key. */
export interface Found {
  /** Undefined if the key is absent. */
  readonly entry: ReadEntry | undefined;
  /** No reachable node could be sure: the answer was current at some moment within the last `staleMs`. */
  readonly stale: boolean;
  /** 0 unless `stale`. */
  readonly staleMs: number;
}

/** The condition under which a conditional write is applied. */
export type Expected = 'absent' | { readonly version: number } | { readonly value: Value };

export type CompareResult =
  /** `version`: of what was written. */
  | { readonly applied: true; readonly version: number }
  /** `current` is undefined if the key is absent. */
  | { readonly applied: false; readonly current: Entry | undefined };

const NO_ID = new Uint8Array(0);
const ORIGINS = ['client', 'legacy', 'outside'] as const;

/**
 * Plain JavaScript can pass anything here. A value without bytes would be stored as an empty value, so it is refused
 * before anything is sent.
 */
export function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') {
    // UTF-8 has no half of a surrogate pair: another character would be stored in its place.
    if (!value.isWellFormed()) throw refused('the value is not well-formed Unicode: give it as bytes');
    return Buffer.from(value, 'utf8');
  }
  if (value instanceof Uint8Array || isUint8ArrayOfAnyRealm(value)) return value;
  throw refused(
    'the value is neither a string nor a Uint8Array (JSON.stringify makes a string of an object)',
  );
}

/**
 * Also accepts arrays made in another context of this process (`node:vm`, as test runners use it), which has its own
 * classes.
 */
function isUint8ArrayOfAnyRealm(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/** Checks a time to live in milliseconds; undefined becomes 0, "never expires". */
export function checkedTtl(ttlMs = 0): number {
  const fault = ttlFault(ttlMs);
  if (fault !== undefined) throw refused(fault);
  return ttlMs;
}

/**
 * Checks the operand of an increment. The encoder would silently truncate a value beyond 64 bits, and a number beyond
 * 2^53 may have been rounded already.
 */
export function checkedDelta(delta: bigint | number): bigint {
  const isWhole = typeof delta === 'bigint' || Number.isSafeInteger(delta);
  if (isWhole && BigInt.asIntN(64, BigInt(delta)) === BigInt(delta)) return BigInt(delta);
  throw refused(
    `${String(delta)} is no whole number to add (a bigint of 64 bits, or a number up to 2^53 - 1)`,
  );
}

/** Checks only that the content type is a string; the node decides whether it is a media type. */
export function checkedContentType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || typeof contentType === 'string') return contentType;
  throw refused('the content type is no string');
}

/** Checks an operation id; undefined becomes an empty one, "no id". */
export function checkedOperationId(id: Uint8Array | undefined): Uint8Array {
  if (id === undefined) return NO_ID;
  const fault = isUint8ArrayOfAnyRealm(id)
    ? operationIdFault(id.length)
    : 'the operation id is no Uint8Array';
  if (fault !== undefined) throw refused(`${fault}: newOperationId() makes one`);
  return id;
}

export function refused(fault: string): CausewayError {
  return new CausewayError('invalid_argument', 'definite', fault);
}

/**
 * A key that cannot be encoded as UTF-8 would fail the whole frame that carries it, so it is refused by itself here.
 */
export function checkedKey(key: string): string {
  const fault = typeof key === 'string' ? keyFault(key) : 'the key is no string';
  if (fault !== undefined) throw refused(fault);
  return key;
}

export function checkedKeys(keys: readonly string[]): void {
  if (!Array.isArray(keys)) throw refused('the keys are no array');
  keys.forEach(checkedKey);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws a TypeError if the bytes are not UTF-8. */
export function textOf(value: Uint8Array): string {
  return UTF8.decode(value);
}

/** Null means that the node returned nothing, as for an absent key. */
export function foundOf(answer: causeway.v1.GetResponse | null): Found {
  if (answer === null) return { entry: undefined, stale: false, staleMs: 0 };
  const { record, stale, staleMs } = answer;
  return { entry: record === null ? undefined : { ...entryOf(record), stale, staleMs }, stale, staleMs };
}

export function entryOf(record: causeway.v1.Record): Entry {
  return {
    value: record.value,
    version: record.version,
    origin: ORIGINS[record.origin] ?? 'outside',
    ageMs: record.ageMs,
    createdAtMs: record.createdAtMs,
    updatedAtMs: record.updatedAtMs,
    expiresAtMs: record.expiresAtMs,
    contentType: record.contentType === '' ? undefined : record.contentType,
  };
}

export function compareResultOf(answer: causeway.v1.CompareResponse): CompareResult {
  if (answer.applied) return { applied: true, version: answer.version };
  return { applied: false, current: answer.current === null ? undefined : entryOf(answer.current) };
}

export function errorOfFailure(failed: causeway.v1.Failure): CausewayError {
  const isDefinite = failed.certainty === causeway.v1.Certainty.CERTAINTY_DEFINITE;
  const code = isErrorCode(failed.code) ? failed.code : 'transport';
  return new CausewayError(code, isDefinite ? 'definite' : 'indefinite', failed.message);
}

export function expectationFields(expected: Expected): causeway.v1.CompareAndPutRequestFields {
  if (expected === 'absent') return { expectAbsent: true };
  return standingFields(expected);
}

/** For conditions that an absent key cannot meet. */
export function standingFields(expected: Exclude<Expected, 'absent'>): {
  readonly expectVersion?: number;
  readonly expectValue?: Uint8Array;
} {
  const given: unknown = expected;
  if (typeof given === 'object' && given !== null) {
    if ('value' in given && 'version' in given)
      throw refused('a version is expected, or a value, and not both: { version: entry.version } is enough');
    if ('value' in given) return { expectValue: bytesOf(given.value as Value) };
    if ('version' in given && Number.isSafeInteger(given.version) && (given.version as number) >= 0)
      return { expectVersion: given.version as number };
  }
  throw refused("what is expected is none of { version: 8195 }, { value: 'one' } and, of a put, 'absent'");
}
