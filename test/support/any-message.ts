/** Messages of every kind as a property test generates them: every field with any value that its type allows. */
import fc from 'fast-check';
import { Prng } from '../../src/base/prng.ts';
import { ERROR_TABLE } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { SLOT_COUNT } from '../../src/core/limits.ts';
import type { FrameHeader, PeerMessage } from '../../src/core/message.ts';
import type { ExpireCondition } from '../../src/core/modify/change.ts';
import { PROTOCOL_MAX, SINCE } from '../../src/core/membership/protocol-versions.ts';
import type { Topology } from '../../src/core/membership/topology.ts';
import { OPERATION_KINDS } from '../../src/wire/choices.ts';
import { introduction } from './any-introduction.ts';
import { bytes, contentType, operationId, record, sealed, text, whole } from './any-record.ts';
import { trace } from './any-trace.ts';
import { WATCH_FIELDS } from './any-watch.ts';
import { inVersion } from './in-version.ts';

const real = fc
  .oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const memberId = fc.integer({ min: 1, max: 4095 });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const failure = fc.record({
  code: fc.constantFrom(...(Object.keys(ERROR_TABLE) as ErrorCode[])),
  message: text,
});
const coordinator = fc.record({ id: u16, incarnation: whole });
const kind = fc.constantFrom(...OPERATION_KINDS);
const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
const identified = fc.record({ id, kind, number: fc.option(i64) });
const held = fc.record({
  sealed,
  conditional: fc.boolean(),
  recorded: fc.boolean(),
  coordinator,
  base: whole,
  operations: fc.option(fc.array(identified, { maxLength: 4 })),
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
  return fc
    .record({
      epoch: whole,
      clusterId: text,
      life: whole,
      replicaCount: u16,
      ownerCountMin: u16,
      leaseMs: real,
      clockDrift: real,
      healAfterMs: real,
      members: fc.array(
        fc
          .record({
            id: memberId,
            name: text,
            address: text,
            incarnation: whole,
            alive: fc.boolean(),
            zone: text,
            host: text,
            weight: real,
            standing: fc.constantFrom(undefined, 'leaving' as const, 'healed' as const),
          })
          .map(({ standing, ...rest }) => (standing === undefined ? rest : { ...rest, standing })),
        { maxLength: 5 },
      ),
      council: fc.array(memberId, { maxLength: 7 }),
      nextId: u16,
      rows: fc.constant(
        Array.from({ length: rowCount }, (_, row) => ({
          ...{ owners: [row + 1, 7], complete: [7] },
          ...(row % 3 === 1 ? { coming: [row + 1, 9] } : {}),
        })),
      ),
      slotRow: fc.constant(slotRow),
      placed: fc.array(memberId, { maxLength: 7 }),
      floorCounter: whole,
      loaded: fc.boolean(),
      spooling: fc.boolean(),
      protocol: fc.constantFrom(undefined, SINCE.protocolInForce),
    })
    .map(({ spooling, protocol, ...rest }) => ({
      ...rest,
      ...(spooling ? { spooling } : {}),
      ...(protocol === undefined ? {} : { protocol }),
    }));
});
const expectation = fc.oneof(
  fc.record({ kind: fc.constant('version' as const), version: whole }),
  fc.record({ kind: fc.constant('value' as const), value: bytes }),
  fc.record({ kind: fc.constant('absent' as const) }),
);
const isTold = { tellPrevious: fc.boolean() };
const change = fc.oneof(
  fc.record({ kind: fc.constantFrom('read' as const, 'remove' as const, 'persist' as const), ...isTold }),
  fc.record({
    kind: fc.constant('set' as const),
    value: bytes,
    condition: fc.constantFrom('always' as const, 'ifAbsent' as const, 'ifPresent' as const),
    expiresAt: fc.oneof(whole, fc.constant('keep' as const)),
    contentType,
    ...isTold,
  }),
  fc.record({ kind: fc.constant('append' as const), value: bytes }),
  fc.record({ kind: fc.constant('overwrite' as const), offset: whole, value: bytes }),
  fc.record({ kind: fc.constant('increment' as const), delta: i64 }),
  fc.record({ kind: fc.constant('incrementDecimal' as const), delta: text }),
  fc.record({
    kind: fc.constant('expire' as const),
    expiresAt: whole,
    condition: fc.constantFrom<ExpireCondition[]>(
      'always',
      'ifNone',
      'ifSome',
      'ifLater',
      'ifSooner',
      'ifSomeAndSooner',
    ),
    ...isTold,
  }),
);
const modify = fc.record({
  kind: fc.constant('modify' as const),
  key: text,
  operationId: fc.constant(null),
  expect: fc.option(expectation),
  valueBytesMax: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  changes: fc.array(change, { maxLength: 5 }),
});
const base = { key: text, operationId };
const operation = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), ...base, value: bytes, ttlMs: real, contentType }),
  fc.record({ kind: fc.constant('delete' as const), ...base }),
  fc.record({
    kind: fc.constant('compareAndPut' as const),
    ...base,
    expect: expectation,
    value: bytes,
    ttlMs: real,
    contentType,
  }),
  fc.record({ kind: fc.constant('compareAndDelete' as const), ...base, expect: expectation }),
  fc.record({ kind: fc.constant('increment' as const), ...base, delta: i64 }),
  fc.record({ kind: fc.constant('fill' as const), ...base, value: bytes, contentType }),
  fc.record({ kind: fc.constant('expire' as const), ...base, version: whole }),
  modify,
);
const changeResult = fc.record({
  applied: fc.boolean(),
  existed: fc.boolean(),
  previous: fc.option(bytes),
  length: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  expiresAt: whole,
  text: fc.option(text),
  failure: fc.option(failure),
});
const failed = fc.record({ kind: fc.constant('failed' as const), failure });
const writeResult = fc.oneof(
  fc.record({
    kind: fc.constant('done' as const),
    version: whole,
    number: fc.option(i64),
    isShared: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('conditionFailed' as const),
    current: fc.option(record, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('modified' as const),
    version: whole,
    results: fc.array(changeResult, { maxLength: 5 }),
    isShared: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('unchanged' as const),
    version: whole,
    results: fc.array(changeResult, { maxLength: 5 }),
  }),
  failed,
);
const readResult = fc.oneof(
  fc.record({
    kind: fc.constant('stale' as const),
    staleMs: whole,
    record: fc.option(record, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('value' as const), record }),
  fc.record({ kind: fc.constant('absent' as const) }),
  failed,
);
const scanResult = fc.oneof(
  fc.record({
    kind: fc.constant('page' as const),
    records: fc.array(record, { maxLength: 5 }),
    next: fc.option(text),
    incomplete: fc.boolean(),
  }),
  failed,
);
const countResult = fc.oneof(
  fc.record({ kind: fc.constant('counted' as const), count: whole, incomplete: fc.boolean() }),
  failed,
);
/** Count, low and high half. */
const digest = fc.tuple(u32, u32, u32);
const floors = fc.array(fc.record({ slot: u16, counter: whole }), { maxLength: 5 });

export type Kind = PeerMessage['kind'];
/** One generator for each kind: a kind without one does not compile. */
const FIELDS: { [K in Kind]: fc.Arbitrary<Omit<Extract<PeerMessage, { kind: K }>, 'kind'>> } = {
  invalidate: fc.record({
    round: whole,
    sealed,
    conditional: fc.boolean(),
    recorded: fc.boolean(),
    coordinator,
    base: whole,
    operations: fc.option(fc.array(identified, { maxLength: 4 })),
    ...{ routeEpoch: whole, trace },
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
  forwardWrite: fc.record({ request: whole, hops: fc.nat(127), timeoutMs: real, operation, trace }),
  forwardRead: fc.record({
    request: whole,
    hops: fc.nat(255),
    timeoutMs: real,
    key: text,
    ...{ miss: fc.boolean(), allowStale: fc.boolean(), watch: fc.boolean(), trace },
  }),
  forwardWriteAnswer: fc.record({ request: whole, result: writeResult }),
  forwardReadAnswer: fc.record({ request: whole, result: readResult, watched: whole }),
  forwardScan: fc.record({
    request: whole,
    hops: fc.nat(127),
    timeoutMs: real,
    after: text,
    limit: u16,
    trace,
  }),
  forwardScanAnswer: fc.record({ request: whole, result: scanResult }),
  forwardCount: fc.record({ request: whole, epoch: whole }),
  forwardCountAnswer: fc.record({ request: whole, result: countResult }),
  learnDigests: fc
    .record({ session: whole, pairs: fc.array(fc.tuple(u16, digest)) })
    .map(({ session, pairs }) => ({
      session,
      slots: Uint16Array.from(pairs, ([slot]) => slot),
      digests: Uint32Array.from(pairs.flatMap(([, each]) => each)),
    })),
  learnDifferences: fc.record({
    session: whole,
    slotFirst: u16,
    slotCount: u16,
    differing: fc.array(u16),
    floors,
  }),
  learnPull: fc.record({
    session: whole,
    slot: u16,
    afterKey: text,
    offered: fc.array(fc.record({ version: whole, checksum: u32 }), { maxLength: 5 }),
  }),
  learnFrame: fc.record({
    session: whole,
    slot: u16,
    afterKey: text,
    records: fc.array(held, { maxLength: 5 }),
    same: fc.array(fc.record({ index: u16, key: text }), { maxLength: 5 }),
    last: fc.boolean(),
  }),
  learnOperations: fc.record({ session: whole, after: text }),
  learnOperationsFrame: fc.record({
    session: whole,
    after: text,
    operations: fc.array(
      fc.record({ key: text, id, kind, version: whole, number: fc.option(i64), open: fc.boolean() }),
      { maxLength: 5 },
    ),
    next: text,
    forgottenThrough: whole,
  }),
  learnUntold: fc.record({ session: whole, after: text }),
  learnUntoldFrame: fc.record({
    session: whole,
    after: text,
    records: fc.array(held, { maxLength: 5 }),
    last: fc.boolean(),
  }),
  learnRefused: fc.record({ session: whole, slot: u16, reason: text }),
  scrubDigests: fc
    .record({ session: whole, slotFirst: u16, slotEnd: u16, pairs: fc.array(fc.tuple(u16, digest)) })
    .map(({ session, slotFirst, slotEnd, pairs }) => ({
      session,
      slotFirst,
      slotEnd,
      slots: Uint16Array.from(pairs, ([slot]) => slot),
      digests: Uint32Array.from(pairs.flatMap(([, each]) => each)),
    })),
  scrubDifferences: fc.record({ session: whole, slotFirst: u16, differing: fc.array(u16) }),
  scrubPull: fc.record({ session: whole, slot: u16, afterKey: text }),
  scrubPage: fc.record({
    session: whole,
    slot: u16,
    afterKey: text,
    through: text,
    last: fc.boolean(),
    copies: fc.array(fc.record({ key: text, version: whole, checksum: u32, tombstone: fc.boolean() }), {
      maxLength: 5,
    }),
  }),
  learnSpool: fc.record({ session: whole, after: text }),
  learnSpoolFrame: fc.record({
    session: whole,
    after: text,
    marks: fc.array(fc.record({ key: text, version: whole, since: real, byteCount: u32 }), { maxLength: 5 }),
    next: text,
  }),
  spoolDrained: fc.record({
    drained: fc.array(fc.record({ key: text, version: whole }), { maxLength: 5 }),
  }),
  recordHearsay: fc.record({ awayMs: real, backMs: real, isFull: fc.boolean() }),
  repairPull: fc.record({ key: text }),
  repairRecord: fc.record({ held }),
  repairAbsent: fc.record({ key: text }),
  floorRaise: fc.record({ round: u32, floors }),
  floorRaised: fc.record({ round: u32, slots: fc.array(u16) }),
  deletionsForget: fc.record({
    floors,
    deletions: fc.array(fc.record({ slot: u16, key: text, version: whole }), { maxLength: 5 }),
  }),
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
  succession: fc.record({
    ancestors: fc.array(fc.record({ clusterId: text, life: whole }), { maxLength: 4 }),
    topology,
  }),
  strain: fc.record({ storeMs: real, slow: fc.array(text), clientDelayFactor: real }),
  introduction,
  ...WATCH_FIELDS,
  stopAsk: fc.record({ attempt: whole }),
  stopAnswer: fc.record({ attempt: whole, holder: u16 }),
  stopWord: fc.record({ leftMs: real }),
  retired: fc.constant({}),
  driven: fc.record({ drive: fc.nat() }),
};
export const KINDS = Object.keys(FIELDS) as Kind[];
export const messageOf = (kind: Kind, protocol = PROTOCOL_MAX): fc.Arbitrary<PeerMessage> =>
  (FIELDS[kind] as fc.Arbitrary<object>).map((fields) =>
    inVersion({ kind, ...fields } as PeerMessage, protocol),
  );

export const small = KINDS.filter((kind) => !['promise', 'accept', 'topology', 'succession'].includes(kind));
export const header: fc.Arbitrary<FrameHeader> = fc.record({ from: u16, incarnation: whole, epoch: whole });
