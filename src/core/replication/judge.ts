/**
 * What an operation makes of the record that stands: the next record's content, a condition that fails, or
 * an error. Pure: the same operation on the same record at the same time gives the same result wherever it is
 * judged. Judged only on a valid record, under a lease. (PROTOCOL R2)
 */
import { unreachable } from '../../base/assert.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import type { Expectation, WriteOperation } from '../operation.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT, ORIGIN_LEGACY, isExpired, isLive, yieldsToFill } from '../record.ts';
import type { KeyRecord, Origin, RecordContent } from '../record.ts';

export type Judgement =
  | { readonly kind: 'write'; readonly content: RecordContent; readonly number: bigint | null }
  | { readonly kind: 'conditionFailed'; readonly current: KeyRecord | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Redis' own form: no sign but minus, no leading zero, no space. */
const INTEGER_PATTERN = /^(?:0|-?[1-9][0-9]{0,18})$/;

export function judge(operation: WriteOperation, base: KeyRecord | undefined, wallNow: number): Judgement {
  const live = base !== undefined && isLive(base, wallNow) ? base : undefined;
  switch (operation.kind) {
    case 'put':
      return write(operation, live, operation.value, expiryOf(operation.ttlMs, wallNow), wallNow);
    case 'delete':
      return remove(operation, ORIGIN_CLIENT, base, wallNow);
    case 'compareAndPut':
      if (!holds(operation.expect, live)) return { kind: 'conditionFailed', current: live };
      return write(operation, live, operation.value, expiryOf(operation.ttlMs, wallNow), wallNow);
    case 'compareAndDelete':
      if (!holds(operation.expect, live)) return { kind: 'conditionFailed', current: live };
      return remove(operation, ORIGIN_CLIENT, base, wallNow);
    case 'increment':
      return increment(operation, operation.delta, live, wallNow);
    case 'fill':
      if (!yieldsToFill(base, wallNow)) return { kind: 'conditionFailed', current: live };
      return write(operation, undefined, operation.value, 0, wallNow, ORIGIN_LEGACY);
    case 'expire':
      if (base === undefined || base.version !== operation.version || !isExpired(base, wallNow)) {
        return { kind: 'conditionFailed', current: live };
      }
      return remove(operation, base.origin, base, wallNow, base.expiresAt);
    default:
      return unreachable(operation);
  }
}

function holds(expect: Expectation, live: KeyRecord | undefined): boolean {
  switch (expect.kind) {
    case 'absent':
      return live === undefined;
    case 'version':
      return live !== undefined && live.version === expect.version;
    case 'value':
      return live !== undefined && sameBytes(live.value, expect.value);
    default:
      return unreachable(expect);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

function expiryOf(ttlMs: number, wallNow: number): number {
  return ttlMs === 0 ? 0 : wallNow + ttlMs;
}

function write(
  operation: WriteOperation,
  live: KeyRecord | undefined,
  value: Uint8Array,
  expiresAt: number,
  wallNow: number,
  origin: Origin = ORIGIN_CLIENT,
  number: bigint | null = null,
): Judgement {
  const content: RecordContent = {
    key: operation.key,
    origin,
    tombstone: false,
    value,
    createdAt: live === undefined ? wallNow : live.createdAt,
    updatedAt: wallNow,
    expiresAt,
    operationId: operation.operationId,
  };
  return { kind: 'write', content, number };
}

function remove(
  operation: WriteOperation,
  origin: Origin,
  base: KeyRecord | undefined,
  wallNow: number,
  expiresAt = 0,
): Judgement {
  const content: RecordContent = {
    key: operation.key,
    origin,
    tombstone: true,
    value: EMPTY_VALUE,
    createdAt: base === undefined ? wallNow : base.createdAt,
    updatedAt: wallNow,
    expiresAt,
    operationId: operation.operationId,
  };
  return { kind: 'write', content, number: null };
}

function increment(
  operation: WriteOperation,
  delta: bigint,
  live: KeyRecord | undefined,
  wallNow: number,
): Judgement {
  const text = live === undefined ? '0' : decimalText(live.value);
  if (text === undefined) return { kind: 'failed', failure: failure('not_an_integer') };
  const before = BigInt(text);
  if (before > INT64_MAX || before < INT64_MIN) return { kind: 'failed', failure: failure('not_an_integer') };
  const after = before + delta;
  if (after > INT64_MAX || after < INT64_MIN) return { kind: 'failed', failure: failure('integer_overflow') };
  const value = asciiBytes(after.toString());
  return write(operation, live, value, live?.expiresAt ?? 0, wallNow, ORIGIN_CLIENT, after);
}

function decimalText(value: Uint8Array): string | undefined {
  if (value.length === 0 || value.length > 20) return undefined;
  const text = String.fromCharCode(...value);
  return INTEGER_PATTERN.test(text) ? text : undefined;
}

function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
