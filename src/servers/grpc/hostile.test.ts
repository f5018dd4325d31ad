/**
 * The gRPC door against clients that send little and make it use much memory: compressed messages, floods of metadata.
 */
import { connect } from 'node:http2';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { status as Status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { causeway } from '../../gen/protocol.js';

const { v1 } = causeway;
const BOMB_BYTES = 200 * 1024 * 1024;
const GROWTH_BYTES_MAX = 64 * 1024 * 1024;

let doors: DoorFixture;
let session: ClientHttp2Session;
beforeEach(async () => {
  doors = await openDoors();
  session = connect(`http://${doors.address}`);
  session.on('error', () => undefined);
});
afterEach(async () => {
  session.destroy();
  await doors.stop();
});

/** One message in the framing of gRPC. */
function framed(message: Uint8Array, compressed: boolean): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Makes a unary call with these bytes; resolves to its grpc-status, or to how the stream ended without one. */
function put(body: Buffer, headers: OutgoingHttpHeaders = {}): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/causeway.v1.KeyValue/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let told = 'no status';
    const note = (fields: { readonly [name: string]: string | string[] | number | undefined }): void => {
      if (fields['grpc-status'] !== undefined) told = String(fields['grpc-status']);
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', () => undefined);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(told));
    stream.end(body);
  });
}

const message = (value: Uint8Array): Uint8Array => v1.PutRequest.encode({ key: 'a', value }).finish();
const OK = String(Status.OK);
const memory = (): number => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;

test('a compressed message of ordinary size: taken', async () => {
  const body = framed(gzipSync(message(Buffer.from('v'))), true);
  expect(await put(body, { 'grpc-encoding': 'gzip' })).toBe(OK);
});

test('a small message that unpacks to 200 MB: refused, without the memory being taken', async () => {
  const bomb = framed(gzipSync(Buffer.alloc(BOMB_BYTES)), true);
  expect(bomb.length).toBeLessThan(1024 * 1024);
  let highest = 0;
  const before = memory();
  const watch = setInterval(() => (highest = Math.max(highest, memory())), 1);
  expect(await put(bomb, { 'grpc-encoding': 'gzip' })).toBe(String(Status.INVALID_ARGUMENT));
  clearInterval(watch);
  expect(highest - before).toBeLessThan(GROWTH_BYTES_MAX);
  expect(await put(framed(message(Buffer.from('v')), false))).toBe(OK);
});

test('a message that is said to be compressed and is not, or in a way that nobody knows: refused, and the door stands', async () => {
  expect(await put(framed(message(Buffer.from('v')), true), { 'grpc-encoding': 'gzip' })).not.toBe(OK);
  expect(await put(framed(message(Buffer.from('v')), true), { 'grpc-encoding': 'zstd' })).not.toBe(OK);
  expect(await put(framed(message(Buffer.from('v')), false))).toBe(OK);
});

test('metadata of 1 MB: that call is refused, and the next one is served', async () => {
  const flood = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x-${at}`, 'a'.repeat(10_000)]));
  expect(await put(framed(message(Buffer.from('v')), false), flood)).not.toBe(OK);
  session.destroy();
  session = connect(`http://${doors.address}`);
  expect(await put(framed(message(Buffer.from('v')), false))).toBe(OK);
});
