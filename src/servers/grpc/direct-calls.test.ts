/** Unary calls look the same to a client whether they are handled straight from HTTP/2 or by grpc-js. */
import { connect } from 'node:http2';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { status as Status } from '@grpc/grpc-js';
import type { Server } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { uncaughtBy } from '../../../test/support/uncaught.ts';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { isErrorCode } from '../../core/errors.ts';
import { causeway } from '../../gen/protocol.js';
import { requestBytesMax } from './method.ts';
import { statusHeaders } from './raw-status.ts';

const { v1 } = causeway;
const VALUE_BYTES_MAX = 256 * 1024;

interface Side {
  readonly doors: DoorFixture;
  readonly session: ClientHttp2Session;
  /** How many calls grpc-js itself was given. */
  taken: number;
}

interface Seen {
  readonly status: string;
  readonly code: string;
  readonly certainty: string;
  readonly message: string;
  readonly body: string;
}

let direct: Side;
let throughLibrary: Side;
beforeAll(async () => {
  direct = await openSide();
  throughLibrary = await openSide();
});
afterAll(async () => {
  for (const { doors, session } of [direct, throughLibrary]) {
    session.destroy();
    await doors.stop();
  }
});
beforeEach(() => {
  for (const { doors } of [direct, throughLibrary]) {
    doors.api.records.clear();
    doors.api.failWith = undefined;
  }
});

async function openSide(): Promise<Side> {
  const doors = await openDoors(VALUE_BYTES_MAX, new FakeNodeApi());
  const session = connect(`http://${doors.address}`);
  session.on('error', () => undefined);
  const side = { doors, session, taken: 0 };
  countTaken(doors.server, () => (side.taken += 1));
  return side;
}

/** Counts the calls that grpc-js handles: it looks the handler up for each of them. */
function countTaken(server: Server, count: () => void): void {
  const { handlers } = server as unknown as { readonly handlers: Map<string, unknown> };
  const get = (path: string): unknown => Map.prototype.get.call(handlers, path) as unknown;
  handlers.get = (path) => {
    count();
    return get(path);
  };
}

/** The message in the framing of gRPC. */
function framed(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function ask(
  session: ClientHttp2Session,
  method: string,
  pieces: readonly Buffer[],
  headers: OutgoingHttpHeaders = {},
): Promise<Seen> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/causeway.v1.KeyValue/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const told: Record<string, unknown> = {};
    const body: Buffer[] = [];
    stream.on('response', (fields) => void Object.assign(told, fields));
    stream.on('trailers', (fields) => void Object.assign(told, fields));
    stream.on('data', (piece: Buffer) => body.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({
        status: String(told['grpc-status']),
        code: String(told['causeway-code']),
        certainty: String(told['causeway-certainty']),
        message: decodeURI(String(told['grpc-message'])),
        body: Buffer.concat(body).toString('hex'),
      }),
    );
    for (const piece of pieces) stream.write(piece);
    stream.end();
  });
}

const putRequest = (value: Uint8Array): Uint8Array => v1.PutRequest.encode({ key: 'a', value }).finish();
const put = framed(putRequest(Buffer.from('v')));
const get = framed(v1.GetRequest.encode({ key: 'none' }).finish());

/** Calls that declare an encoding are left to grpc-js, whether they are in fact compressed or not. */
const TO_LIBRARY = { 'grpc-encoding': 'gzip' };

test('ordinary calls: answered without grpc-js; through it where it is left to take them', async () => {
  const before = direct.taken;
  expect((await ask(direct.session, 'Put', [put])).status).toBe('0');
  expect((await ask(direct.session, 'Get', [get], { 'grpc-timeout': '5S' })).status).toBe('0');
  expect(direct.taken).toBe(before);
  await ask(throughLibrary.session, 'Put', [put], TO_LIBRARY);
  expect(throughLibrary.taken).toBe(1);
});

const LARGE = putRequest(Buffer.alloc(VALUE_BYTES_MAX, 1));
const CASES: readonly [string, string, readonly Buffer[], OutgoingHttpHeaders?][] = [
  ['a read of nothing', 'Get', [get]],
  ['a message in many pieces', 'Put', Array.from(put, (_, at) => put.subarray(at, at + 1))],
  ['the largest value', 'Put', [framed(LARGE)]],
  ['a value that is too large', 'Put', [framed(putRequest(Buffer.alloc(VALUE_BYTES_MAX + 1)))]],
  ['bytes that are no message', 'Put', [framed(Buffer.from([0xff, 0xff, 0xff]))]],
  ['an empty message', 'Put', [framed(Buffer.alloc(0))]],
  ['no message', 'Put', []],
  ['a message that ends early', 'Put', [put.subarray(0, put.length - 1)]],
  ['two messages', 'Put', [put, put]],
  ['a length beyond what may come', 'Put', [Buffer.from([0, 0xff, 0xff, 0xff, 0xff])]],
  ['more bytes than may come', 'Put', [framed(Buffer.alloc(requestBytesMax(VALUE_BYTES_MAX) + 1))]],
  ['a compressed message', 'Put', [framed(gzipSync(put.subarray(5)), 1)], { 'grpc-encoding': 'gzip' }],
  ['a timeout that is none', 'Put', [put], { 'grpc-timeout': 'soon' }],
  ['a method that nobody has', 'Nothing', [put]],
];

