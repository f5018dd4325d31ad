/** The dialler's end of a link, towards an answerer that is made up packet by packet. */
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeAnswer } from '../../wire/handshake.ts';
import {
  decodePacket,
  encodeAlive,
  encodePacket,
  encodeText,
  FIELD_ANSWER,
  FIELD_FRAME,
  withPrefix,
} from '../../wire/packet-codec.ts';
import { PacketSplitter } from '../../wire/packet-splitter.ts';
import { LINK_TIMING, PeerDialer } from './peer-dialer.ts';

const LONG_MS = 600_000;
const STEADY_MS = 1_000;
const QUEUE_BYTES_MAX = 500_000;

let server: http2.Http2Server;
let streams: http2.ServerHttp2Stream[];
let heard: string[];
let log: string[];
let dialer: PeerDialer | null;
let dials: number;
/** How the answerer begins each stream. */
let begin: (stream: http2.ServerHttp2Stream) => void;

const accept = (stream: http2.ServerHttp2Stream): void => say(stream, answer({}));

beforeEach(async () => {
  [streams, heard, log, dialer, dials, begin] = [[], [], [], null, 0, accept];
  server = http2.createServer();
  server.on('stream', (stream) => {
    streams.push(stream);
    stream.on('error', () => undefined);
    const packets = new PacketSplitter(1_000_000);
    stream.on('data', (bytes: Buffer) => {
      packets.push(bytes, (packet) => {
        const { kind } = decodePacket(packet);
        heard.push(kind);
        if (kind === 'hello') begin(stream);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  dialer?.end();
  for (const { session } of streams) session?.destroy();
  server.close();
  vi.restoreAllMocks();
});

function answer(fields: object): Buffer {
  const text = encodeAnswer({ name: 'b', protocol: 2, refusal: null, ...fields });
  return encodeText(FIELD_ANSWER, text);
}

function say(stream: http2.ServerHttp2Stream, packet: Uint8Array): void {
  if (!stream.headersSent) stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
  stream.write(withPrefix(packet));
}

function dial(timing = {}): PeerDialer {
  dialer = new PeerDialer({
    name: 'b',
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hello: { name: 'a', clusterName: 'test', protocolMin: 1, protocolMax: 2, settings: {} },
    run: 'r',
    nextAttempt: () => ++dials,
    tls: null,
    timing: { ...LINK_TIMING, backOffMsMin: 1, backOffMsMax: 2, ...timing },
    queueBytesMax: QUEUE_BYTES_MAX,
    random: { next: () => 1 },
    onUp: () => log.push('up'),
    onDown: (reason) => log.push(`down: ${reason}`),
    onRefused: (reason) => log.push(`refused: ${reason}`),
  });
  return dialer;
}

async function reached(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 8_000, interval: 1 });
}

test('an answerer that says nothing more: sent a sign of life with each tick, and given up after too many', async () => {
  const link = dial();
  await reached(() => log.length === 1);
  const ticks = async (): Promise<void> => {
    const before = heard.length;
    for (let tick = 1; tick <= LINK_TIMING.silentTicksMax; tick += 1) {
      link.tick();
      await reached(() => heard.length === before + tick);
    }
  };
  await ticks();
  say(streams[0]!, encodeAlive());
  // Its answer shows that the sign was read before.
  await new Promise((resolve) => streams[0]!.session!.ping(resolve));
  await ticks();
  expect(heard).toEqual(['hello', ...new Array<string>(2 * LINK_TIMING.silentTicksMax).fill('alive')]);
  expect(log).toEqual(['up']);
  link.tick();
  await reached(() => log.length === 3);
  expect(log).toEqual(['up', 'down: the peer is silent', 'up']);
  await reached(() => streams[0]!.destroyed);
});

test('frames that the answerer does not take: counted; one alone may be large, more than the limit together cut the link', async () => {
  begin = (stream) => {
    accept(stream);
    stream.pause();
  };
  const link = dial();
  expect(link.queuedBytes).toBe(0);
  await reached(() => log.length === 1);
  const most = Buffer.alloc(QUEUE_BYTES_MAX + 1);
  expect(link.send(most)).toBe(true);
  expect(link.queuedBytes).toBeGreaterThan(QUEUE_BYTES_MAX);
  expect(link.send(most)).toBe(false);
  expect([link.queuedBytes, log]).toEqual([0, ['up']]);
  await reached(() => log.length === 3);
  expect(log).toEqual(['up', 'down: queue full', 'up']);
  await reached(() => streams[0]!.destroyed);
  expect(link.send(most)).toBe(true);
  link.finish();
  expect(link.queuedBytes).toBeGreaterThan(QUEUE_BYTES_MAX);
});

test.each([
  ['a frame', encodePacket(FIELD_FRAME, Buffer.from('frame')), 'an unexpected packet: frame'],
  ['another answer', answer({}), 'an unexpected packet: answer'],
  ['bytes that are no packet', Buffer.from([0xff, 0xff]), 'a packet ends within a tag'],
  [
    'more than an answer can have',
    Buffer.alloc(200_000),
    'the answerer sent something too large or compressed',
  ],
])(
  'on a link that stands the answerer sends %s: given up with the reason, dialled again',
  async (_, packet, reason) => {
    dial();
    await reached(() => log.length === 1);
    say(streams[0]!, packet);
    await reached(() => log.length === 3);
    expect(log).toEqual(['up', `down: ${reason}`, 'up']);
    expect(streams[0]!.session?.destroyed ?? true).toBe(true);
  },
);

test.each([
  ['a frame', encodePacket(FIELD_FRAME, Buffer.from('frame')), null],
  ['an answer that is no JSON', encodeText(FIELD_ANSWER, '{'), 'the answer is not understood'],
  ['a version that was not offered', answer({ protocol: 3 }), 'protocol: version 3 was chosen'],
  ['the name of another', answer({ name: 'c' }), "name: 'c' answered"],
  ['a refusal', answer({ refusal: 'no' }), 'no'],
])('the answerer begins with %s: no link, and dialled again', async (_, packet, reason) => {
  begin = (stream) => say(stream, packet);
  dial();
  await reached(() => streams.length >= 3);
  expect(log).not.toContain('up');
  expect(new Set(log)).toEqual(new Set(reason === null ? [] : [`refused: ${reason}`]));
});

test('something other than a member answers with its own status: no link, and dialled again', async () => {
  begin = (stream) => stream.respond({ ':status': 404 });
  dial();
  await reached(() => streams.length >= 3);
  expect(log).toEqual([]);
});

test('a link that has stood for a while breaks: dialled again soon, however long the pauses had become', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  begin = (stream) => stream.close();
  const link = dial({ backOffMsMax: LONG_MS });
  for (let failed = 0; failed < 20; failed += 1) {
    await reached(() => {
      link.hurry();
      return dials > failed + 1;
    });
  }
  begin = accept;
  await reached(() => {
    link.hurry();
    return log.length === 1;
  });
  now.mockReturnValue(STEADY_MS);
  streams.at(-1)!.session!.destroy();
  await reached(() => log.length === 3);
  expect(log[2]).toBe('up');
  // It breaks again before it has stood for long: the pauses grow as before.
  begin = (stream) => stream.close();
  streams.at(-1)!.session!.destroy();
  const pauses = vi.spyOn(globalThis, 'setTimeout');
  const before = dials;
  await reached(() => dials >= before + 4);
  const asked = pauses.mock.calls.map(([, ms]) => ms).filter((ms) => ms !== LINK_TIMING.handshakeMsMax);
  expect(asked.filter((ms) => [2, 4, 8, 16].includes(ms!))).toEqual(expect.arrayContaining([2, 4, 8]));
});
