/** Every kind of message survives the wire unchanged, and no bytes from outside can break a decoder. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { FRAME_MESSAGES_MAX } from '../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import type { WriteOperation, WriteResult } from '../core/operation.ts';
import type { Topology } from '../core/membership/topology.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN, SINCE } from '../core/membership/protocol-versions.ts';
import { isTellable } from './content-type-codec.ts';
import { decodeFrame, FrameEncoder } from './message-codec.ts';
import { sealRecord } from './record-codec.ts';
import { KINDS, header, messageOf, small } from '../../test/support/any-message.ts';
import { sealed } from '../../test/support/any-record.ts';
import type { Kind } from '../../test/support/any-message.ts';

function encode(
  head: FrameHeader,
  messages: readonly PeerMessage[],
  encoder = new FrameEncoder(),
  protocol = PROTOCOL_MAX,
): Uint8Array {
  encoder.begin(head, protocol);
  for (const message of messages) encoder.add(message);
  return encoder.finish();
}

/** Buffers and plain byte arrays with the same content are equal to a reader of a message. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Uint16Array) return `slots ${crc32(new Uint8Array(value.buffer))}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

/** A copy: `slice` of a Buffer would be a view. */
const copyOf = (frame: Uint8Array, end?: number): Uint8Array => new Uint8Array(frame.subarray(0, end));

/** Repairs the checksum of a tampered frame, so that the decoders behind it meet what was done to it. */
function reseal(frame: Uint8Array): Uint8Array {
  if (frame.length >= 5)
    Buffer.from(frame.buffer, frame.byteOffset).writeUInt32LE(crc32(frame.subarray(5)), 1);
  return frame;
}

const HEAD: FrameHeader = { from: 3, incarnation: 9, epoch: 12 };
const examples = (): Uint8Array[] =>
  KINDS.map((kind, index) => encode(HEAD, fc.sample(messageOf(kind), { numRuns: 1, seed: 100 + index })));

