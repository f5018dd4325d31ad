/** Every kind of message survives the wire unchanged, and no bytes from outside can break a decoder. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { ERROR_TABLE } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import type { KeyRecord } from '../core/record.ts';
import type { Topology } from '../core/topology.ts';
import { decodeFrame, FrameEncoder } from './message-codec.ts';
import { sealRecord } from './record-codec.ts';

const whole = fc.maxSafeNat();
const real = fc
  .oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const text = fc.string({ unit: 'binary', maxLength: 80 });
const bytes = fc.uint8Array({ maxLength: 120 });
const operationId = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }));
const memberId = fc.integer({ min: 1, max: 4095 });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const failure = fc.record({
  code: fc.constantFrom(...(Object.keys(ERROR_TABLE) as ErrorCode[])),
  message: text,
});
const record: fc.Arbitrary<KeyRecord> = fc.record({
  key: text,
  version: whole,
  origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
  tombstone: fc.boolean(),
  value: bytes,
  createdAt: whole,
  updatedAt: whole,
  expiresAt: whole,
  operationId,
});
const sealed = record.map(sealRecord);
const coordinator = fc.record({ id: u16, incarnation: whole });
const held = fc.record({
  sealed,
  conditional: fc.boolean(),
  recorded: fc.boolean(),
  coordinator,
  valid: fc.boolean(),
});
const ballot = fc.record({ number: whole, proposer: text });
const slots = fc.tuple(fc.integer({ min: 1, max: 600 }), fc.nat(), fc.integer({ min: 1, max: 300 }));
const topology: fc.Arbitrary<Topology> = slots.chain(([rowCount, seed, runLength]) => {
  const prng = new Prng(seed);
  const slotRow = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += runLength) {
    slotRow.fill(prng.below(rowCount), slot, slot + runLength);
  }
  return fc.record({
    epoch: whole,
    clusterId: text,
    life: whole,
    replicaCount: u16,
    ownerCountMin: u16,
    leaseMs: real,
    clockDrift: real,
    members: fc.array(
      fc.record({
        id: memberId,
        name: text,
        address: text,
        incarnation: whole,
        alive: fc.boolean(),
        zone: text,
        host: text,
        weight: real,
      }),
      { maxLength: 5 },
    ),
    council: fc.array(memberId, { maxLength: 7 }),
    nextId: u16,
    rows: fc.constant(
      Array.from({ length: rowCount }, (_, row) => ({ owners: [row + 1, 7], complete: [7] })),
    ),
    slotRow: fc.constant(slotRow),
    floorCounter: whole,
    loaded: fc.boolean(),
  });
});
const expectation = fc.oneof(
  fc.record({ kind: fc.constant('version' as const), version: whole }),
  fc.record({ kind: fc.constant('value' as const), value: bytes }),
  fc.record({ kind: fc.constant('absent' as const) }),
);
const base = { key: text, operationId };
const operation = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), ...base, value: bytes, ttlMs: real }),
  fc.record({ kind: fc.constant('delete' as const), ...base }),
  fc.record({
    kind: fc.constant('compareAndPut' as const),
    ...base,
    expect: expectation,
    value: bytes,
    ttlMs: real,
  }),
  fc.record({ kind: fc.constant('compareAndDelete' as const), ...base, expect: expectation }),
  fc.record({ kind: fc.constant('increment' as const), ...base, delta: i64 }),
  fc.record({ kind: fc.constant('fill' as const), ...base, value: bytes }),
  fc.record({ kind: fc.constant('expire' as const), ...base, version: whole }),
);
const failed = fc.record({ kind: fc.constant('failed' as const), failure });
const writeResult = fc.oneof(
  fc.record({ kind: fc.constant('done' as const), version: whole, number: fc.option(i64) }),
  fc.record({
    kind: fc.constant('conditionFailed' as const),
    current: fc.option(record, { nil: undefined }),
  }),
  failed,
);
const readResult = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), record }),
  fc.record({ kind: fc.constant('absent' as const) }),
  failed,
);
const digest = fc.record({ count: u32, low: u32, high: u32 });

type Kind = PeerMessage['kind'];
/** One generator for each kind: a kind without one does not compile. */
const FIELDS: { [K in Kind]: fc.Arbitrary<Omit<Extract<PeerMessage, { kind: K }>, 'kind'>> } = {
  invalidate: fc.record({
    round: whole,
    sealed,
    conditional: fc.boolean(),
    recorded: fc.boolean(),
    coordinator,
    routeEpoch: whole,
  }),
  acknowledge: fc.record({
    round: whole,
    outcome: fc.constantFrom('equal' as const, 'higher' as const, 'refused' as const),
    held: fc.option(held),
  }),
  validate: fc.record({ key: text, version: whole }),
  query: fc.record({ key: text, version: whole }),
  queryAnswer: fc.record({
    key: text,
    version: whole,
    answer: fc.constantFrom('pending' as const, 'unknown' as const),
  }),
  forwardWrite: fc.record({ request: whole, hops: fc.nat(255), timeoutMs: real, operation }),
  forwardRead: fc.record({
    request: whole,
    hops: fc.nat(255),
    timeoutMs: real,
    key: text,
    miss: fc.boolean(),
  }),
  forwardWriteAnswer: fc.record({ request: whole, result: writeResult }),
  forwardReadAnswer: fc.record({ request: whole, result: readResult }),
  learnDigests: fc.record({ session: whole, slotFirst: u16, digests: fc.array(digest) }),
  learnDifferences: fc.record({
    session: whole,
    slotFirst: u16,
    slotCount: u16,
    differing: fc.array(u16),
  }),
  learnPull: fc.record({ session: whole, slot: u16, afterKey: text }),
  learnFrame: fc.record({
    session: whole,
    slot: u16,
    afterKey: text,
    records: fc.array(held, { maxLength: 5 }),
    last: fc.boolean(),
  }),
  learnRefused: fc.record({ session: whole, slot: u16, reason: text }),
  prepare: fc.record({ attempt: whole, ballot }),
  promise: fc.record({
    attempt: whole,
    granted: fc.boolean(),
    seen: ballot,
    accepted: fc.option(fc.record({ ballot, topology })),
    abstains: fc.boolean(),
  }),
  accept: fc.record({ attempt: whole, ballot, topology }),
  accepted: fc.record({ attempt: whole, granted: fc.boolean(), seen: ballot }),
  topology: fc.record({ topology }),
  heartbeat: fc.record({ sentAt: real, wallAt: real, suspects: fc.array(text) }),
  heartbeatAnswer: fc.record({ sentAt: real, granted: fc.boolean(), acceptedEpoch: whole, wallAt: real }),
  leaseReleased: fc.constant({}),
  introduction: fc.record({
    name: text,
    address: text,
    zone: text,
    host: text,
    incarnation: whole,
    id: u16,
    clusterId: text,
    life: whole,
    state: fc.constantFrom('blank' as const, 'entering' as const, 'serving' as const),
    epoch: whole,
  }),
  learned: fc.constant({}),
};
const KINDS = Object.keys(FIELDS) as Kind[];
const messageOf = (kind: Kind): fc.Arbitrary<PeerMessage> =>
  (FIELDS[kind] as fc.Arbitrary<object>).map((fields) => ({ kind, ...fields }) as PeerMessage);
