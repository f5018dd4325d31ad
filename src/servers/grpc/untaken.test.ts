/**
 * Clients that send requests and do not read the answers: what waits for them is bounded, and only they are affected.
 */
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call, eventually, openDoors, openStream } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import {
  ANSWER_BYTES_SHARE,
  ANSWER_BYTES_TOTAL_MAX,
  CONNECTION_ANSWER_BYTES_MAX,
  CONNECTION_CALLS_MAX,
  PIPELINE_ANSWER_BYTES_PAUSE,
} from '../../core/clients/grpc-limits.ts';
import { causeway } from '../../gen/protocol.js';
import { Untaken, untakenOf } from './untaken.ts';

const { v1 } = causeway;
const VALUE_BYTES = 1024 * 1024;

let doors: DoorFixture;
let session: ClientHttp2Session;
beforeEach(async () => {
  doors = await openDoors();
  const value = Buffer.alloc(VALUE_BYTES, 1);
  const put = { kind: 'put', key: 'big', value, ttlMs: 0, operationId: null } as const;
  await new Promise<void>((resolve) => doors.api.write(put, 1_000, () => resolve()));
  session = connect(`http://${doors.address}`);
  session.on('error', () => undefined);
});
afterEach(async () => {
  session.destroy();
  await doors.stop();
});

/** Makes calls and never reads the answers; `onEnd` gets the status of those that end anyway. */
function askWithoutReading(path: string, message: Uint8Array, onEnd: (status: string) => void): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.on('response', (headers) => {
    if (headers['grpc-status'] !== undefined)
      onEnd(`${String(headers['grpc-status'])} ${String(headers['causeway-code'])}`);
  });
  stream.on('error', () => undefined);
  stream.end(Buffer.concat([head, message]));
}

test('many large reads, none of them read: so much waits and no more, the rest is refused, others are served', async () => {
  const untaken = untakenOf(doors.server);
  const message = v1.GetRequest.encode({ key: 'big' }).finish();
  const ended: string[] = [];
  const asked = 100;
  for (let at = 0; at < asked; at += 1)
    askWithoutReading('/causeway.v1.KeyValue/Get', message, (status) => ended.push(status));
  const waiting = CONNECTION_ANSWER_BYTES_MAX / VALUE_BYTES;
  await eventually(() => ended.length === asked - waiting, 'the refusals');
  expect(new Set(ended)).toEqual(new Set([`${Status.RESOURCE_EXHAUSTED} overloaded`]));
  expect(untaken.total).toBeLessThan(CONNECTION_ANSWER_BYTES_MAX + 2 * VALUE_BYTES);
  // A write on this connection is refused before anything is begun.
  const put = v1.PutRequest.encode({ key: 'new', value: Buffer.from('v') }).finish();
  askWithoutReading('/causeway.v1.KeyValue/Put', put, (status) => ended.push(status));
  await eventually(() => ended.length === asked - waiting + 1, 'the refusal of the write');
  expect(doors.api.records.has('new')).toBe(false);
  const { record } = await call(doors.client, '/causeway.v1.KeyValue/Get', v1.GetRequest, v1.GetResponse, {
    key: 'big',
  });
  expect(record?.value.length).toBe(VALUE_BYTES);
  session.destroy();
  await eventually(() => untaken.total === 0, 'the client is gone: nothing waits');
});

test('many large reads at once: not more than one or two in a turn of the event loop', async () => {
  const client = doors.client;
  const order: number[] = [];
  let readBefore = 0;
  let turns = 0;
  const tryGet = doors.api.tryGet.bind(doors.api);
  let readNow = 0;
  let mostInTurn = 0;
  doors.api.tryGet = (key) => {
    readNow += 1;
    return tryGet(key);
  };
  const look = (): void => {
    turns += 1;
    mostInTurn = Math.max(mostInTurn, readNow - readBefore);
    readBefore = readNow;
    if (readNow < 20) setImmediate(look);
  };
  setImmediate(look);
  const get = (at: number): Promise<unknown> =>
    call(client, '/causeway.v1.KeyValue/Get', v1.GetRequest, v1.GetResponse, { key: 'big' }).then(() =>
      order.push(at),
    );
  await Promise.all(Array.from({ length: 20 }, (_, at) => get(at)));
  expect(readNow).toBe(20);
  expect(turns).toBeGreaterThan(10);
  expect(mostInTurn).toBeLessThanOrEqual(2);
  expect(order).toHaveLength(20);
});

