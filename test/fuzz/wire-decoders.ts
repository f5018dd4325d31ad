/** Decoders of what arrives over links between members. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { InFlightWrite } from '../../src/wire/store-codec.ts';
import {
  decodeCounters,
  decodeFloor,
  decodeInFlight,
  encodeCounters,
  encodeFloor,
  encodeInFlight,
  floorKey,
  batchOfInFlightKey,
  inFlightKey,
  recordKey,
  splitRecordKey,
} from '../../src/wire/store-codec.ts';
import type { SlotFloor } from '../../src/core/upkeep/floors.ts';
import { SLOT_COUNT } from '../../src/core/limits.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../../src/core/membership/protocol-versions.ts';
import { isVersion } from '../../src/core/version.ts';
import type { FrameHeader, PeerMessage } from '../../src/core/message.ts';
import type { IdentifiedOperation } from '../../src/core/operation-id.ts';
import type { SealedRecord } from '../../src/core/record.ts';
import type { Topology } from '../../src/core/membership/topology.ts';
import { encodeAnswer, encodeHello, parseAnswer, parseHello, refusalOf } from '../../src/wire/handshake.ts';
import { FrameEncoder, decodeFrame } from '../../src/wire/message-codec.ts';
import { decodePacket, encodePacket, encodeText } from '../../src/wire/packet-codec.ts';
import {
  decodeForgotten,
  decodeKnown,
  encodeForgotten,
  encodeKnown,
  operationKey,
  splitOperationKey,
} from '../../src/wire/operation-codec.ts';
import { openRecord } from '../../src/wire/record-codec.ts';
import { decodeSpoolMark, encodeSpoolMark, spoolKey, splitSpoolKey } from '../../src/wire/spool-codec.ts';
import { decodeTopology, encodeTopology } from '../../src/wire/topology-codec.ts';
import { KINDS, header, messageOf, small } from '../support/any-message.ts';
import { sealed } from '../support/any-record.ts';
import type { FuzzedDecoder } from './fuzz.ts';

const SEED = 1;
const FRAME_CHECKSUM_AT = 1;
const FRAME_CHECKED_FROM = 5;
/** A slot table takes this much memory, however few runs describe it. */
const SLOT_TABLE_BYTES = 2 * SLOT_COUNT;

const ID = Uint8Array.from({ length: 16 }, (_, at) => at);
const OPERATION = operationKey('user:1', ID);
const SPOOLED = spoolKey(77, 'user:1');
const IDENTIFIED: readonly IdentifiedOperation[] = [
  { id: ID, kind: 'increment', number: -5n },
  { id: ID.toReversed(), kind: 'compareAndPut', number: null },
];

