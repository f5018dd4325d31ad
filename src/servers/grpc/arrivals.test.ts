/** Clients that start calls and never finish them, and too many clients at once. */
import { EventEmitter } from 'node:events';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, Http2Server, OutgoingHttpHeaders } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { eventually, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import {
  GRPC_CONNECTIONS_BEYOND_MAX,
  GRPC_FIRST_CALL_MS_MAX,
  GRPC_LOOK_MS,
  GRPC_REQUEST_BYTES_SHARE,
  GRPC_REQUEST_BYTES_TOTAL_MAX,
  GRPC_REQUEST_MS_MAX,
} from '../../core/clients/grpc-limits.ts';
import { causeway } from '../../gen/protocol.js';
import type { Arrival } from './arrivals.ts';
import { Connections } from './connections.ts';
import { statusOf } from './method.ts';

const { v1 } = causeway;
const VALUE_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 3;
const MEMBER_PATH = '/some.member/Link';

let doors: DoorFixture;
const sessions: ClientHttp2Session[] = [];
beforeEach(async () => {
  const options = { connectionsMax: CONNECTIONS_MAX, memberPath: MEMBER_PATH };
  doors = await openDoors(VALUE_BYTES_MAX, new FakeNodeApi(), true, null, options);
});
afterEach(async () => {
  // On Node 20, a client session that is destroyed while it is being read from may loop for ever.
  await new Promise((resolve) => setImmediate(resolve));
  for (const session of sessions.splice(0)) session.destroy();
  await doors.stop();
});

function newSession(): ClientHttp2Session {
  const session = connect(`http://${doors.address}`);
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
}

interface Asked {
  readonly stream: ClientHttp2Stream;
  /** Status and code, or the number of the reset if the call ended without them. */
  readonly told: Promise<string>;
}

function begin(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): Asked {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/causeway.v1.KeyValue/Put',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  let status = '';
  const note = (fields: OutgoingHttpHeaders): void => {
    if (fields['grpc-status'] !== undefined)
      status = `${String(fields['grpc-status'])} ${String(fields['causeway-code'])}`;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', () => undefined);
  stream.on('error', () => undefined);
  const told = new Promise<string>((resolve) =>
    stream.once('close', () => resolve(status === '' ? `reset ${stream.rstCode}` : status)),
  );
  return { stream, told };
}

function framed(value: Uint8Array): Buffer {
  const message = v1.PutRequest.encode({ key: 'a', value }).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const SMALL = framed(Buffer.from('v'));
const LARGE = framed(Buffer.alloc(2 * GRPC_REQUEST_BYTES_SHARE));
const HALF = LARGE.subarray(0, LARGE.length - 1);
const DONE = `${Status.OK} undefined`;
const OVERLOADED = `${Status.RESOURCE_EXHAUSTED} overloaded`;
const GZIP = { 'grpc-encoding': 'gzip' };

function put(session: ClientHttp2Session, bytes: Buffer): Promise<string> {
  const { stream, told } = begin(session);
  stream.end(bytes);
  return told;
}

/** As if other clients held this many bytes. */
function fill(bytes: number): void {
  doors.doors.arrivals.total += bytes;
}

test.each([
  ['taken straight from HTTP/2', {}],
  ['that grpc-js takes', GZIP],
])('a call %s, all room in use: refused once its connection holds more than a share', async (_, headers) => {
  const { arrivals } = doors.doors;
  fill(GRPC_REQUEST_BYTES_TOTAL_MAX - GRPC_REQUEST_BYTES_SHARE);
  const session = newSession();
  const slow = begin(session, headers);
  slow.stream.write(HALF);
  expect(await slow.told).toBe(OVERLOADED);
  // The refused call holds nothing any more. Its connection stays usable, even for a request larger than a share if
  // there is room.
  await eventually(
    () => arrivals.total === GRPC_REQUEST_BYTES_TOTAL_MAX - GRPC_REQUEST_BYTES_SHARE,
    'all let go',
  );
  expect(await put(session, SMALL)).toBe(DONE);
  fill(-GRPC_REQUEST_BYTES_TOTAL_MAX / 2);
  expect(await put(session, LARGE)).toBe(DONE);
  expect(doors.api.calls).toHaveLength(2);
});

test('all room in use: who holds little is served, on a connection whose calls together hold more nobody is', async () => {
  fill(GRPC_REQUEST_BYTES_TOTAL_MAX);
  const [modest, greedy] = [newSession(), newSession()];
  const calls = Array.from({ length: 3 }, () => begin(greedy));
  for (const { stream } of calls) stream.write(HALF.subarray(0, GRPC_REQUEST_BYTES_SHARE / 2));
  expect(await Promise.race(calls.map(({ told }) => told))).toBe(OVERLOADED);
  expect(await put(modest, SMALL)).toBe(DONE);
});

test('requests that come to their end, or whose clients go away: nothing of them is counted any more', async () => {
  const { arrivals } = doors.doors;
  const [session, other] = [newSession(), newSession()];
  const begun = [begin(session), begin(session, GZIP), begin(other)];
  for (const { stream } of begun) stream.write(HALF);
  await eventually(() => arrivals.total === 3 * HALF.length, 'three halves');
  begun[0]!.stream.end(LARGE.subarray(HALF.length));
  expect(await begun[0]!.told).toBe(DONE);
  await eventually(() => arrivals.total === 2 * HALF.length, 'two halves');
  begun[1]!.stream.close();
  other.destroy();
  await eventually(() => arrivals.total === 0, 'none');
});

const PIPELINE = { ':path': '/causeway.v1.KeyValue/Pipeline' };

/** Messages of a pipeline: a small write, and one larger than a share. */
function framesOf(...values: Uint8Array[]): Buffer {
  return Buffer.concat(
    values.map((value, number) => {
      const message = v1.PipelineRequest.encode({
        operations: [{ number, put: { key: 'a', value } }],
      }).finish();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      return Buffer.concat([head, message]);
    }),
  );
}

test('messages of a pipeline, however they are cut: each counts until it is whole', async () => {
  const { arrivals } = doors.doors;
  const { stream, told } = begin(newSession(), PIPELINE);
  const bytes = framesOf(Buffer.from('v'), new Uint8Array(0), Buffer.alloc(300), Buffer.from('w'));
  for (const byte of bytes.subarray(0, 30)) stream.write(Buffer.of(byte));
  stream.write(bytes.subarray(30));
  stream.write(HALF.subarray(0, 3));
  await eventually(() => arrivals.total === 3 && doors.api.calls.length === 4, 'all but the last');
  stream.write(HALF.subarray(3));
  await eventually(() => arrivals.total === HALF.length, 'the half of one');
  stream.close();
  await told;
  await eventually(() => arrivals.total === 0, 'nothing');
});

test('a pipeline, all room in use: refused with a message that is not whole, and served while what it holds is small', async () => {
  const { arrivals } = doors.doors;
  fill(GRPC_REQUEST_BYTES_TOTAL_MAX);
  const modest = begin(newSession(), PIPELINE);
  modest.stream.end(framesOf(Buffer.from('v')));
  expect(await modest.told).toBe(DONE);
  const greedy = begin(newSession(), PIPELINE);
  greedy.stream.write(HALF);
  expect(await greedy.told).toBe(OVERLOADED);
  const late = begin(newSession(), PIPELINE);
  const answered = new Promise((resolve) => late.stream.once('data', resolve));
  late.stream.write(framesOf(Buffer.from('v')));
  await answered;
  late.stream.write(HALF);
  expect(await late.told).toBe(`reset ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`);
  await eventually(() => arrivals.total === GRPC_REQUEST_BYTES_TOTAL_MAX, 'all let go');
});

test('a pipeline of which something was begun and is not answered, all room in use: no status says that nothing happened', async () => {
  fill(GRPC_REQUEST_BYTES_TOTAL_MAX);
  let begun = 0;
  doors.api.write = () => void (begun += 1);
  const { stream, told } = begin(newSession(), PIPELINE);
  stream.write(framesOf(Buffer.from('v')));
  await eventually(() => begun === 1, 'the write is under way');
  stream.write(HALF);
  expect(await told).toBe(`reset ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`);
});

test('a pipeline whose connection holds all that it may: nothing is begun of what came together with what was refused', async () => {
  fill(GRPC_REQUEST_BYTES_TOTAL_MAX);
  const session = newSession();
  const other = begin(session);
  other.stream.write(HALF.subarray(0, GRPC_REQUEST_BYTES_SHARE - 100));
  await eventually(
    () => doors.doors.arrivals.total === GRPC_REQUEST_BYTES_TOTAL_MAX + GRPC_REQUEST_BYTES_SHARE - 100,
    'what the other call holds',
  );
  const { stream, told } = begin(session, PIPELINE);
  stream.write(Buffer.concat([framesOf(Buffer.from('v')), HALF.subarray(0, 200)]));
  expect(await told).toBe(OVERLOADED);
  expect(doors.api.calls).toEqual([]);
});

test.each([
  ['taken straight from HTTP/2, of which nothing came', {}, Buffer.alloc(0)],
  ['taken straight from HTTP/2, of which all but its end came', {}, SMALL],
  ['that grpc-js takes', GZIP, HALF],
])('a call %s: ended in time, and told so, where its client does not', async (_, headers, bytes) => {
  const { arrivals } = doors.doors;
  const { stream, told } = begin(newSession(), headers);
  if (bytes.length > 0) stream.write(bytes);
  await eventually(() => arrivals.openCount === 1 && arrivals.total === bytes.length, 'the call');
  for (let looks = 0; looks < GRPC_REQUEST_MS_MAX / GRPC_LOOK_MS; looks += 1) arrivals.look();
  expect(arrivals.openCount).toBe(1);
  arrivals.look();
  expect(await told).toBe(`${Status.DEADLINE_EXCEEDED} deadline_before_start`);
  expect([arrivals.openCount, arrivals.total]).toEqual([0, 0]);
  expect(doors.api.calls).toEqual([]);
});

test('a call that grpc-js takes comes to its end in the turn in which it is ended: nothing of it is begun', async () => {
  const { arrivals } = doors.doors;
  const { stream, told } = begin(newSession(), GZIP);
  stream.write(SMALL);
  await eventually(() => arrivals.openCount === 1 && arrivals.total === SMALL.length, 'the call');
  const [arrival] = (arrivals as unknown as { open: Set<Arrival> }).open;
  for (let looks = 0; looks <= GRPC_REQUEST_MS_MAX / GRPC_LOOK_MS; looks += 1) arrivals.look();
  arrival!.stream.emit('end');
  expect(await told).toBe(`${Status.DEADLINE_EXCEEDED} deadline_before_start`);
  expect(doors.api.calls).toEqual([]);
});

test('an operation that takes longer than its request may: none of its time counts', async () => {
  const { arrivals } = doors.doors;
  let answer: (() => void) | undefined;
  const { write } = doors.api;
  doors.api.write = (operation, timeoutMs, done) => {
    answer = () => write.call(doors.api, operation, timeoutMs, done);
  };
  const asked = put(newSession(), SMALL);
  await eventually(() => answer !== undefined, 'the write at the node');
  for (let looks = 0; looks <= GRPC_REQUEST_MS_MAX / GRPC_LOOK_MS; looks += 1) arrivals.look();
  answer!();
  expect(await asked).toBe(DONE);
});

test('more connections than may be: told at the first call and closed; members are let in, and others when one has gone', async () => {
  const { connections } = doors.doors;
  const first = Array.from({ length: CONNECTIONS_MAX }, newSession);
  for (const session of first) expect(await put(session, SMALL)).toBe(DONE);
  const further = newSession();
  const closed = new Promise((resolve) => further.once('close', resolve));
  expect(await put(further, SMALL)).toBe(OVERLOADED);
  await closed;
  await eventually(() => connections.count === CONNECTIONS_MAX, 'it is gone');
  expect(connections.rejected).toBe(1);
  const member = newSession();
  expect(await begin(member, { ':path': MEMBER_PATH }).told).toBe(`${Status.UNIMPLEMENTED} undefined`);
  expect(member.closed).toBe(false);
  first[0]!.destroy();
  member.destroy();
  await eventually(() => connections.count === CONNECTIONS_MAX - 1, 'they are gone');
  expect(await put(newSession(), SMALL)).toBe(DONE);
  expect(connections.rejected).toBe(1);
});

test('one beyond them that was closed, and does not go: cut at the next look', () => {
  const connections = new Connections({ statusOf, connectionsMax: 0 });
  const server = new EventEmitter();
  connections.watch(server as Http2Server);
  const session = Object.assign(new EventEmitter(), {
    closed: false,
    close: () => (session.closed = true),
    destroy: () => session.emit('close'),
  });
  server.emit('session', session);
  for (let looks = 0; looks <= GRPC_FIRST_CALL_MS_MAX / GRPC_LOOK_MS; looks += 1) connections.look();
  expect([session.closed, connections.count]).toEqual([true, 1]);
  connections.look();
  expect([connections.count, connections.rejected]).toEqual([0, 1]);
});

test('one beyond them that begins no call: closed after a while, and there are no more of such than may be', async () => {
  const { connections } = doors.doors;
  const all = Array.from({ length: CONNECTIONS_MAX + 2 }, newSession);
  await eventually(() => connections.count === CONNECTIONS_MAX + 2, 'all are open');
  for (let looks = 0; looks <= GRPC_FIRST_CALL_MS_MAX / GRPC_LOOK_MS; looks += 1) connections.look();
  await eventually(() => connections.count === CONNECTIONS_MAX, 'those beyond are closed');
  expect(all.filter(({ closed }) => closed)).toHaveLength(2);
  expect(connections.rejected).toBe(2);
  const { http2Servers } = doors.server as unknown as {
    http2Servers: Map<{ maxConnections: number }, unknown>;
  };
  for (const { maxConnections } of http2Servers.keys())
    expect(maxConnections).toBe(CONNECTIONS_MAX + GRPC_CONNECTIONS_BEYOND_MAX);
});