describe('frames', () => {
  test.each(KINDS)('%s: arrives as it was sent', (kind) => {
    const encoder = new FrameEncoder();
    const numRuns = small.includes(kind) ? 150 : 15;
    fc.assert(
      fc.property(header, messageOf(kind), (head, message) => {
        const decoded = decodeFrame(encode(head, [message], encoder));
        expect(plain(decoded)).toEqual(plain({ header: head, messages: [message] }));
      }),
      { numRuns },
    );
  });

  test.each(KINDS)(
    '%s over a link of any earlier version: arrives without what only later ones have',
    (kind) => {
      const earlier = fc.integer({ min: PROTOCOL_MIN, max: PROTOCOL_MAX - 1 });
      const drawn = earlier.chain((protocol) =>
        fc.tuple(fc.constant(protocol), header, messageOf(kind, protocol)),
      );
      fc.assert(
        fc.property(drawn, ([protocol, head, message]) => {
          const frame = encode(head, [message], undefined, protocol);
          const arrived = plain({ header: head, messages: [message] });
          expect(plain(decodeFrame(frame, protocol))).toEqual(arrived);
          expect(plain(decodeFrame(frame))).toEqual(arrived);
        }),
        { numRuns: 20 },
      );
    },
  );

  test.each([
    ['invalidate', SINCE.traceContext],
    ['forwardRead', SINCE.traceContext],
    ['forwardScan', SINCE.scanTraceContext],
  ] as const)('%s of no trace: not a byte of one; to a peer of before that none is told', (kind, since) => {
    const [message] = fc.sample(messageOf(kind, PROTOCOL_MIN), { numRuns: 1, seed: 7 });
    const trace = { traceId: '4b'.repeat(16), spanId: '0f'.repeat(8), flags: 1, state: 'a=b' };
    const bare = { ...message!, trace: undefined } as PeerMessage;
    const traced = { ...message!, trace } as PeerMessage;
    const bytesOf = (each: PeerMessage, protocol: number): number =>
      encode(HEAD, [each], undefined, protocol).length;
    expect(bytesOf(traced, PROTOCOL_MAX) - bytesOf(bare, PROTOCOL_MAX)).toBe(16 + 8 + 1 + 2 + 3);
    expect(bytesOf(bare, PROTOCOL_MAX)).toBe(bytesOf(bare, PROTOCOL_MIN));
    expect(bytesOf(traced, since - 1)).toBe(bytesOf(bare, since - 1));
    const told = decodeFrame(encode(HEAD, [traced], undefined, since));
    expect('messages' in told && told.messages[0]).toMatchObject({ kind, trace });
  });

  test('a frame of a later version than its reader speaks: is refused', () => {
    const frame = encode(HEAD, [{ kind: 'retired' }]);
    expect(decodeFrame(frame, PROTOCOL_MIN)).toEqual({ fault: 'a frame of the unknown format 17' });
  });

  test('a modification over a link of the earliest version: is not written; nor accepted, nor what came of one', () => {
    const operation: WriteOperation = {
      ...{ kind: 'modify', key: 'k', operationId: null, expect: null },
      ...{ changes: [{ kind: 'read', tellPrevious: false }], valueBytesMax: 9 },
    };
    const asked: PeerMessage = { kind: 'forwardWrite', request: 1, hops: 1, timeoutMs: 9, operation };
    expect(() => encode(HEAD, [asked], undefined, PROTOCOL_MIN)).toThrow('told to who understands it');
    const result: WriteResult = { kind: 'unchanged', version: 7, results: [] };
    const answer: PeerMessage = { kind: 'forwardWriteAnswer', request: 1, result };
    expect(decodeFrame(encode(HEAD, [answer], undefined, PROTOCOL_MIN))).toMatchObject({
      messages: [{ request: 1, result: { kind: 'failed', failure: { code: 'outcome_unknown' } } }],
    });
    for (const message of [asked, answer]) {
      const frame = encode(HEAD, [message]);
      frame[0] = 2;
      expect(decodeFrame(reseal(frame))).toHaveProperty(
        'fault',
        expect.stringContaining('of a later version'),
      );
    }
  });

  test('a content type over a link of an earlier version: of an operation it is left out, a record with one is neither written nor accepted', () => {
    const written = { key: 'k', operationId: null, value: Buffer.from('v'), contentType: 'text/plain' };
    const put = { kind: 'put', ttlMs: 0, ...written } as const;
    const asked: PeerMessage = { kind: 'forwardWrite', request: 1, hops: 1, timeoutMs: 9, operation: put };
    expect(decodeFrame(encode(HEAD, [asked], undefined, PROTOCOL_MIN))).toMatchObject({
      messages: [{ operation: { kind: 'put', contentType: null } }],
    });
    const sealedTyped = sealRecord({
      ...{ key: 'k', version: 4097, origin: 0, tombstone: false, value: Buffer.from('v') },
      ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: 'text/plain' },
    });
    const [any] = fc.sample(messageOf('invalidate'), { numRuns: 1, seed: 7 });
    const round = { ...any, sealed: sealedTyped, operations: null } as PeerMessage;
    expect([isTellable(round, PROTOCOL_MIN), isTellable(round, PROTOCOL_MAX)]).toEqual([false, true]);
    expect(() => encode(HEAD, [round], undefined, PROTOCOL_MIN)).toThrow('told to who understands it');
    for (const kind of ['stopAsk', 'stopAnswer', 'stopWord'] as const) {
      const [word] = fc.sample(messageOf(kind), { numRuns: 1, seed: 7 });
      expect([isTellable(word!, PROTOCOL_MIN), isTellable(word!, PROTOCOL_MAX)]).toEqual([false, true]);
    }
    for (const message of [round, asked]) {
      const frame = encode(HEAD, [message]);
      frame[0] = 5;
      expect(decodeFrame(reseal(frame))).toHaveProperty(
        'fault',
        expect.stringContaining('of a later version'),
      );
    }
  });

  test('a value without a content type: not a byte of one, in any message', () => {
    const put = { kind: 'put', ttlMs: 0, key: 'k', operationId: null, value: Buffer.from('v') } as const;
    const set = { kind: 'set', value: Buffer.from('v'), condition: 'always', expiresAt: 0 } as const;
    const changes = [{ ...set, tellPrevious: true }];
    const modify = { kind: 'modify', key: 'k', operationId: null, expect: null, valueBytesMax: 9 } as const;
    for (const operation of [put, { ...modify, changes }]) {
      const asked: PeerMessage = { kind: 'forwardWrite', request: 1, hops: 1, timeoutMs: 9, operation };
      expect(encode(HEAD, [asked]).length).toBe(encode(HEAD, [asked], undefined, 5).length);
    }
  });

  test('whose change it was: costs no byte in an answer; over an earlier link it is unknown, and only a version made alone is told', () => {
    const done = { kind: 'done', version: 4097, number: null } as const;
    const answerOf = (result: WriteResult): PeerMessage => ({
      kind: 'forwardWriteAnswer',
      request: 1,
      result,
    });
    const bytesOf = (protocol: number): number => encode(HEAD, [answerOf(done)], undefined, protocol).length;
    expect(bytesOf(SINCE.ownChanges)).toBe(bytesOf(SINCE.ownChanges - 1));
    const told: PeerMessage = { kind: 'watchTold', what: 'settled', key: 'k', version: 4097 };
    const over = (protocol: number): unknown =>
      decodeFrame(encode(HEAD, [answerOf(done), told], undefined, protocol));
    expect(over(SINCE.ownChanges)).toMatchObject({
      messages: [{ result: { version: 4097, isShared: false } }, { key: 'k', version: 4097 }],
    });
    expect(over(SINCE.ownChanges - 1)).toMatchObject({
      messages: [{ result: { version: 4097, isShared: true } }, { key: 'k', version: 0 }],
    });
    // Without a version there is nothing to say about who made it.
    const frame = encode(HEAD, [answerOf({ kind: 'unchanged', version: 1, results: [] })]);
    const kindAt = frame.length - 1 - 8 - 2;
    expect(frame[kindAt]).toBe(4);
    frame[kindAt] = 4 | 128;
    expect(decodeFrame(reseal(frame))).toEqual({ fault: 'a version is told that was not made' });
  });

  test('what a learner offers is not told to an earlier version, and an answer to it is one that is passed over', () => {
    const head = { session: 7, slot: 1, afterKey: 'a' };
    const offered = [{ version: 4097, checksum: 1 }];
    const [frame] = fc.sample(messageOf('learnFrame'), { numRuns: 1, seed: 4 });
    const answer = { ...frame, ...head, same: [{ index: 0, key: 'b' }], last: true } as PeerMessage;
    const earlier = [{ kind: 'learnPull', ...head, offered } as PeerMessage, answer];
    expect(decodeFrame(encode(HEAD, earlier, undefined, PROTOCOL_MIN))).toMatchObject({
      messages: [
        { ...head, offered: [] },
        { ...head, records: [], same: [], last: false },
      ],
    });
  });

  test('a topology of a later version in a frame of an earlier one: is neither written nor accepted', () => {
    const [news] = fc.sample(messageOf('topology'), { numRuns: 1, seed: 4 });
    const { topology } = news as { topology: Topology };
    const later: PeerMessage = { kind: 'topology', topology: { ...topology, protocol: PROTOCOL_MAX } };
    expect(() => encode(HEAD, [later], undefined, PROTOCOL_MIN)).toThrow('told to who understands it');
    const frame = encode(HEAD, [later]);
    frame[0] = 2;
    expect(decodeFrame(reseal(frame))).toEqual({ fault: 'a topology is of a later version' });
  });

  test('many messages of all kinds in one frame: arrive in order, and the encoder counts them', () => {
    const encoder = new FrameEncoder();
    const mixed = fc.array(fc.oneof(...small.map(messageOf)), { maxLength: 40 });
    fc.assert(
      fc.property(mixed, (messages) => {
        const frame = encode(HEAD, messages, encoder);
        expect(encoder.messageCount).toBe(messages.length);
        expect(encoder.byteCount).toBe(frame.length);
        expect(plain(decodeFrame(frame))).toEqual(plain({ header: HEAD, messages }));
      }),
      { numRuns: 60 },
    );
  });

  test('the encoder goes on with the next frame: the one before keeps its bytes', () => {
    const encoder = new FrameEncoder();
    const first = encode(HEAD, [{ kind: 'validate', key: 'a', version: 1 }], encoder);
    const kept = Buffer.from(first).toString('hex');
    encode(HEAD, [{ kind: 'validate', key: 'b', version: 2 }], encoder);
    expect(Buffer.from(first).toString('hex')).toBe(kept);
  });

  test('an overlong reason: is cut, not fatal', () => {
    const frame = encode(HEAD, [{ kind: 'learnRefused', session: 1, slot: 2, reason: 'é'.repeat(90_000) }]);
    expect(decodeFrame(frame)).toMatchObject({ messages: [{ reason: 'é'.repeat(1024) }] });
  });

  test('an error code of a later version: is taken as internal, which is indefinite', () => {
    const failure = { code: 'overloaded' as const, message: 'm' };
    const frame = encode(HEAD, [
      { kind: 'forwardReadAnswer', request: 1, result: { kind: 'failed', failure }, watched: 0 },
    ]);
    frame.set(Buffer.from('overlaaded'), Buffer.from(frame).indexOf('overloaded'));
    expect(decodeFrame(reseal(frame))).toMatchObject({
      messages: [{ result: { failure: { code: 'internal' } } }],
    });
  });
});

