/** Packets encoded by hand are those of `peer.proto`, and no bytes can break the decoder. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, test, vi } from 'vitest';
import { Prng } from '../base/prng.ts';
import { PROTOCOL_UNTOLD } from '../core/membership/protocol-versions.ts';
import {
  answerTo,
  encodeAnswer,
  encodeHello,
  HANDSHAKE_BYTES_MAX,
  parseAnswer,
  parseHello,
  refusalOf,
  speaks,
} from './handshake.ts';
import type { DialHello, HelloTerms } from './handshake.ts';
import {
  decodePacket,
  encodeAlive,
  encodePacket,
  encodeText,
  FIELD_ANSWER,
  FIELD_FRAME,
  FIELD_HELLO,
  frameHead,
  PREFIX_BYTES,
  withPrefix,
} from './packet-codec.ts';

const PROTO = fileURLToPath(new URL('../../proto/causeway/peer/v1/peer.proto', import.meta.url));
const Packet = new protobuf.Root().loadSync(PROTO).lookupType('causeway.peer.v1.Packet');

describe('packets', () => {
  test.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])(
    'a frame of %d bytes: is what protobuf makes of it',
    (size) => {
      const frame = Buffer.alloc(size, 7);
      const ours = encodePacket(FIELD_FRAME, frame);
      expect(Buffer.compare(ours, Packet.encode({ frame }).finish())).toBe(0);
      const onStream = Buffer.concat([frameHead(size), frame]);
      expect(Buffer.compare(onStream.subarray(PREFIX_BYTES), ours)).toBe(0);
      expect(onStream.readUInt32BE(1)).toBe(ours.length);
      const packet = decodePacket(ours);
      expect(packet.kind === 'frame' && Buffer.compare(packet.frame, frame)).toBe(0);
    },
  );

  test('hello, answer and sign of life: are what protobuf makes of them', () => {
    const cases = [
      [encodeText(FIELD_HELLO, 'é'), { hello: 'é' }, { kind: 'hello', text: 'é' }],
      [encodeText(FIELD_ANSWER, 'b'), { answer: 'b' }, { kind: 'answer', text: 'b' }],
      [encodeAlive(), {}, { kind: 'alive' }],
    ] as const;
    for (const [ours, message, packet] of cases) {
      expect(ours).toEqual(Buffer.from(Packet.encode(message).finish()));
      expect(decodePacket(ours)).toEqual(packet);
    }
  });

  test('fields of a later version around a frame: are passed over', () => {
    const unknown = Buffer.from([
      0x28, 0x96, 0x01, 0x31, 1, 2, 3, 4, 5, 6, 7, 8, 0x3a, 2, 9, 9, 0x45, 1, 2, 3, 4,
    ]);
    const packet = decodePacket(
      Buffer.concat([unknown, encodePacket(FIELD_FRAME, Buffer.from('f')), unknown]),
    );
    expect(packet).toEqual({ kind: 'frame', frame: Buffer.from('f') });
  });

  test.each([
    ['a frame shorter than it says', [0x0a, 5, 1, 2], 'a packet ends within a field'],
    ['a length that does not end', [0x0a, 0x80], 'a packet ends within a field'],
    ['a tag that does not end', [0x80], 'a packet ends within a tag'],
    ['a group', [0x0b, 0x0c], 'a packet holds a field that cannot be passed over'],
    ['a number cut off', [0x3d, 1, 2, 3], 'a packet holds a field that cannot be passed over'],
    ['a number that does not end', [0x38, 0x80], 'a packet holds a field that cannot be passed over'],
  ])('%s: a fault that says so, and no part of a frame', (_, bytes, fault) => {
    expect(decodePacket(Buffer.from(bytes))).toEqual({ kind: 'fault', fault });
  });

  test('in memory that was used before: not said to be compressed', () => {
    const used = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, 0xff));
    try {
      expect(frameHead(300)).toEqual(Buffer.from([0, 0, 0, 1, 0x2f, 0x0a, 0xac, 0x02]));
      expect(withPrefix(Buffer.from([7]))).toEqual(Buffer.from([0, 0, 0, 0, 1, 7]));
    } finally {
      used.mockRestore();
    }
  });

  test('cut off anywhere, or random: a fault or a packet, never a throw', () => {
    const whole = encodePacket(FIELD_FRAME, Buffer.alloc(300));
    for (let end = 1; end < whole.length; end++) {
      expect(decodePacket(whole.subarray(0, end)).kind).toBe('fault');
    }
    const prng = new Prng(1);
    for (let round = 0; round < 50_000; round++) {
      const bytes = Buffer.from(Array.from({ length: prng.below(20) }, () => prng.below(256)));
      if (bytes.length > 0) bytes[0] = prng.pick([0x0a, 0x12, 0x1a, 0x22, 0x08, 0xff]);
      decodePacket(bytes);
    }
  });
});

const OWN: HelloTerms = {
  name: 'b',
  clusterName: 'c',
  protocolMin: 2,
  protocolMax: 3,
  settings: { x: '1' },
};
const DIALLER: DialHello = { ...OWN, name: 'a', to: 'b', run: 'r', attempt: 1 };

describe('the handshake', () => {
  test('alike in everything: accepted; a range of protocols that touches ours: accepted', () => {
    expect(refusalOf(OWN, DIALLER)).toBeNull();
    expect(refusalOf(OWN, { ...DIALLER, protocolMin: 3, protocolMax: 9 })).toBeNull();
    expect(refusalOf(OWN, { ...DIALLER, protocolMin: 1, protocolMax: 2 })).toBeNull();
  });

  test('the answer names the highest version that both speak', () => {
    expect(answerTo(OWN, { ...DIALLER, protocolMin: 3, protocolMax: 9 })).toMatchObject({ protocol: 3 });
    expect(answerTo(OWN, { ...DIALLER, protocolMin: 1, protocolMax: 2 })).toMatchObject({ protocol: 2 });
  });

  test.each([
    ['clusterName', { clusterName: 'd' }],
    ['protocol', { protocolMin: 4, protocolMax: 5 }],
    ['protocol', { protocolMin: 0, protocolMax: 1 }],
    ['setting x', { settings: { x: '2' } }],
    ['setting x', { settings: {} }],
    ['setting y', { settings: { x: '1', y: '' } }],
    ['name', { to: 'z' }],
    ['name', { name: 'b' }],
  ])('a difference in %s: is refused by that name', (what, change) => {
    expect(refusalOf(OWN, { ...DIALLER, ...change })?.split(':')[0]).toBe(what);
  });

  test('the version that was chosen: spoken from the lowest to the highest that are', () => {
    const range = { protocolMin: 2, protocolMax: 3 };
    expect([1, 2, 3, 4].map((version) => speaks(range, version))).toEqual([false, true, true, false]);
  });

  test('a hello with a name that is empty or too long, or too long as a whole: is none', () => {
    const long = 'n'.repeat(256);
    expect(parseHello(encodeHello({ ...DIALLER, name: long }))).toMatchObject({ name: long });
    expect(parseHello(encodeHello({ ...DIALLER, name: `${long}n` }))).toBeUndefined();
    expect(parseHello(encodeHello({ ...DIALLER, run: '' }))).toBeUndefined();
    const rest = HANDSHAKE_BYTES_MAX - encodeHello({ ...DIALLER, clusterName: '' }).length;
    const withCluster = (length: number): string =>
      encodeHello({ ...DIALLER, clusterName: 'c'.repeat(length) });
    expect(parseHello(withCluster(rest))).toBeDefined();
    expect(parseHello(withCluster(rest + 1))).toBeUndefined();
  });

  test('a hello: comes back as it was said; with any part missing or of another type, it is none', () => {
    expect(parseHello(encodeHello(DIALLER))).toEqual(DIALLER);
    for (const field of Object.keys(DIALLER)) {
      for (const value of [undefined, null, -1.5, [], { z: 1 }]) {
        expect(parseHello(JSON.stringify({ ...DIALLER, [field]: value }))).toBeUndefined();
      }
    }
    for (const text of ['', 'null', '[]', '{', '"a"', `{"name":"${'a'.repeat(70_000)}"}`]) {
      expect(parseHello(text)).toBeUndefined();
      expect(parseAnswer(text)).toBeUndefined();
    }
    const untold = { name: 'b', refusal: null, protocol: PROTOCOL_UNTOLD };
    expect(parseAnswer('{"name":"b","refusal":null}')).toEqual(untold);
    expect(parseAnswer('{"name":"b","refusal":null,"protocol":"5"}')).toBeUndefined();
    const answer = answerTo(OWN, DIALLER);
    expect(parseAnswer(encodeAnswer(answer))).toEqual(answer);
    expect(parseAnswer('{"name":"b"}')).toBeUndefined();
  });
});
