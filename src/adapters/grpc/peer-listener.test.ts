/** The answerer's ends of links with made-up calls: what waits, how long, and who is let in. */
import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TransportHandler } from '../../ports/transport.ts';
import { encodeHello } from '../../wire/handshake.ts';
import { decodePacket, encodePacket, encodeText, FIELD_FRAME, FIELD_HELLO } from '../../wire/packet-codec.ts';
import { LINK_TIMING } from './peer-dialer.ts';
import { PeerListener } from './peer-listener.ts';

const TERMS = { clusterName: 'test', protocolMin: 1, protocolMax: 2, settings: {} };
const SIGNS_WAITING_MAX = 8;
const FRAME_BYTES_MAX = 1_000;
const STRANGERS_MAX = 256;

/** A link as it looks to the listener. What is written waits for ever. */
class Call extends EventEmitter {
  writableLength = 0;
  readonly written: string[] = [];
  /** The status with which the listener cut the link. */
  code: number | null = null;
  isEnded = false;

  constructor(listener: PeerListener) {
    super();
    this.on('error', ({ code }: { code: number }) => (this.code = code));
    listener.answer(this as unknown as Parameters<PeerListener['answer']>[0]);
  }

  write(packet: Buffer): void {
    this.writableLength += 1;
    this.written.push(decodePacket(packet).kind);
  }

  end(): void {
    this.isEnded = true;
  }

  greet(attempt = 1, name = 'x'): void {
    this.emit('data', encodeText(FIELD_HELLO, encodeHello({ ...TERMS, name, to: 'b', run: 'r', attempt })));
  }

  say(frameBytes = 5): void {
    this.emit('data', encodePacket(FIELD_FRAME, Buffer.alloc(frameBytes)));
  }
}

let listener: PeerListener;
let log: string[];
let onGone: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  log = [];
  onGone = () => undefined;
  listener = new PeerListener(LINK_TIMING, FRAME_BYTES_MAX, (name) => log.push(`accepted ${name}`));
});
afterEach(() => {
  listener.close();
  // A link that is gone leaves no watchdog behind.
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function listen(): void {
  const handler: Partial<TransportHandler> = {
    onFrame: (name) => log.push(`frame ${name}`),
    onPeerGone: (name) => {
      log.push(`gone ${name}`);
      onGone();
    },
    onRefused: (name) => log.push(`refused ${name}`),
  };
  listener.start({ ...TERMS, name: 'b' }, handler as TransportHandler);
}

test('not listening yet: a link is ended at once, and no hello of it is waited for', () => {
  expect(new Call(listener).code).toBe(status.UNAVAILABLE);
});

test('a link that stands: outlives the time for a handshake, and ends when its dialler is silent for too many ticks', () => {
  listen();
  const call = new Call(listener);
  call.greet();
  vi.advanceTimersByTime(2 * LINK_TIMING.handshakeMsMax);
  for (let tick = 0; tick < LINK_TIMING.silentTicksMax; tick += 1) listener.tick();
  expect(call.code).toBeNull();
  call.say();
  for (let tick = 0; tick < LINK_TIMING.silentTicksMax; tick += 1) listener.tick();
  expect(call.code).toBeNull();
  listener.tick();
  expect(call.code).toBe(status.DEADLINE_EXCEEDED);
  expect(log).toEqual(['accepted x', 'frame x', 'gone x']);
});

test('a dialler that reads: gets a sign of life with each tick; one that does not: a few wait for it, and no more', () => {
  listen();
  const call = new Call(listener);
  call.greet();
  for (let tick = 0; tick < 3; tick += 1) listener.tick();
  expect(call.written).toEqual(['answer', 'alive', 'alive', 'alive']);
  for (let tick = 0; tick < 3 * SIGNS_WAITING_MAX; tick += 1) {
    call.say();
    listener.tick();
  }
  expect(call.writableLength).toBe(SIGNS_WAITING_MAX);
  expect(call.code).toBeNull();
});

test('a second hello on a link: the link is cut', () => {
  listen();
  const call = new Call(listener);
  call.greet(1);
  call.greet(2);
  expect(call.code).toBe(status.INVALID_ARGUMENT);
  call.say();
  expect(log).toEqual(['accepted x', 'gone x']);
});

test('a frame of the greatest size: delivered; one byte more: the link is cut', () => {
  listen();
  const call = new Call(listener);
  call.greet();
  call.say(FRAME_BYTES_MAX);
  expect(call.code).toBeNull();
  call.say(FRAME_BYTES_MAX + 1);
  expect(call.code).toBe(status.INVALID_ARGUMENT);
  expect(log).toEqual(['accepted x', 'frame x', 'gone x']);
});

test('very many links that stand, and very many strangers that have gone: the next one is let in', () => {
  listen();
  for (let member = 0; member <= STRANGERS_MAX; member += 1) new Call(listener).greet(1, `member-${member}`);
  for (let stranger = 0; stranger <= STRANGERS_MAX; stranger += 1) new Call(listener).emit('close');
  const next = new Call(listener);
  next.greet();
  expect(next.written).toEqual(['answer']);
  // An end that the listener has caused itself is not reported.
  log = [];
  listener.close();
  expect(log).toEqual([]);
});

test('deaf before a hello has come: the stranger is not let in', () => {
  listen();
  const [stranger, another] = [new Call(listener), new Call(listener)];
  listener.turnDeaf();
  stranger.greet();
  expect(stranger.code).toBe(status.UNAVAILABLE);
  expect([stranger.written, log]).toEqual([[], []]);
  another.emit('end');
  expect(another.isEnded).toBe(true);
});

test('closed by whoever hears that the older link has gone: the newer one does not stand either', () => {
  listen();
  new Call(listener).greet(1);
  onGone = () => listener.close();
  const newer = new Call(listener);
  newer.greet(2);
  expect(newer.code).toBe(status.UNAVAILABLE);
  expect(newer.written).toEqual([]);
  expect(log).toEqual(['accepted x', 'gone x']);
});