test.each(CASES)('%s: the same status, code and answer either way', async (_, method, pieces, headers) => {
  const { message: _told, ...seen } = await ask(direct.session, method, pieces, headers);
  const before = throughLibrary.taken;
  const { message: _said, ...expected } = await ask(throughLibrary.session, method, pieces, {
    ...TO_LIBRARY,
    ...headers,
  });
  expect(throughLibrary.taken).toBe(before + 1);
  expect(seen).toEqual(expected);
  expect(seen.status === '0' || isErrorCode(seen.code)).toBe(true);
});

test('a request that is too large, either way: a bad argument, definitely, and the message names the limit of values', async () => {
  for (const [{ session }, headers] of [
    [direct, {}],
    [throughLibrary, TO_LIBRARY],
  ] as const) {
    const seen = await ask(session, 'Put', [framed(putRequest(Buffer.alloc(5_000_000)))], headers);
    expect(seen).toMatchObject({
      status: String(Status.INVALID_ARGUMENT),
      code: 'invalid_argument',
      certainty: 'definite',
    });
    expect(seen.message).toContain(`a value may have ${VALUE_BYTES_MAX}`);
  }
});

test('bytes that do not unpack, and a frame of a pipeline that is too large: told with a code as well', async () => {
  const { session } = throughLibrary;
  const seen = await ask(session, 'Put', [framed(Buffer.from('no'), 1)], TO_LIBRARY);
  expect(seen).toMatchObject({ status: '3', code: 'invalid_argument', certainty: 'definite' });
  const frame = await ask(session, 'Pipeline', [framed(Buffer.alloc(5_000_000))]);
  expect(frame).toMatchObject({ status: '3', code: 'invalid_argument', certainty: 'definite' });
});

test('a failure of the node: its code and certainty in the status either way', async () => {
  for (const [{ doors, session }, headers] of [
    [direct, {}],
    [throughLibrary, TO_LIBRARY],
  ] as const) {
    doors.api.failWith = 'outcome_unknown';
    const { code, certainty, status } = await ask(session, 'Put', [put], headers);
    expect({ code, certainty, status }).toEqual({
      code: 'outcome_unknown',
      certainty: 'indefinite',
      status: String(Status.DEADLINE_EXCEEDED),
    });
  }
});

test('no time left: told as such, and nothing is begun', async () => {
  const seen = await ask(direct.session, 'Put', [put], { 'grpc-timeout': '0m' });
  expect(seen).toMatchObject({ code: 'deadline_before_start', certainty: 'definite' });
  expect(direct.doors.api.records.has('a')).toBe(false);
});

test('a handler that throws, whoever took the call: it is told so, and the process is to end', async () => {
  const fault = new Error('a fault');
  for (const { doors, session } of [direct, throughLibrary]) {
    const { write } = doors.api;
    doors.api.write = () => {
      throw fault;
    };
    const headers = doors === throughLibrary.doors ? TO_LIBRARY : {};
    const { told, error } = await uncaughtBy(() => ask(session, 'Put', [put], headers));
    doors.api.write = write;
    expect(told).toMatchObject({
      status: String(Status.INTERNAL),
      code: 'internal',
      certainty: 'indefinite',
    });
    expect(error).toBe(fault);
  }
});

test('half a character in what is to be told: it is told all the same', () => {
  expect(statusHeaders({ details: 'a\ud800' })['grpc-message']).toBe(encodeURI('a\ufffd'));
});

test('a client that goes away before its answer: nothing is answered, and the connection serves on', async () => {
  let answer = (): void => undefined;
  const { api } = direct.doors;
  const { write } = api;
  api.write = (operation, timeoutMs, done) => {
    answer = () => write.call(api, operation, timeoutMs, done);
  };
  const stream = direct.session.request({
    ':method': 'POST',
    ':path': '/causeway.v1.KeyValue/Put',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => undefined);
  stream.end(put);
  const idle = answer;
  await eventually(() => answer !== idle, 'the write at the node');
  stream.close();
  await new Promise((resolve) => stream.once('close', resolve));
  api.write = write;
  expect((await ask(direct.session, 'Get', [get])).status).toBe('0');
  answer();
  expect((await ask(direct.session, 'Get', [get])).status).toBe('0');
});

test('a server that is told to stop: what is under way is answered before it has stopped', async () => {
  const doors = await openDoors();
  const session = connect(`http://${doors.address}`);
  session.on('error', () => undefined);
  const { api, server } = doors;
  const { write } = api;
  let answer: (() => void) | undefined;
  api.write = (operation, timeoutMs, done) => {
    answer = () => write.call(api, operation, timeoutMs, done);
  };
  const asked = ask(session, 'Put', [put]);
  await eventually(() => answer !== undefined, 'the write at the node');
  let hasStopped = false;
  const stopped = new Promise<void>((resolve) => {
    server.tryShutdown(() => {
      hasStopped = true;
      resolve();
    });
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasStopped).toBe(false);
  answer!();
  expect((await asked).status).toBe('0');
  await stopped;
  session.destroy();
  doors.client.close();
});
