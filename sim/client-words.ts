/** Converts clients' calls to what a node takes, and the answers to what a history records. */
import { assert } from '../src/base/assert.ts';
import { NONE } from '../src/base/short-list.ts';
import { certaintyOf } from '../src/core/errors.ts';
import { VALUE_BYTES_MAX } from '../src/core/limits.ts';
import type { Change, ChangeResult } from '../src/core/modify/change.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../src/core/operation.ts';
import type { KeyRecord } from '../src/core/record.ts';
import type { Expiry, HistoryCall, HistoryOutcome } from './checkers/history.ts';
import type { HistoryChange, HistoryTold } from './checkers/modifications.ts';
import { textOf, typeOf } from './values.ts';

/**
 * When the value expires: the time to live counts from the moment at which some node accepted the write, by that node's
 * clock.
 */
export function expiryWithin(
  outcome: HistoryOutcome,
  wall: { lowest: number; highest: number },
  ttlMs: number,
): Expiry {
  const by = outcome.kind === 'indefinite' ? Infinity : wall.highest + ttlMs;
  return { from: wall.lowest + ttlMs, by };
}

export function tell(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

export function toOperation(
  key: string,
  call: HistoryCall,
  ttlMs: number,
  operationId: Uint8Array | null,
): WriteOperation {
  switch (call.kind) {
    case 'put':
      return {
        kind: 'put',
        key,
        value: Buffer.from(call.value),
        ttlMs,
        operationId,
        contentType: typeOf(call.value),
      };
    case 'delete':
      return { kind: 'delete', key, operationId };
    case 'increment':
      return { kind: 'increment', key, delta: call.delta, operationId };
    case 'compareAndPut':
      return {
        kind: 'compareAndPut',
        key,
        expect: toExpectation(call.expect),
        value: Buffer.from(call.value),
        ttlMs,
        operationId,
        contentType: typeOf(call.value),
      };
    case 'compareAndDelete':
      return { kind: 'compareAndDelete', key, expect: toExpectation(call.expect), operationId };
    case 'modify':
      return {
        kind: 'modify',
        key,
        operationId: null,
        expect: null,
        valueBytesMax: VALUE_BYTES_MAX,
        changes: call.changes.map(toChange),
      };
    default:
      throw new Error(`no client does ${call.kind}`);
  }
}

/** The values that a call puts. */
export function valuesOf(call: HistoryCall): readonly string[] {
  if (call.kind === 'put' || call.kind === 'compareAndPut') return [call.value];
  if (call.kind !== 'modify') return NONE;
  return call.changes.flatMap((change) => (change.kind === 'set' ? [change.value] : []));
}

function toChange(change: HistoryChange): Change {
  switch (change.kind) {
    case 'set':
      return {
        ...change,
        value: Buffer.from(change.value),
        tellPrevious: true,
        contentType: typeOf(change.value),
      };
    case 'append':
      return { kind: 'append', value: Buffer.from(change.value) };
    case 'increment':
      return change;
    default:
      return { ...change, tellPrevious: true };
  }
}

function toTold(
  { applied, existed, previous, length, expiresAt, text }: ChangeResult,
  change: Change,
): HistoryTold {
  const isTold = 'tellPrevious' in change || !existed;
  const was = previous === null ? null : textOf(previous);
  const number = text === null ? null : BigInt(text);
  return { applied, length, expiresAt, number, previous: isTold ? was : undefined };
}

function toExpectation(
  expect: Extract<HistoryCall, { kind: 'compareAndPut' }>['expect'],
): Extract<WriteOperation, { kind: 'compareAndPut' }>['expect'] {
  return expect.kind === 'value' ? { kind: 'value', value: Buffer.from(expect.value) } : expect;
}

export function readOutcome(result: ReadResult): HistoryOutcome {
  if (result.kind === 'failed') return { kind: 'definiteFailure' };
  if (result.kind === 'absent') return { kind: 'value', value: null };
  return recordOutcome(result.record);
}

export function recordOutcome({ value, version, expiresAt }: KeyRecord): HistoryOutcome {
  return { kind: 'value', value: textOf(value), version, expiresAt };
}

export function writeOutcome(result: WriteResult, operation: WriteOperation): HistoryOutcome {
  if (result.kind === 'done') {
    const { version, number } = result;
    return number === null ? { kind: 'done', version } : { kind: 'done', version, number };
  }
  if (result.kind === 'conditionFailed') {
    return {
      kind: 'conditionFailed',
      current: result.current === undefined ? null : textOf(result.current.value),
      ...(result.current === undefined ? {} : { version: result.current.version }),
    };
  }
  if (result.kind === 'modified' || result.kind === 'unchanged') {
    assert(operation.kind === 'modify', 'who asked for no modification is not told of one');
    const told = result.results.map((each, index) => toTold(each, operation.changes[index]!));
    // An absence has no version to compare.
    const isNamed = result.kind === 'modified' || result.results[0]!.existed;
    return { kind: result.kind, told, ...(isNamed ? { version: result.version } : {}) };
  }
  if (result.failure.code === 'not_an_integer') return { kind: 'notAnInteger' };
  return { kind: certaintyOf(result.failure.code) === 'definite' ? 'definiteFailure' : 'indefinite' };
}
