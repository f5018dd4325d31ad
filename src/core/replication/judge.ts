/**
 * Applies an operation to the current record of its key. The result is the content of the next record, a failed
 * condition, or an error. Pure: the same operation on the same record at the same time gives the same result on every
 * node. Only a valid record may be judged, under a lease. (PROTOCOL R2)
 */
import { unreachable } from '../../base/assert.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import { CHANGE_WORK_BYTES, COMPARED_WORK_BYTES, MODIFY_BYTES_MAX } from '../limits.ts';
import { applyChanges } from '../modify/apply.ts';
import { bytesOfResults } from '../modify/change.ts';
import type { ChangeResult } from '../modify/change.ts';
import { addToInteger, asciiBytes } from '../modify/integer.ts';
import type { WorkMeter } from '../modify/work.ts';
import type { Expectation, ModifyOperation, WriteOperation } from '../operation.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT, ORIGIN_LEGACY, isExpired, isLive, yieldsToFill } from '../record.ts';
import type { KeyRecord, Origin, RecordContent } from '../record.ts';

export type Judgement =
  | {
      readonly kind: 'write';
      readonly content: RecordContent;
      readonly number: bigint | null;
      /** Set for modifications only. */
      readonly results: readonly ChangeResult[] | null;
    }
  /** The outcome of a modification that changes nothing. */
  | { readonly kind: 'unchanged'; readonly version: number; readonly results: readonly ChangeResult[] }
  | { readonly kind: 'conditionFailed'; readonly current: KeyRecord | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * `readsLegacy`: the legacy source may still have the key, so that a deletion must leave a tombstone. `meter` counts
 * the work of inspecting the current record, whatever the outcome.
 */
export function judge(
  operation: WriteOperation,
  base: KeyRecord | undefined,
  wallNow: number,
  readsLegacy: boolean,
  meter: WorkMeter,
): Judgement {
  const live = base !== undefined && isLive(base, wallNow) ? base : undefined;
  switch (operation.kind) {
    case 'put':
      return set(operation, live, wallNow);
    case 'delete':
      return remove(operation, ORIGIN_CLIENT, base, wallNow);
    case 'compareAndPut':
      if (!holds(operation.expect, live, meter)) return { kind: 'conditionFailed', current: live };
      return set(operation, live, wallNow);
    case 'compareAndDelete':
      if (!holds(operation.expect, live, meter)) return { kind: 'conditionFailed', current: live };
      return remove(operation, ORIGIN_CLIENT, base, wallNow);
    case 'increment':
      return increment(operation, operation.delta, live, wallNow, meter);
    case 'fill':
      if (!yieldsToFill(base, wallNow)) return { kind: 'conditionFailed', current: live };
      return write(operation, undefined, operation.value, 0, wallNow, operation.contentType, ORIGIN_LEGACY);
    case 'expire':
      if (base === undefined || base.version !== operation.version || !isExpired(base, wallNow)) {
        return { kind: 'conditionFailed', current: live };
      }
      return remove(operation, base.origin, base, wallNow, base.expiresAt);
    case 'modify':
      return modify(operation, base, live, wallNow, readsLegacy, meter);
    default:
      return unreachable(operation);
  }
}

function holds(expect: Expectation, live: KeyRecord | undefined, meter: WorkMeter): boolean {
  meter.bytes += CHANGE_WORK_BYTES;
  switch (expect.kind) {
    case 'absent':
      return live === undefined;
    case 'version':
      return live !== undefined && live.version === expect.version;
    case 'value':
      return live !== undefined && sameBytes(live.value, expect.value, meter);
    default:
      return unreachable(expect);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array, meter: WorkMeter): boolean {
  if (a.length !== b.length) return false;
  meter.bytes += a.length * COMPARED_WORK_BYTES;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

function set(
  operation: WriteOperation & { kind: 'put' | 'compareAndPut' },
  live: KeyRecord | undefined,
  wallNow: number,
): Judgement {
  const { value, ttlMs, contentType } = operation;
  return write(operation, live, value, ttlMs === 0 ? 0 : wallNow + ttlMs, wallNow, contentType);
}

function write(
  operation: WriteOperation,
  live: KeyRecord | undefined,
  value: Uint8Array,
  expiresAt: number,
  wallNow: number,
  contentType: string | null | undefined,
  origin: Origin = ORIGIN_CLIENT,
  number: bigint | null = null,
): Judgement & { kind: 'write' } {
  const content: RecordContent = {
    key: operation.key,
    origin,
    tombstone: false,
    value,
    createdAt: live === undefined ? wallNow : live.createdAt,
    updatedAt: wallNow,
    expiresAt,
    operationId: operation.operationId,
    contentType: contentType ?? null,
  };
  return { kind: 'write', content, number, results: null };
}

function remove(
  operation: WriteOperation,
  origin: Origin,
  base: KeyRecord | undefined,
  wallNow: number,
  expiresAt = 0,
): Judgement & { kind: 'write' } {
  const content: RecordContent = {
    key: operation.key,
    origin,
    tombstone: true,
    value: EMPTY_VALUE,
    createdAt: base === undefined ? wallNow : base.createdAt,
    updatedAt: wallNow,
    expiresAt,
    operationId: operation.operationId,
    contentType: null,
  };
  return { kind: 'write', content, number: null, results: null };
}

/** The attributes of a number that an increment creates. */
const NEW = { expiresAt: 0, contentType: null };

function increment(
  operation: WriteOperation,
  delta: bigint,
  live: KeyRecord | undefined,
  wallNow: number,
  meter: WorkMeter,
): Judgement {
  meter.bytes += CHANGE_WORK_BYTES;
  const after = addToInteger(live?.value, delta);
  if (typeof after === 'string') return { kind: 'failed', failure: failure(after) };
  const value = asciiBytes(after.toString());
  // An increment keeps the value's content type and expiry.
  const { expiresAt, contentType } = live ?? NEW;
  return write(operation, live, value, expiresAt, wallNow, contentType, ORIGIN_CLIENT, after);
}

function modify(
  operation: ModifyOperation,
  base: KeyRecord | undefined,
  live: KeyRecord | undefined,
  wallNow: number,
  readsLegacy: boolean,
  meter: WorkMeter,
): Judgement {
  const { expect, changes, valueBytesMax } = operation;
  if (expect !== null && !holds(expect, live, meter)) return { kind: 'conditionFailed', current: live };
  const applied = applyChanges(changes, live, wallNow, valueBytesMax, meter);
  if ('code' in applied) return { kind: 'failed', failure: applied };
  const { standing, isChanged, isRemoved, results } = applied;
  if (bytesOfResults(results) > MODIFY_BYTES_MAX) {
    const text = `the answers of a modification have more than the limit of ${MODIFY_BYTES_MAX} bytes`;
    return { kind: 'failed', failure: failure('invalid_argument', text) };
  }
  // The key is absent and stays so, but the legacy source could bring it back: a tombstone must block that. (R25)
  const mustBlock = isRemoved && standing === undefined && readsLegacy && yieldsToFill(base, wallNow);
  if (!isChanged && !mustBlock) return { kind: 'unchanged', version: base?.version ?? 0, results };
  if (standing === undefined) return { ...remove(operation, ORIGIN_CLIENT, base, wallNow), results };
  const { value, expiresAt, contentType } = standing;
  const written = write(operation, live, value, expiresAt, wallNow, contentType);
  const content = { ...written.content, createdAt: standing.createdAt };
  return { kind: 'write', content, number: null, results };
}
