/**
 * Codec of a client's operation on its way to an owner; and what it shares with a record in an answer: the bytes of the
 * operation id and the content type, announced by one byte for both.
 */
import { assert } from '../base/assert.ts';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import type { Expectation, WriteOperation } from '../core/operation.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import { OPERATION_KINDS, readChoice } from './choices.ts';
import { readContentType as readTypeText, writeContentType } from './content-type-codec.ts';
import { readChanges, writeChanges } from './modify-codec.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const EXPECTATIONS = ['version', 'value', 'absent'] as const;
/** Added to the length of an operation id, in one byte: a content type follows. */
const TYPED = 128;

export function writeOperation(out: Writer, operation: WriteOperation): void {
  out.u8(OPERATION_KINDS.indexOf(operation.kind));
  out.text(operation.key);
  writeOptions(out, operation.operationId, 'contentType' in operation ? operation.contentType : null);
  if (operation.kind === 'compareAndPut' || operation.kind === 'compareAndDelete') {
    writeExpectation(out, operation.expect);
  }
  switch (operation.kind) {
    case 'put':
    case 'compareAndPut':
      out.real(operation.ttlMs);
      out.blob(operation.value);
      break;
    case 'increment':
      out.i64(operation.delta);
      break;
    case 'fill':
      out.blob(operation.value);
      break;
    case 'expire':
      out.whole(operation.version);
      break;
    case 'modify':
      assert(out.protocol >= SINCE.modify, 'a modification is told to who understands it');
      out.bool(operation.expect !== null);
      if (operation.expect !== null) writeExpectation(out, operation.expect);
      out.u32(operation.valueBytesMax);
      writeChanges(out, operation.changes);
      break;
    default:
  }
}

export function readOperation(from: Reader): WriteOperation {
  const kind = readChoice(from, OPERATION_KINDS);
  const key = from.text();
  const options = from.u8();
  const operationId = readOperationId(from, options);
  const contentType = readContentType(from, options);
  const isValued = kind === 'put' || kind === 'compareAndPut' || kind === 'fill';
  if (contentType !== null && !isValued) from.fail('a content type without a value');
  switch (kind) {
    case 'put':
      return { kind, key, operationId, ttlMs: from.real(), value: from.blob(), contentType };
    case 'delete':
      return { kind, key, operationId };
    case 'compareAndPut':
      return {
        kind,
        key,
        operationId,
        expect: readExpectation(from),
        ttlMs: from.real(),
        value: from.blob(),
        contentType,
      };
    case 'compareAndDelete':
      return { kind, key, operationId, expect: readExpectation(from) };
    case 'increment':
      return { kind, key, operationId, delta: from.i64() };
    case 'fill':
      return { kind, key, operationId, value: from.blob(), contentType };
    case 'expire':
      return { kind, key, operationId, version: from.whole() };
    case 'modify': {
      if (from.protocol < SINCE.modify) from.fail('a modification is of a later version');
      if (operationId !== null) from.fail('a modification has an operation id');
      const expect = from.bool() ? readExpectation(from) : null;
      return { kind, key, operationId: null, expect, valueBytesMax: from.u32(), changes: readChanges(from) };
    }
  }
}

function writeExpectation(out: Writer, expect: Expectation): void {
  out.u8(EXPECTATIONS.indexOf(expect.kind));
  if (expect.kind === 'version') out.whole(expect.version);
  else if (expect.kind === 'value') out.blob(expect.value);
}

function readExpectation(from: Reader): Expectation {
  const kind = readChoice(from, EXPECTATIONS);
  if (kind === 'version') return { kind, version: from.whole() };
  if (kind === 'value') return { kind, value: from.blob() };
  return { kind };
}

/**
 * For a reader that speaks an earlier version a value has no content type: what such a node requests is stored without
 * one. (decision 34)
 */
export function writeOptions(
  out: Writer,
  operationId: Uint8Array | null,
  contentType: string | null | undefined,
): void {
  const isTyped = typeof contentType === 'string' && out.protocol >= SINCE.contentType;
  out.u8((operationId === null ? 0 : operationId.length) | (isTyped ? TYPED : 0));
  if (operationId !== null) out.raw(operationId);
  if (isTyped) writeContentType(out, contentType);
}

export function readContentType(from: Reader, options: number): string | null {
  return (options & TYPED) === 0 ? null : readTypeText(from);
}

export function readOperationId(from: Reader, options: number): Uint8Array | null {
  const byteCount = options & ~TYPED;
  if (byteCount === 0) return null;
  if (byteCount !== OPERATION_ID_BYTES) from.fail('an operation id has not 16 bytes');
  return from.raw(OPERATION_ID_BYTES);
}
