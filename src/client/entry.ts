/** What a client gives and gets, in the client's own words. */
import { keyFault, operationIdFault, ttlFault } from '../core/check-key.ts';
import { isErrorCode } from '../core/errors.ts';
import { causeway } from '../gen/protocol.js';
import { CausewayError } from './causeway-error.ts';

export type Value = string | Uint8Array;

/** A value with what is known about it. Times are milliseconds since 1970. */
export interface Entry {
  readonly value: Uint8Array;
  readonly version: number;
  readonly origin: 'client' | 'legacy' | 'outside';
  /** Milliseconds since this version was written. */
  readonly ageMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
  /** A media type, as it was given with the value; undefined: none. */
  readonly contentType: string | undefined;
}

/** As it was read. */
export interface ReadEntry extends Entry {
  /** It may be old: only where that was allowed. */
  readonly stale: boolean;
  /** With that: milliseconds within which it was the truth at some moment; else 0. */
  readonly staleMs: number;
}

/** A key's answer. */
export interface Found {
  /** undefined: the key is absent. */
  readonly entry: ReadEntry | undefined;
  /** No node at hand could be sure: it was the truth at some moment within the last `staleMs`. */
  readonly stale: boolean;
  /** 0 where it is not stale. */
  readonly staleMs: number;
}

/** What must stand for a conditional write to be applied. */
export type Expected = 'absent' | { readonly version: number } | { readonly value: Value };

export type CompareResult =
  | { readonly applied: true; readonly version: number }
  /** `current` is undefined where the key is absent. */
  | { readonly applied: false; readonly current: Entry | undefined };

const NO_ID = new Uint8Array(0);
const ORIGINS = ['client', 'legacy', 'outside'] as const;

/** JavaScript gives anything. What has no bytes would be written as an empty value: refused, and nothing is sent. */
export function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array || isBytesOfElsewhere(value)) return value;
  throw refused(
    'the value is neither a string nor a Uint8Array (JSON.stringify makes a string of an object)',
  );
}

/** Made in another context of this process (`node:vm`, as test runners have it), whose classes are others. */
function isBytesOfElsewhere(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/** Milliseconds; undefined: for ever. */
export function checkedTtl(ttlMs = 0): number {
  const fault = ttlFault(ttlMs);
  if (fault !== undefined) throw refused(fault);
  return ttlMs;
}

/** Undefined: none, which is no bytes. */
export function checkedOperationId(id: Uint8Array | undefined): Uint8Array {
  if (id === undefined) return NO_ID;
  const fault = isBytesOfElsewhere(id) ? operationIdFault(id.length) : 'the operation id is no Uint8Array';
  if (fault !== undefined) throw refused(`${fault}: newOperationId() makes one`);
  return id;
}

function refused(fault: string): CausewayError {
  return new CausewayError('invalid_argument', 'definite', fault);
}

/** A key that cannot be sent as UTF-8 would be refused with the whole frame it is in: better here, alone. */
export function checkedKey(key: string): string {
  const fault = typeof key === 'string' ? keyFault(key) : 'the key is no string';
  if (fault !== undefined) throw refused(fault);
  return key;
}

/** Null: nothing was told, as where a key is absent. */
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
  return 'version' in expected
    ? { expectVersion: expected.version }
    : { expectValue: bytesOf(expected.value) };
}
