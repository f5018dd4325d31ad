/** Badly behaved diallers at a member's port, both through grpc-js and where links are taken directly from HTTP/2. */
import { EventEmitter, once } from 'node:events';
import http2 from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { numberedFrame, numberOf } from '../../../test/contracts/transport.ts';
import { startPeer } from '../../../test/support/start-peer.ts';
import type { StartedPeer } from '../../../test/support/start-peer.ts';
import { encodeHello, HANDSHAKE_BYTES_MAX } from '../../wire/handshake.ts';
import {
  encodeAlive,
  encodePacket,
  encodeText,
  FIELD_FRAME,
  FIELD_HELLO,
  withPrefix,
} from '../../wire/packet-codec.ts';
import { LINK_TIMING } from './peer-dialer.ts';
import { LINK_PATH } from './peer-link.ts';
import { PeerListener } from './peer-listener.ts';
import { FRAME_BYTES_ACCEPTED_MAX } from './transport.ts';

const TIMING = { backOffMsMin: 20, backOffMsMax: 60, handshakeMsMax: 400, aliveEveryMs: 60 };
const ENDED_LINKS = 10;
const endings: (() => void)[] = [];

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function bytesHeld(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

afterEach(() => {
  for (const ending of endings.splice(0).reverse()) ending();
});

async function reached(condition: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

function openConnection(port: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1_000 });
  endings.push(() => session.destroy());
  session.on('error', () => {});
  return session;
}

/** Opens a stream as a dialler does. */
function openLink(port: number, session = openConnection(port)): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': LINK_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  return stream;
}

/** Sends these packets to a peer's port; resolves to the gRPC status with which the stream ended. */
function speak(port: number, ...packets: Uint8Array[]): Promise<string> {
  return speakBytes(port, ...packets.map(withPrefix));
}

/** The same, with length prefixes included in the pieces. */
function speakBytes(port: number, ...pieces: Uint8Array[]): Promise<string> {
  const stream = openLink(port);
  for (const piece of pieces) stream.write(piece);
  stream.resume();
  return new Promise((resolve) => {
    stream.on('response', (headers) => headers['grpc-status'] && resolve(String(headers['grpc-status'])));
    stream.on('trailers', (headers: http2.IncomingHttpHeaders) => resolve(String(headers['grpc-status'])));
    stream.on('close', () => resolve('closed'));
  });
}

const helloOf = (name: string, run: string, attempt: number): Uint8Array =>
  encodeText(
    FIELD_HELLO,
    encodeHello({
      name,
      clusterName: 'test',
      protocolMin: 1,
      protocolMax: 2,
      settings: { leaseMs: '600', zone: 'any' },
      to: 'b',
      run,
      attempt,
    }),
  );

async function addPeer(byLibrary: boolean): Promise<StartedPeer> {
  const added = await startPeer('b', { timing: TIMING, byLibrary });
  endings.push(added.end);
  return added;
}

