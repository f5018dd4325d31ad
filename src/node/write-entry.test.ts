/** A write that no frame or record can hold is refused where it enters a node, whichever way it comes. */
import { expect, test } from 'vitest';
import {
  FRAME_BYTES_MAX,
  MODIFY_BYTES_MAX,
  MODIFY_CHANGES_MAX,
  TTL_MS_MAX,
  VALUE_BYTES_MAX,
} from '../core/limits.ts';
import type { ForwardWrite, PeerMessage } from '../core/message.ts';
import type { Change } from '../core/modify/change.ts';
import type { Expectation, WriteOperation, WriteResult } from '../core/operation.ts';
import { PROTOCOL_MAX } from '../core/membership/protocol-versions.ts';
import { writeFault } from '../core/clients/write-fault.ts';
import type { Storage } from '../ports/storage.ts';
import { FrameEncoder } from '../wire/message-codec.ts';
import { Admission } from './admission.ts';
import { ForwardService } from './peers/forward-service.ts';
import { Reception } from './reception.ts';
import type { Serving } from './serving.ts';

const LARGEST = new Uint8Array(VALUE_BYTES_MAX);
const TOO_LARGE = new Uint8Array(VALUE_BYTES_MAX + 1);
const one = { key: 'k', operationId: null };

const put = (value: Uint8Array, ttlMs = 0): WriteOperation => ({ ...one, kind: 'put', value, ttlMs });
const equal = (value: Uint8Array): Expectation => ({ kind: 'value', value });
const compareAndPut = (expected: Uint8Array, value: Uint8Array, ttlMs = 0): WriteOperation => ({
  ...{ ...one, kind: 'compareAndPut', expect: equal(expected) },
  ...{ value, ttlMs },
});
const modify = (changes: readonly Change[], expectation: Expectation | null = null): WriteOperation => ({
  ...{ kind: 'modify', key: 'k', operationId: null, expect: expectation },
  ...{ changes, valueBytesMax: VALUE_BYTES_MAX },
});
const append = (bytes: number): Change => ({ kind: 'append', value: new Uint8Array(bytes) });
const decimal = (delta: string): Change => ({ kind: 'incrementDecimal', delta });

test.each<[WriteOperation, string]>([
  [put(TOO_LARGE), 'bytes, more than the limit'],
  [put(LARGEST, TTL_MS_MAX + 1), 'time to live'],
  [put(LARGEST, -1), 'time to live'],
  [{ ...one, kind: 'fill', value: TOO_LARGE }, 'bytes, more than the limit'],
  [compareAndPut(LARGEST, TOO_LARGE), 'bytes, more than the limit'],
  [compareAndPut(TOO_LARGE, LARGEST), 'bytes, more than the limit'],
  [compareAndPut(LARGEST, LARGEST, 0.5), 'time to live'],
  [{ ...one, kind: 'compareAndDelete', expect: equal(TOO_LARGE) }, 'bytes, more than the limit'],
  [modify([append(MODIFY_BYTES_MAX), append(1)]), 'bytes, more than the limit'],
  [modify([append(MODIFY_BYTES_MAX)], equal(LARGEST)), 'bytes, more than the limit'],
  [modify([decimal('\u00e9')]), 'characters that no number has'],
  [{ ...one, kind: 'delete', key: '' }, 'the key is empty'],
  [{ ...one, kind: 'delete', key: 'k'.repeat(1_025) }, 'longer than 1024 bytes'],
  [{ ...one, kind: 'increment', delta: 1n, operationId: new Uint8Array(15) }, 'operation id'],
])('%#: definitely refused, and it is said what is too much', (operation, reason) => {
  expect(writeFault(operation)).toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining(reason) as string,
  });
});

test.each<WriteOperation>([
  put(LARGEST, TTL_MS_MAX),
  { ...one, kind: 'fill', value: LARGEST },
  compareAndPut(LARGEST, LARGEST),
  { ...one, kind: 'compareAndDelete', expect: equal(LARGEST) },
  modify([append(MODIFY_BYTES_MAX)]),
  modify([append(MODIFY_BYTES_MAX / 2)], equal(LARGEST)),
  modify(Array.from({ length: MODIFY_CHANGES_MAX }, () => decimal('1'.repeat(5_119)))),
  { ...one, kind: 'delete', key: 'k'.repeat(1_024) },
])(
  '%#: the most that may be is let through, and fits what a link takes, behind half a frame',
  (operation) => {
    expect(writeFault(operation)).toBeNull();
    const encoder = new FrameEncoder();
    encoder.begin({ from: 1, incarnation: 1, epoch: 1 }, PROTOCOL_MAX);
    encoder.add(forwarded(operation));
    expect(encoder.byteCount).toBeLessThan(FRAME_BYTES_MAX + VALUE_BYTES_MAX / 2);
  },
);

function forwarded(operation: WriteOperation): ForwardWrite & PeerMessage {
  return { kind: 'forwardWrite', request: 7, hops: 1, timeoutMs: 1_000, operation };
}

test('from a door: refused, and not before the call has returned', () => {
  let answer: WriteResult | undefined;
  const later: (() => void)[] = [];
  const serving = { clock: { defer: (run: () => void) => void later.push(run) } } as unknown as Serving;
  const admission = new Admission();
  new Reception(serving, {} as Storage, admission).write(put(TOO_LARGE), 1_000, (told) => (answer = told));
  expect(answer).toBeUndefined();
  for (const run of later) run();
  expect(answer).toMatchObject({ kind: 'failed', failure: { code: 'invalid_argument' } });
  expect(admission.inFlight('client')).toBe(0);
});

test('handed on by another node: refused, and it is told so', () => {
  const sent: unknown[] = [];
  const admission = new Admission();
  const service = new ForwardService({
    serving: {} as Serving,
    storage: {} as Storage,
    send: (_peer, message) => sent.push(message),
    isLinked: () => true,
    isMember: () => true,
    admission,
  });
  service.onRequest('b', forwarded(put(TOO_LARGE)));
  const result = { kind: 'failed', failure: { code: 'invalid_argument' } };
  expect(sent).toMatchObject([{ kind: 'forwardWriteAnswer', request: 7, result }]);
  expect(admission.inFlight('peer')).toBe(0);
});