const small = KINDS.filter((kind) => !['promise', 'accept', 'topology'].includes(kind));
const header: fc.Arbitrary<FrameHeader> = fc.record({ from: u16, incarnation: whole, epoch: whole });

function encode(
  head: FrameHeader,
  messages: readonly PeerMessage[],
  encoder = new FrameEncoder(),
): Uint8Array {
  encoder.begin(head);
  for (const message of messages) encoder.add(message);
  return encoder.finish();
}

/** Buffers and plain byte arrays of the same content are alike to a reader of a message. */
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
      { kind: 'forwardReadAnswer', request: 1, result: { kind: 'failed', failure } },
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
        // Whatever was taken is well formed: it passes the encoder's own assertions.
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
        frame[0] = 1;
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
    ['a message of the unknown kind 200', 'learned', 0, 200],
    ['a number is not finite', 'heartbeat', 8, 0xff],
    ['a number is not whole or out of range', 'prepare', 8, 0xff],
  ])('%s: is a fault by that name', (fault, kind, at, byte) => {
    const frame = new Uint8Array(examples()[KINDS.indexOf(kind as Kind)]!);
    // The number of the kind stands first, behind a head of 27 bytes; two bytes make a double not finite.
    frame.fill(byte, 27 + at - (byte === 0xff ? 1 : 0), 27 + at + 1);
    expect(decodeFrame(reseal(frame))).toEqual({ fault });
  });

  test('a text that is no UTF-8: is a fault', () => {
    const frame = encode(HEAD, [{ kind: 'validate', key: 'é', version: 1 }]);
    frame[31] = 0x20;
    expect(decodeFrame(reseal(frame))).toEqual({ fault: 'a text is not UTF-8' });
  });

  test('a frame of another format: is named', () => {
    const frame = encode(HEAD, []);
    frame[0] = 9;
    expect(decodeFrame(frame)).toEqual({ fault: 'a frame of the unknown format 9' });
  });
});
