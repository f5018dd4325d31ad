/** The pipeline over a real connection: every operation is answered exactly once, and nothing grows without bound. */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  PIPELINE_ANSWER_BYTES_MAX,
  PIPELINE_BYTES_MAX,
  PIPELINE_OPERATIONS_MAX,
  PIPELINE_STREAMS_MAX,
  PIPELINE_UNANSWERED_MAX,
} from '../../core/clients/grpc-limits.ts';
import { causeway } from '../../gen/protocol.js';
import { CallError, eventually, openDoors, openStream } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { untakenOf } from './untaken.ts';

const { v1 } = causeway;
type Stream = ClientDuplexStream<causeway.v1.PipelineRequestFields, causeway.v1.PipelineResponse>;
let doors: DoorFixture;

beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

function open(): {
  stream: Stream;
  results: Map<number, causeway.v1.OperationResult>;
  frames: number[];
  ended: Promise<CallError | null>;
} {
  const stream = openStream(
    doors.client,
    '/causeway.v1.KeyValue/Pipeline',
    v1.PipelineRequest,
    v1.PipelineResponse,
  );
  const results = new Map<number, causeway.v1.OperationResult>();
  const frames: number[] = [];
  stream.on('data', (frame: causeway.v1.PipelineResponse) => {
    frames.push(frame.results.length);
    for (const result of frame.results) results.set(result.number, result);
  });
  const ended = new Promise<CallError | null>((resolve) => {
    stream.on('error', (error) => resolve(new CallError(error as never)));
    stream.on('end', () => resolve(null));
  });
  return { stream, results, frames, ended };
}

const gets = (from: number, count: number, key = 'k'): causeway.v1.OperationFields[] =>
  Array.from({ length: count }, (_, at) => ({ number: from + at, get: { key } }));