const utf8 = (text: string): Uint8Array => Buffer.from(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const drawn = <T>(arbitrary: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(arbitrary, { seed: SEED, numRuns: count });

function frame(of: FrameHeader, messages: readonly PeerMessage[], protocol = PROTOCOL_MAX): Uint8Array {
  const encoder = new FrameEncoder();
  encoder.begin(of, protocol);
  for (const message of messages) encoder.add(message);
  return encoder.finish();
}

function frames(): Uint8Array[] {
  const [head] = drawn(header, 1);
  const ofEach = KINDS.flatMap((kind) => drawn(messageOf(kind), 3).map((message) => frame(head!, [message])));
  const mixed = drawn(fc.array(fc.oneof(...small.map(messageOf)), { minLength: 2, maxLength: 8 }), 20);
  const versions = Array.from({ length: PROTOCOL_MAX - PROTOCOL_MIN }, (_, at) => PROTOCOL_MIN + at);
  const earlier = versions.flatMap((protocol) =>
    KINDS.flatMap((kind) =>
      drawn(messageOf(kind, protocol), 1).map((message) => frame(head!, [message], protocol)),
    ),
  );
  return [...ofEach, ...mixed.map((messages) => frame(head!, messages)), ...earlier];
}

function setChecksum(bytes: Uint8Array, at: number, from: number): void {
  if (bytes.length < from) return;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, crc32(bytes.subarray(from)), true);
}

const sealRecord = (bytes: Uint8Array): void => setChecksum(bytes, 0, 4);

function topologies(): Topology[] {
  return drawn(messageOf('topology'), 24).map((message) => (message as { topology: Topology }).topology);
}

const hello = encodeHello({
  name: 'node-2',
  clusterName: 'shop',
  protocolMin: 1,
  protocolMax: 2,
  settings: { replicas: '3', routes: 'abc' },
  to: 'node-1',
  run: 'a1b2c3',
  attempt: 7,
});
const answers = [null, 'the setting routes differs'].map((refusal) =>
  encodeAnswer({ name: 'node-1', refusal, protocol: 5 }),
);
const jsonTokens = [
  '{',
  '[',
  '"',
  '\\u0000',
  '__proto__',
  '"constructor":',
  '1e999',
  '-',
  'null',
  '[['.repeat(3_000),
].map(utf8);

export const WIRE_DECODERS: readonly FuzzedDecoder[] = [
  {
    name: 'frames between members',
    covers: ['decodeFrame'],
    samples: frames,
    reseal: (bytes) => setChecksum(bytes, FRAME_CHECKSUM_AT, FRAME_CHECKED_FROM),
    decode: (bytes) => {
      const result = decodeFrame(bytes);
      return 'fault' in result ? null : result;
    },
    bytesPerByte: 128,
    bytesFixed: 4 * SLOT_TABLE_BYTES,
  },
  {
    name: 'sealed records',
    covers: ['openRecord'],
    samples: () => drawn(sealed, 60).map(({ bytes }) => bytes),
    reseal: sealRecord,
    decode: openRecord,
    faultOf: ({ record }: SealedRecord) => (isVersion(record.version) ? '' : `version ${record.version}`),
  },
  {
    name: 'topologies',
    covers: ['decodeTopology'],
    samples: () => topologies().map((topology) => encodeTopology(topology)),
    reseal: sealRecord,
    decode: decodeTopology,
    faultOf: ({ slotRow, rows }: Topology) =>
      slotRow.length === SLOT_COUNT && slotRow.every((row) => row < rows.length)
        ? ''
        : 'a slot without a row',
    bytesFixed: 4 * SLOT_TABLE_BYTES,
  },
  {
    name: 'packets of a link',
    covers: ['decodePacket'],
    samples: () => [
      encodePacket(1, frames()[0]!),
      encodeText(2, hello),
      encodeText(3, answers[0]!),
      new Uint8Array(0),
    ],
    decode: (bytes) => {
      const packet = decodePacket(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      return packet.kind === 'fault' ? null : packet;
    },
  },
  {
    name: 'the first word of a link',
    covers: ['parseHello', 'refusalOf'],
    samples: () => [utf8(hello)],
    tokens: jsonTokens,
    decode: (bytes) => {
      const parsed = parseHello(textOf(bytes));
      if (parsed !== undefined) refusalOf(JSON.parse(hello) as never, parsed);
      return parsed;
    },
  },
  {
    name: 'the answer to it',
    covers: ['parseAnswer'],
    samples: () => answers.map(utf8),
    tokens: jsonTokens,
    decode: (bytes) => parseAnswer(textOf(bytes)),
  },
  {
    name: 'in-flight entries',
    covers: ['decodeInFlight'],
    samples: () =>
      drawn(fc.array(sealed, { minLength: 1, maxLength: 6 }), 30).map((records, at) =>
        encodeInFlight(
          records.map((each, index) => ({
            sealed: each,
            slot: (at * 97 + index) % SLOT_COUNT,
            conditional: index % 2 === 0,
            recorded: index % 3 === 0,
            coordinator: { id: 1 + index, incarnation: 10 + at },
            base: each.record.version,
            operations: index % 2 === 0 ? null : IDENTIFIED,
            voided: null,
            replaced: null,
          })),
        ),
      ),
    decode: decodeInFlight,
    faultOf: (writes: InFlightWrite[]) => {
      const odd = writes.find(({ slot, version }) => slot >= SLOT_COUNT || !isVersion(version));
      return odd === undefined ? '' : `slot ${odd.slot}, version ${odd.version}`;
    },
  },
  {
    name: 'the floor of a slot',
    covers: ['decodeFloor'],
    samples: () => [1, 77, 2 ** 40].map((counter) => encodeFloor(5, counter)),
    decode: (bytes) => decodeFloor(floorKey(5), bytes),
    faultOf: ({ slot, counter }: SlotFloor) =>
      slot === 5 && isVersion(counter) ? '' : `slot ${slot}, counter ${counter}`,
  },
  {
    name: 'the counters put by',
    covers: ['decodeCounters', 'openNumber'],
    samples: () => [2, 2 ** 14, 2 ** 40].map(encodeCounters),
    decode: decodeCounters,
    faultOf: (through: number) => (isVersion(through) ? '' : `counter ${through}`),
  },
  {
    name: 'what is remembered of an operation',
    covers: ['decodeKnown'],
    samples: () =>
      IDENTIFIED.map(({ kind, number }, version) => encodeKnown(OPERATION, { kind, version, number })),
    decode: (bytes) => decodeKnown(OPERATION, bytes),
  },
  {
    name: 'the moment up to which operations are forgotten',
    covers: ['decodeForgotten'],
    // Stores of earlier versions had no checksum after it.
    samples: () =>
      [1, 1_700_000_000_000].flatMap((at) => [encodeForgotten(at), encodeForgotten(at).subarray(0, 8)]),
    decode: decodeForgotten,
    faultOf: (through: number) => (Number.isFinite(through) ? '' : `the moment ${through}`),
  },
  {
    name: 'marks of what PostgreSQL lacks',
    covers: ['decodeSpoolMark'],
    samples: () =>
      [1, 4096, Number.MAX_SAFE_INTEGER].map((version) =>
        encodeSpoolMark(SPOOLED, { version, since: version * 3, byteCount: version % 0xffffffff }),
      ),
    decode: (bytes) => decodeSpoolMark(SPOOLED, bytes),
  },
  {
    name: 'keys of the store',
    covers: ['splitRecordKey', 'batchOfInFlightKey', 'splitOperationKey', 'splitSpoolKey'],
    samples: () =>
      [
        recordKey(0, 'a'),
        recordKey(16_383, 'user:1'),
        inFlightKey(1),
        inFlightKey(Number.MAX_SAFE_INTEGER),
        OPERATION,
        SPOOLED,
      ].map(utf8),
    decode: (bytes) => [
      splitRecordKey(textOf(bytes)),
      batchOfInFlightKey(textOf(bytes)),
      splitOperationKey(textOf(bytes)),
      splitSpoolKey(textOf(bytes)),
    ],
  },
];