describe('bytes from outside', () => {
  test('a frame cut off anywhere: is a fault, with its checksum repaired too', () => {
    for (const frame of examples()) {
      const step = Math.max(1, Math.floor(frame.length / 2000));
      for (let end = 0; end < frame.length; end += end < 600 ? 1 : step) {
        expect(decodeFrame(copyOf(frame, end))).toHaveProperty('fault');
        expect(decodeFrame(reseal(copyOf(frame, end)))).toHaveProperty('fault');
      }
    }
  });

  test('bytes behind the last message: are a fault', () => {
    for (const frame of examples()) {
      expect(decodeFrame(reseal(Buffer.concat([frame, Buffer.alloc(1)])))).toHaveProperty('fault');
    }
  });

  test('a flipped bit: is a fault; with the checksum repaired, a fault or a message that can be sent on', () => {
    const prng = new Prng(1);
    let taken = 0;
    for (const frame of examples()) {
      for (let round = 0; round < 150; round++) {
        const flipped = copyOf(frame);
        const at = prng.below(flipped.length);
        flipped[at]! ^= 1 << prng.below(8);
        expect(decodeFrame(flipped)).toHaveProperty('fault');
        const decoded = decodeFrame(reseal(flipped));
        if ('fault' in decoded) continue;
        taken += 1;
        // Whatever was accepted is well formed: it passes the encoder's own assertions.
        encode(decoded.header, decoded.messages);
      }
    }
    expect(taken).toBeGreaterThan(100);
  });

  test('a flipped bit in a record: is a fault even where the frame is intact', () => {
    const record = fc.sample(sealed, { numRuns: 1, seed: 7 })[0]!;
    for (let at = 0; at < record.bytes.length; at++) {
      const damaged = Buffer.from(record.bytes);
      damaged[at]! ^= 4;
      const frame = encode(HEAD, [
        {
          kind: 'invalidate',
          round: 1,
          sealed: { ...record, bytes: damaged },
          conditional: false,
          recorded: false,
          coordinator: { id: 1, incarnation: 1 },
          base: 0,
          operations: null,
          routeEpoch: 0,
        },
      ]);
      expect(decodeFrame(frame)).toEqual({ fault: 'a record is damaged' });
    }
  });

  test('100,000 frames of random bytes: never throw', () => {
    const prng = new Prng(2);
    const kinds = examples().map((frame) => frame[27]!);
    for (let round = 0; round < 100_000; round++) {
      const frame = new Uint8Array(prng.below(100));
      for (let at = 0; at < frame.length; at++)
        frame[at] = prng.chance(0.4) ? prng.below(3) : prng.below(256);
      if (frame.length > 27) {
        frame.fill(0, 0, 27);
        frame[0] = prng.pick([2, 5]);
        frame[5] = 1 + prng.below(3);
        frame[27] = prng.pick(kinds);
      }
      decodeFrame(reseal(frame));
    }
  });

  test.each([
    ['a flag is neither 0 nor 1', 'heartbeatAnswer', 9, 2],
    ['a flag is unknown', 'invalidate', 1, 0x80],
    ['a choice is unknown', 'acknowledge', 1, 3],
    ['a message of the unknown kind 200', 'retired', 0, 200],
    ['a number is not finite', 'heartbeat', 8, 0xff],
    ['a number is not whole or out of range', 'prepare', 8, 0xff],
  ])('%s: is a fault by that name', (fault, kind, at, byte) => {
    const frame = new Uint8Array(examples()[KINDS.indexOf(kind as Kind)]!);
    // The number of the kind comes first, after a header of 27 bytes; two bytes make a double that is not finite.
    frame.fill(byte, 27 + at - (byte === 0xff ? 1 : 0), 27 + at + 1);
    expect(decodeFrame(reseal(frame))).toEqual({ fault });
  });

  test('a text that is no UTF-8: is a fault', () => {
    const frame = encode(HEAD, [{ kind: 'validate', key: 'é', version: 1 }]);
    frame[31] = 0x20;
    expect(decodeFrame(reseal(frame))).toEqual({ fault: 'a text is not UTF-8' });
  });

  test('a frame with more messages than anybody sends at once: is refused, however small they are', () => {
    const frameOf = (count: number): Uint8Array =>
      encode(
        HEAD,
        Array.from({ length: count }, () => ({ kind: 'retired' as const })),
      );
    expect(decodeFrame(frameOf(FRAME_MESSAGES_MAX))).toMatchObject({ header: HEAD });
    expect(decodeFrame(frameOf(FRAME_MESSAGES_MAX + 1))).toEqual({
      fault: 'a frame holds too many messages',
    });
  });

  test('a frame of another format: is named', () => {
    const frame = encode(HEAD, []);
    frame[0] = 200;
    expect(decodeFrame(frame)).toEqual({ fault: 'a frame of the unknown format 200' });
  });
});