describe('a pipeline', () => {
  test('every kind of operation in one frame: each answered by its number, the stream ended in order', async () => {
    const { stream, results, ended } = open();
    const value = Buffer.from('7');
    stream.write({ operations: [{ number: 1, put: { key: 'a', value } }] });
    await eventually(() => results.size === 1, 'the first put');
    const { version } = results.get(1)!.put!;
    stream.write({
      operations: [
        { number: 2, get: { key: 'a' } },
        { number: 3, compareAndPut: { key: 'a', expectVersion: version, value: Buffer.from('8') } },
        { number: 4, increment: { key: 'a', delta: 2n } },
        { number: 5, compareAndDelete: { key: 'a', expectVersion: version } },
        { number: 6, delete: { key: 'a' } },
        { number: 7, get: { key: 'none' } },
        { number: 8, get: { key: '' } },
        { number: 9 },
      ],
    });
    stream.end();
    expect(await ended).toBeNull();
    expect(results.get(2)!.get!.record!.version).toBe(version);
    expect(results.get(3)!.compare).toMatchObject({ applied: true });
    expect(results.get(4)!.increment!.total).toBe(10n);
    expect(results.get(5)!.compare).toMatchObject({ applied: false });
    expect(Buffer.from(results.get(5)!.compare!.current!.value).toString()).toBe('10');
    expect(results.get(6)!.delete!.version).toBeGreaterThan(version);
    expect(results.get(7)!.get!.record).toBeNull();
    expect(results.get(8)!.failure).toMatchObject({ code: 'invalid_argument' });
    expect(results.get(9)!.failure).toMatchObject({ code: 'not_supported' });
  });

  test('a slow operation before quick ones: the quick are not held up by it', async () => {
    const { stream, results } = open();
    doors.api.holding = true;
    doors.api.waiting.add('slow');
    stream.write({ operations: [{ number: 1, get: { key: 'slow' } }, ...gets(2, 10)] });
    await eventually(() => results.size === 10, 'the quick answers');
    expect(results.has(1)).toBe(false);
    doors.api.release();
    await eventually(() => results.has(1), 'the slow answer');
  });

  test('answers of one turn: sent together, not one by one', async () => {
    const { stream, results, frames } = open();
    stream.write({ operations: gets(0, 500) });
    await eventually(() => results.size === 500, 'all answers');
    expect(frames).toEqual([500]);
  });

  test('more operations than may be unanswered: the rest is not begun until answers are out, then all is done', async () => {
    const { stream, results, ended } = open();
    doors.api.holding = true;
    doors.api.waiting.add('slow');
    const total = 3 * PIPELINE_UNANSWERED_MAX;
    for (let from = 0; from < total; from += PIPELINE_OPERATIONS_MAX) {
      stream.write({ operations: gets(from, PIPELINE_OPERATIONS_MAX, 'slow') });
    }
    stream.end();
    await eventually(() => doors.api.heldCount >= PIPELINE_UNANSWERED_MAX, 'a full window');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(doors.api.heldCount).toBe(PIPELINE_UNANSWERED_MAX);
    doors.api.release();
    expect(await ended).toBeNull();
    expect(results.size).toBe(total);
  });

  test('a client that does not read its answers: bytes that wait stay bounded, and nothing is lost when it reads', async () => {
    await new Promise<void>((resolve) => {
      const value = Buffer.alloc(PIPELINE_BYTES_MAX / 2, 1);
      doors.api.write({ kind: 'put', key: 'big', value, ttlMs: 0, operationId: null }, 1000, () => resolve());
    });
    let asked = 0;
    const tryGet = doors.api.tryGet.bind(doors.api);
    doors.api.tryGet = (key) => {
      asked++;
      return tryGet(key);
    };
    const { stream, results, ended } = open();
    stream.pause();
    stream.write({ operations: gets(0, 200, 'big') });
    stream.end();
    await eventually(() => asked > 10, 'some answers');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked).toBeLessThan(120);
    stream.resume();
    expect(await ended).toBeNull();
    expect(results.size).toBe(200);
    expect(
      [...results.values()].every(({ get }) => get?.record?.value.length === PIPELINE_BYTES_MAX / 2),
    ).toBe(true);
  });

  test('more bytes of answers at once than may wait: values beyond that are left out, and what happened is told', async () => {
    const value = Buffer.alloc(PIPELINE_BYTES_MAX, 1);
    doors.api.put('big', value.toString());
    doors.api.waiting.add('big');
    doors.api.holding = true;
    const { stream, results, ended } = open();
    stream.pause();
    const fitting = PIPELINE_ANSWER_BYTES_MAX / PIPELINE_BYTES_MAX;
    const compare = { key: 'big', expectVersion: 1, value: Buffer.from('other') };
    stream.write({ operations: gets(0, fitting + 3, 'big') });
    stream.write({ operations: [{ number: 100, compareAndPut: compare }] });
    stream.write({ operations: [{ number: 101, put: { key: 'new' } }] });
    stream.end();
    await eventually(() => doors.api.heldCount === fitting + 5, 'all operations');
    doors.api.release();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    stream.resume();
    expect(await ended).toBeNull();
    const codes = [...results.values()].map(({ failure, get }) => failure?.code ?? get?.record?.value.length);
    expect(codes.filter((code) => code === value.length).length).toBeGreaterThanOrEqual(fitting - 1);
    expect(codes).toContain('overloaded');
    expect(results.get(100)!.compare).toMatchObject({ applied: false });
    expect(results.get(100)!.compare!.current).toMatchObject({ value: Buffer.alloc(0) });
    expect(results.get(101)!.result).toBe('put');
  });

  test('a client that goes, with operations under way or with answers that it has not read: nothing is counted for it', async () => {
    const untaken = untakenOf(doors.server);
    doors.api.put('big', 'v'.repeat(PIPELINE_BYTES_MAX));
    const reading = open();
    reading.stream.pause();
    // More than the two ends of a connection buffer.
    reading.stream.write({ operations: gets(0, 20, 'big') });
    await eventually(() => untaken.total > 4 * PIPELINE_BYTES_MAX, 'answers that wait');
    reading.stream.cancel();
    await eventually(() => untaken.total === 0, 'their end');
    doors.api.waiting.add('big');
    doors.api.holding = true;
    const waiting = open();
    waiting.stream.write({ operations: gets(0, 4, 'big') });
    await eventually(() => doors.api.heldCount === 4, 'reads under way');
    waiting.stream.cancel();
    await waiting.ended;
    // A call on the same connection is answered after the cancellation has been seen.
    const other = open();
    other.stream.end();
    await other.ended;
    doors.api.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(untaken.total).toBe(0);
  });

  test('a node with enough to do: writes are held back and not refused, reads go on, and writes when there is room', async () => {
    doors.api.full = true;
    const { stream, results } = open();
    stream.write({ operations: gets(0, 1) });
    stream.write({ operations: [{ number: 1, put: { key: 'held' } }] });
    await eventually(() => results.has(0), 'the read');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(doors.api.calls.map(({ key }) => key)).not.toContain('held');
    doors.api.full = false;
    await eventually(() => results.has(1), 'the write');
    expect(results.get(1)!.result).toBe('put');
  });

  test('it has enough to do until the deadline: the write fails definitely, unbegun', async () => {
    doors.api.full = true;
    const { stream, results } = open();
    stream.write({ operations: [{ number: 1, put: { key: 'held' } }], timeoutMs: 30 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    doors.api.full = false;
    await eventually(() => results.has(1), 'the answer');
    expect(results.get(1)!.failure?.code).toBe('deadline_before_start');
    expect(doors.api.calls).toEqual([]);
  });

  test('a frame beyond its limits: every operation of it is refused, the stream goes on', async () => {
    const { stream, results } = open();
    stream.write({ operations: gets(0, PIPELINE_OPERATIONS_MAX + 1) });
    const value = Buffer.alloc(PIPELINE_BYTES_MAX / 2 + 1);
    const puts = [0, 1].map((at) => ({ number: 5000 + at, put: { key: `p${at}`, value } }));
    stream.write({ operations: puts });
    stream.write({
      operations: [{ number: 6000, put: { key: 'one', value: Buffer.alloc(PIPELINE_BYTES_MAX) } }],
    });
    await eventually(() => results.size === PIPELINE_OPERATIONS_MAX + 4, 'all answers');
    expect(results.get(6000)!.result).toBe('put');
    results.delete(6000);
    expect([...results.values()].every(({ failure }) => failure?.code === 'invalid_argument')).toBe(true);
    expect(doors.api.calls.map(({ key }) => key)).toEqual(['one']);
  });

  test('a frame with little time: its operations get that time, and those not begun in it fail definitely', async () => {
    const { stream, results } = open();
    doors.api.waiting.add('slow');
    stream.write({ operations: gets(1, 1, 'slow'), timeoutMs: 1000 });
    await eventually(() => results.has(1), 'the answer');
    expect(doors.api.calls[0]!.timeoutMs).toBeLessThanOrEqual(1000);
    expect(doors.api.calls[0]!.timeoutMs).toBeGreaterThan(500);

    doors.api.holding = true;
    for (let from = 0; from < PIPELINE_UNANSWERED_MAX; from += PIPELINE_OPERATIONS_MAX) {
      stream.write({ operations: gets(10_000 + from, PIPELINE_OPERATIONS_MAX, 'slow') });
    }
    stream.write({
      operations: [
        { number: 2, put: { key: 'late' } },
        { number: 3, get: { key: 'slow' } },
      ],
      timeoutMs: 20,
    });
    await eventually(() => doors.api.heldCount === PIPELINE_UNANSWERED_MAX, 'a full window');
    await new Promise((resolve) => setTimeout(resolve, 400));
    doors.api.release();
    await eventually(() => results.has(2) && results.has(3), 'the late answers');
    expect(results.get(2)!.failure?.code).toBe('deadline_before_start');
    expect(results.get(3)!.failure?.code).toBe('read_timeout');
  });

  test('a frame that is no message: the stream ends with a definite refusal', async () => {
    const stream = doors.client.makeBidiStreamRequest<Buffer, Buffer>(
      '/causeway.v1.KeyValue/Pipeline',
      (bytes) => bytes,
      (bytes) => bytes,
    );
    const failed = new Promise<CallError>((resolve) =>
      stream.on('error', (error) => resolve(new CallError(error as never))),
    );
    stream.resume();
    stream.write(Buffer.from([0x0a, 99, 1]));
    expect(await failed).toMatchObject({ causewayCode: 'invalid_argument', certainty: 'definite' });
  });

  test('more pipelines than a node takes: refused, definitely, until others have gone', async () => {
    // Those that have ended are counted no more, and not as if they made room for two.
    for (let at = 0; at < 3; at += 1) {
      const { stream, ended } = open();
      stream.end();
      expect(await ended).toBeNull();
    }
    doors.api.holding = true;
    doors.api.waiting.add('slow');
    const opened = Array.from({ length: PIPELINE_STREAMS_MAX }, () => open());
    for (const { stream } of opened) stream.write({ operations: gets(1, 1, 'slow') });
    await eventually(() => doors.api.heldCount === PIPELINE_STREAMS_MAX, 'every stream at work');
    const refused = open();
    refused.stream.write({ operations: gets(1, 1) });
    expect(await refused.ended).toMatchObject({ causewayCode: 'overloaded', certainty: 'definite' });
    for (const { stream } of opened) stream.cancel();
    await Promise.all(opened.map(({ ended }) => ended));
    doors.api.release();
    // The server learns of the last cancellations a moment after the clients do.
    let taken = false;
    for (let at = 0; at < 50 && !taken; at++) {
      const { stream, results, ended } = open();
      stream.write({ operations: gets(1, 1) });
      stream.end();
      taken = (await ended) === null && results.size === 1;
    }
    expect(taken).toBe(true);
  });
});