test('many large reads of one pipeline: the same, and each is answered', async () => {
  const path = '/causeway.v1.KeyValue/Pipeline';
  const stream = openStream(doors.client, path, v1.PipelineRequest, v1.PipelineResponse);
  stream.on('error', () => undefined);
  const tryGet = doors.api.tryGet.bind(doors.api);
  let [readNow, readBefore, mostInTurn] = [0, 0, 0];
  doors.api.tryGet = (key) => {
    readNow += 1;
    return tryGet(key);
  };
  const look = (): void => {
    mostInTurn = Math.max(mostInTurn, readNow - readBefore);
    readBefore = readNow;
    if (readNow < 20) setImmediate(look);
  };
  setImmediate(look);
  const told: number[] = [];
  stream.on('data', ({ results }: causeway.v1.PipelineResponse) =>
    told.push(...results.map(({ number }) => number)),
  );
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.write({ operations: Array.from({ length: 20 }, (_, number) => ({ number, get: { key: 'big' } })) });
  stream.end();
  await ended;
  expect(told.sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(mostInTurn).toBeLessThanOrEqual(2);
});

test('many large reads whose client goes while they wait for their turn: none of them is begun any more', async () => {
  const message = v1.GetRequest.encode({ key: 'big' }).finish();
  const tryGet = doors.api.tryGet.bind(doors.api);
  let readCount = 0;
  doors.api.tryGet = (key) => {
    readCount += 1;
    return tryGet(key);
  };
  const asked = 500;
  for (let at = 0; at < asked; at += 1)
    askWithoutReading('/causeway.v1.KeyValue/Get', message, () => undefined);
  await eventually(() => readCount > 0, 'the first read');
  session.destroy();
  const { turns } = untakenOf(doors.server);
  await eventually(() => turns.isOpen, 'nobody waits');
  expect(readCount).toBeLessThan(asked / 2);
});

test('large reads that are read: nothing is left on the account', async () => {
  const untaken = untakenOf(doors.server);
  const get = (): Promise<unknown> =>
    call(doors.client, '/causeway.v1.KeyValue/Get', v1.GetRequest, v1.GetResponse, { key: 'big' });
  for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 20 }, get));
  await eventually(() => untaken.total === 0, 'all was taken');
});

test('a pipeline that is not read, and then gone: counted with all others, and no longer', async () => {
  const untaken = untakenOf(doors.server);
  const path = '/causeway.v1.KeyValue/Pipeline';
  const stream = openStream(doors.client, path, v1.PipelineRequest, v1.PipelineResponse);
  stream.on('error', () => undefined);
  stream.pause();
  stream.write({ operations: Array.from({ length: 50 }, (_, number) => ({ number, get: { key: 'big' } })) });
  await eventually(() => untaken.total >= PIPELINE_ANSWER_BYTES_PAUSE, 'a full pipeline');
  expect(untaken.total).toBeLessThan(PIPELINE_ANSWER_BYTES_PAUSE + 2 * VALUE_BYTES);
  stream.cancel();
  await eventually(() => untaken.total === 0, 'nothing waits');
});

test('all that clients may hold is held: who holds little goes on, who holds more than a share waits', () => {
  const untaken = new Untaken();
  for (let at = 0; untaken.total < ANSWER_BYTES_TOTAL_MAX; at += 1)
    untaken.add(`slow ${at}`, 2 * ANSWER_BYTES_SHARE);
  untaken.add('reads', ANSWER_BYTES_SHARE / 2);
  expect(untaken.isFull('slow 1')).toBe(true);
  expect(untaken.isFull('reads')).toBe(false);
  expect(untaken.isFull('new')).toBe(false);
  untaken.add('slow 0', -2 * ANSWER_BYTES_SHARE);
  expect(untaken.isFull('slow 1')).toBe(false);
  expect(untaken.of('slow 0')).toBe(0);
});

test('a connection tells how many calls may be open on it', async () => {
  await eventually(
    () => session.remoteSettings.maxConcurrentStreams === CONNECTION_CALLS_MAX,
    'the settings',
  );
});
