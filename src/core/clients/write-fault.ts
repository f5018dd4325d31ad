/**
 * Refuses a write that no record, frame or statement can hold, wherever it enters a node: from a door, forwarded by
 * another node, or fetched from the legacy source. Doors check earlier, with limits of their own; a write that got past
 * this check would end the process at the first encoder that meets it.
 */
import { contentTypeFault, keyFault, operationIdFault, ttlFault, valueFault } from './check-key.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import { OPERATION_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { changesFault } from '../modify/change.ts';
import { valueBytesOf } from '../operation.ts';
import type { Expectation, WriteOperation } from '../operation.ts';

/** Null if the write can be done. One pass over the key without allocation, because every write goes through this. */
export function writeFault(operation: WriteOperation): Failure | null {
  const { key, operationId } = operation;
  const fault =
    keyFault(key) ??
    (operationId === null ? undefined : operationIdFault(operationId.length)) ??
    contentFault(operation);
  return fault === undefined ? null : failure('invalid_argument', fault);
}

function contentFault(operation: WriteOperation): string | undefined {
  switch (operation.kind) {
    case 'put':
      return newValueFault(operation) ?? ttlFault(operation.ttlMs);
    case 'fill':
      return newValueFault(operation);
    case 'compareAndPut':
      return newValueFault(operation) ?? ttlFault(operation.ttlMs) ?? expectationFault(operation.expect);
    case 'compareAndDelete':
      return expectationFault(operation.expect);
    case 'modify':
      return (
        changesFault(operation.changes, operation.valueBytesMax) ?? wholeFault(operation, operation.expect)
      );
    default:
      return undefined;
  }
}

type NewValue = WriteOperation & { kind: 'put' | 'fill' | 'compareAndPut' };

function newValueFault({ value, contentType }: NewValue): string | undefined {
  return valueFault(value.length, VALUE_BYTES_MAX) ?? contentTypeFault(contentType);
}

function expectationFault(expect: Expectation): string | undefined {
  return expect.kind === 'value' ? valueFault(expect.value.length, VALUE_BYTES_MAX) : undefined;
}

/** The changes and the expectation travel in one message. */
function wholeFault(operation: WriteOperation, expect: Expectation | null): string | undefined {
  if (expect === null || expect.kind !== 'value') return undefined;
  const bytes = valueBytesOf(operation) + expect.value.length;
  if (bytes <= OPERATION_BYTES_MAX) return undefined;
  return `a modification and the value it expects have ${bytes} bytes, more than the limit of ${OPERATION_BYTES_MAX}`;
}