describe.each([
  ['taken from HTTP/2', false],
  ['by way of grpc-js', true],
])('a link %s', (_how, byLibrary) => {
  test('bytes that are no packet, a frame before the hello, no hello at all: the stream is ended', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const INVALID_ARGUMENT = '3';
    expect(await speak(port, Buffer.from([0xff, 0xff]))).toBe(INVALID_ARGUMENT);
    expect(await speak(port, encodePacket(FIELD_FRAME, numberedFrame(1, 10)))).toBe(INVALID_ARGUMENT);
    expect(await speak(port, encodeText(FIELD_HELLO, '{"name":7}'))).toBe(INVALID_ARGUMENT);
    expect(await speak(port)).toBe('4');
    expect(b.log).toEqual([]);
  });

  test('a frame above the limit: the link is cut', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const big = encodePacket(FIELD_FRAME, numberedFrame(1, FRAME_BYTES_ACCEPTED_MAX + 1));
    expect(
      await speak(port, helloOf('x', 'r', 1), encodePacket(FIELD_FRAME, numberedFrame(0, 10)), big),
    ).toBe('3');
    expect(b.log).toEqual(['frame x', 'gone x']);
  });

  test('another process of a name whose link stands: refused, and the first goes on; taken once that is gone', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const first = openLink(port);
    first.resume();
    const send = (packet: Uint8Array) => first.write(withPrefix(packet));
    send(helloOf('x', 'r1', 7));
    const alive = setInterval(() => send(encodeAlive()), TIMING.aliveEveryMs / 2);
    endings.push(() => clearInterval(alive));
    send(encodePacket(FIELD_FRAME, numberedFrame(1, 10)));
    await reached(() => b.framesFrom('x').length === 1);
    expect(await speak(port, helloOf('x', 'r2', 8), encodePacket(FIELD_FRAME, numberedFrame(2, 10)))).toBe(
      '0',
    );
    send(encodePacket(FIELD_FRAME, numberedFrame(3, 10)));
    await reached(() => b.framesFrom('x').length === 2);
    expect(b.log).toEqual(['frame x', 'refused x', 'frame x']);
    clearInterval(alive);
    first.close(http2.constants.NGHTTP2_CANCEL);
    await reached(() => b.log.includes('gone x'));
    void speak(port, helloOf('x', 'r2', 9), encodePacket(FIELD_FRAME, numberedFrame(4, 10)));
    await reached(() => b.framesFrom('x').length === 3);
    expect(b.framesFrom('x').map(numberOf)).toEqual([1, 3, 4]);
  });

  test('a newer link of the same process: takes the place of the older, whose frames are heard no more', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const older = speak(port, helloOf('x', 'r', 7), encodePacket(FIELD_FRAME, numberedFrame(1, 10)));
    await reached(() => b.framesFrom('x').length === 1);
    void speak(port, helloOf('x', 'r', 8), encodePacket(FIELD_FRAME, numberedFrame(2, 10)));
    expect(await older).toBe('10');
    await reached(() => b.framesFrom('x').length === 2);
    expect(b.log).toEqual(['frame x', 'gone x', 'frame x']);
  });

  test('a late hello of an earlier dial: does not take the place of the newer link', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    void speak(port, helloOf('x', 'r', 7), encodePacket(FIELD_FRAME, numberedFrame(1, 10)));
    await reached(() => b.framesFrom('x').length === 1);
    expect(await speak(port, helloOf('x', 'r', 6))).toBe('0');
    expect(b.log).toEqual(['frame x', 'refused x']);
  });

  test('a frame in pieces of one byte, and two in one piece: each is taken whole', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const hello = withPrefix(helloOf('x', 'r', 1));
    const frames = [0, 1, 2].map((number) =>
      withPrefix(encodePacket(FIELD_FRAME, numberedFrame(number, 60))),
    );
    const bytes = Buffer.concat([hello, frames[0]!]);
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    void speakBytes(port, ...single, Buffer.concat([frames[1]!, frames[2]!]));
    await reached(() => b.framesFrom('x').length === 3);
    expect(b.framesFrom('x').map(numberOf)).toEqual([0, 1, 2]);
    expect(b.framesFrom('x').map((frame) => frame.length)).toEqual([60, 60, 60]);
  });

  test('links of many peers on one connection, as a proxy brings them, all at once: all stand', async () => {
    const { peer: b, port } = await addPeer(byLibrary);
    const session = openConnection(port);
    const names = Array.from({ length: 30 }, (_, at) => `x${at}`);
    const streams = names.map(() => openLink(port, session).resume());
    for (const [at, stream] of streams.entries()) stream.write(withPrefix(helloOf(names[at]!, 'r', 1)));
    for (const stream of streams) stream.write(withPrefix(encodePacket(FIELD_FRAME, numberedFrame(1, 10))));
    await reached(() => b.log.length >= names.length);
    expect(b.log.toSorted()).toEqual(names.map((name) => `frame ${name}`).toSorted());
    expect(session.destroyed).toBe(false);
  });

  test('what comes on a link that was ended is kept by nobody, however long its dialler leaves it open', async () => {
    const { port } = await addPeer(byLibrary);
    const unfinished = withPrefix(Buffer.alloc(FRAME_BYTES_ACCEPTED_MAX)).subarray(0, -1);
    const before = bytesHeld();
    const streams = Array.from({ length: ENDED_LINKS }, () => openLink(port).resume());
    // The streams are accepted first, because a stranger's packets have a lower limit.
    const ended = streams.map((stream, at) => {
      stream.write(withPrefix(helloOf(`x${at}`, 'r', 1)));
      stream.write(withPrefix(Buffer.from([0xff, 0xff])));
      return once(stream, 'trailers');
    });
    await Promise.all(ended);
    const taken = streams.map((stream) => new Promise((resolve) => stream.write(unfinished, resolve)));
    await Promise.all(taken);
    // The answer to a ping shows that everything before it has arrived; what was read last is freed soon.
    await Promise.all(streams.map((stream) => new Promise((resolve) => stream.session!.ping(resolve))));
    await reached(() => bytesHeld() - before < 3 * FRAME_BYTES_ACCEPTED_MAX);
    expect(streams.some((stream) => stream.destroyed)).toBe(false);
  });
});

test('a link taken from HTTP/2, a stranger that announces more than a hello can have: the link is ended, before that has come', async () => {
  const { port } = await addPeer(false);
  const announced = withPrefix(Buffer.alloc(HANDSHAKE_BYTES_MAX + 2_000)).subarray(0, 100);
  expect(await speakBytes(port, announced)).toBe('3');
});

test('a link taken from HTTP/2, a packet that says of itself that it is compressed: the link is ended', async () => {
  const { peer: b, port } = await addPeer(false);
  const packet = withPrefix(encodePacket(FIELD_FRAME, numberedFrame(1, 10)));
  packet[0] = 1;
  expect(await speakBytes(port, withPrefix(helloOf('x', 'r', 1)), packet)).toBe('3');
  await reached(() => b.count('gone x') === 1);
  expect(b.framesFrom('x')).toEqual([]);
});

test('strangers that say nothing, very many at once: so many are waited for, those beyond them are ended at once', () => {
  const listener = new PeerListener(LINK_TIMING, FRAME_BYTES_ACCEPTED_MAX, () => undefined);
  type Start = Parameters<PeerListener['start']>;
  listener.start({} as Start[0], {} as Start[1]);
  const ends: number[] = [];
  for (let stranger = 0; stranger < 300; stranger += 1) {
    const call = new EventEmitter().on('error', ({ code }: { code: number }) => ends.push(code));
    listener.answer(call as unknown as Parameters<PeerListener['answer']>[0]);
  }
  expect(ends).toEqual(new Array(300 - 256).fill(status.RESOURCE_EXHAUSTED));
  listener.close();
  expect(ends).toHaveLength(300);
});
