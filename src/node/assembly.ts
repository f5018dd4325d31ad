/** Builds the larger parts of a node from its surroundings. */
import { CopyPace } from '../core/copy-pace.ts';
import type { KeyWatch } from '../core/key-watch.ts';
import { certaintyOf, failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { NO_INSTRUMENTS } from '../core/instruments.ts';
import { HEARTBEAT_MS, LEGACY_ERROR_BACKOFF_MS } from '../core/limits.ts';
import type { PeerMessage } from '../core/message.ts';
import { NO_MUTATIONS } from '../core/mutations.ts';
import type { ReadResult, WriteOperation } from '../core/operation.ts';
import { PROTOCOL_MAX, protocolInForce } from '../core/protocol-versions.ts';
import { isElsewhere } from '../core/lives.ts';
import { judgeKeptOut } from '../core/record-floors.ts';
import { WHY_FENCED, driveOf } from '../core/record-standing.ts';
import type { Replica } from '../core/replication/replica.ts';
import { SlotView } from '../core/replication/slot-view.ts';
import { placeSlots, placing, rowsOf } from '../core/slot-table.ts';
import type { OwnersOfSlot, PlacementInput } from '../core/slot-table.ts';
import type { LastLease } from '../core/stale.ts';
import type { Place } from '../core/topology-change.ts';
import { memberById } from '../core/topology.ts';
import type { Member, Topology } from '../core/topology.ts';
import type { LegacyValue } from '../ports/legacy-source.ts';
import type { StorageError } from '../ports/storage.ts';
import type { PeerHello } from '../ports/transport.ts';
import { metaKey } from '../wire/store-codec.ts';
import { decodeTopology, encodeTopology } from '../wire/topology-codec.ts';
import type { Admission } from './admission.ts';
import type { NodeStatus } from './api.ts';
import { chooseServer } from './system-of-record/choose-server.ts';
import type { Deadlines } from './deadlines.ts';
import { reportFixedSettings } from './membership/fixed-settings.ts';
import type { FloorStore } from './store/floor-store.ts';
import type { Forwarder } from './peers/forwarder.ts';
import { startRead } from './get.ts';
import { Learner } from './learning/learner.ts';
import { LegacyReader } from './legacy-reader.ts';
import type { LoadWatch } from './load-watch.ts';
import { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import { OperationLearner } from './learning/operation-learner.ts';
import type { Opened, Stock } from './store/opening.ts';
import type { OperationTable } from './store/operation-table.ts';
import type { PeerOutbox } from './peers/peer-outbox.ts';
import { startWrite } from './put.ts';
import { RecentWindow } from './recent.ts';
import { RecordReader } from './system-of-record/record-reader.ts';
import type { OnFetched } from './system-of-record/record-reader.ts';
import { RecordRecovery } from './recovery/record-recovery.ts';
import { RecordShelf } from './store/record-shelf.ts';
import { OutageWatch } from './membership/outage-watch.ts';
import { prefixRule } from './replica-effects.ts';
import { RecordWriter } from './system-of-record/record-writer.ts';
import type { JudgeKeptOut } from './system-of-record/record-writer.ts';
import { heldNow, passingFloors } from './system-of-record/held-now.ts';
import type { Serving } from './serving.ts';
import { SlowLog } from './slow-log.ts';
import { Spool } from './spool/spool.ts';
import type { SpoolParts } from './spool/spool.ts';
import { SpoolMarks } from './spool/marks.ts';
import type { LeftInFlight } from './store/left-in-flight.ts';
import { StoreWriter } from './store/store-writer.ts';
import { Timing, UNTIMED } from './timing.ts';

const FILL_TIMEOUT_MS = 5_000;

export function membershipOf(
  parts: NodeParts,
  writer: StoreWriter,
  outbox: PeerOutbox,
  outageWatch: OutageWatch,
  onTopology: (next: Topology, previous: Topology | null) => void,
  { coordinates, load }: { readonly coordinates: () => boolean; readonly load: LoadWatch },
): Membership {
  const { clock, random, telemetry, self, members, systemOfRecord, joins, transport, doors } = parts;
  const membership = new Membership({
    ...{ self, joins, members, clock, random, telemetry, systemOfRecord, outageWatch, doors },
    protocolMax: parts.hello.protocolMax,
    settings: { ...parts.membership, heartbeatMs: parts.membership.heartbeatMs || HEARTBEAT_MS },
    meta: {
      load: (name) => writer.get(metaKey(name)),
      persist: (name, bytes, done) => writer.putMeta(name, bytes, done),
      raise: (protocol) => parts.raiseDisk(protocol),
    },
    store: {
      lateMs: () => writer.pulse.lateMs(clock.now()),
      isIdle: () => writer.pulse.isIdle(clock.now()),
    },
    codec: { encode: encodeTopology, decode: decodeTopology },
    place: placeOf(parts),
    dial: (name, address) => transport.dial(name, address),
    forget: (name) => transport.forget(name),
    send: (name, message, isFollowed) => outbox.sendNow(name, message, isFollowed),
    onTopology: (next, previous) => {
      const stays = previous !== null && parts.mutations?.keepFormerServer === true;
      if (!stays) chooseServer(parts, next);
      onTopology(next, previous);
    },
    ...{ coordinates, clientDelayFactor: () => load.clientDelayFactor },
    onLeft: () => parts.onLeft(),
    onFatal: (reason) => parts.onFatal(reason),
    onPhase: (phase) => telemetry.event('info', 'node.phase', { phase }),
    ...(parts.mutations === undefined ? {} : { mutations: parts.mutations }),
  });
  if (membership.topology !== null) {
    chooseServer(parts, membership.topology);
    reportFixedSettings(telemetry, parts.membership, membership.topology);
  }
  return membership;
}

/** A peer that speaks only versions below the one in force is refused in the handshake. (decision 19) */
export function helloOf({ hello }: NodeParts, membership: Membership): PeerHello {
  return {
    ...hello,
    get protocolMin() {
      const { topology } = membership;
      return topology === null ? hello.protocolMin : Math.max(hello.protocolMin, protocolInForce(topology));
    },
  };
}

/** The protocol version in which the peer is written to: that of its link, reported where it is an earlier one. */
export function protocolTo({ hello, telemetry, mutations }: NodeParts, peer: string, linked: number): number {
  if (linked < hello.protocolMax) telemetry.event('info', 'peer.earlier', { peer, protocol: linked });
  return mutations?.ignoreLinkProtocol === true ? PROTOCOL_MAX : linked;
}

/** How the slots of this cluster are shared out. */
export function placeOf({ hash32, place, membership: { replicaCount } }: NodeParts): Place {
  if (place !== undefined) return place;
  const inputOf = (members: readonly Member[], previous: OwnersOfSlot | null): PlacementInput => ({
    ...{ members, replicaCount, previous, hash32 },
  });
  return Object.assign((...of: Parameters<Place>) => rowsOf(placeSlots(inputOf(...of))), {
    *inPieces(...of: Parameters<Place>) {
      return rowsOf(yield* placing(inputOf(...of)));
    },
  });
}

export interface LearnerSurroundings {
  readonly membership: Membership;
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly table: OperationTable;
  readonly floors: FloorStore;
  readonly spool: Spool;
  readonly load: LoadWatch;
  readonly send: (memberId: number, message: PeerMessage) => void;
}

export function learnerOf(parts: NodeParts, around: LearnerSurroundings): Learner {
  const { membership, writer, shelf, leftInFlight, table, floors, spool, load, send } = around;
  const { clock, telemetry, storage } = parts;
  const isLinked = (id: number): boolean => {
    const { topology } = membership;
    const member = topology === null ? undefined : memberById(topology, id);
    return member !== undefined && membership.isLinked(member.name);
  };
  const record = parts.mutations?.recoverUnread === true ? null : parts.systemOfRecord;
  const learner: Learner = new Learner({
    clock,
    telemetry,
    storage,
    writer,
    shelf,
    leftInFlight,
    floors,
    recovery: new RecordRecovery({
      ...{ clock, telemetry, storage, shelf, floors, leftInFlight },
      ...{ operations: table, systemOfRecord: record, spooled: spool.marks },
      writesThrough: prefixRule(parts.writeThrough),
      mutations: parts.mutations ?? NO_MUTATIONS,
    }),
    operations: new OperationLearner({
      clock,
      storage,
      shelf,
      table,
      send,
      isLinked,
      skip: parts.mutations?.operationsNotLearned === true,
      onDone: () => learner.onOperationsLearned(),
    }),
    send,
    isLinked,
    learnSpool: (session, onDone) => spool.copy.begin(session, onDone),
    onLearned: () => membership.learned(),
    pace: new CopyPace(parts.copyBytesPerSecondMax, clock.now()),
    clientDelayFactor: () =>
      Math.max(load.clientDelayFactor, membership.watch.slowness.clientDelayFactor(clock.now())),
    mutations: parts.mutations ?? NO_MUTATIONS,
  });
  return learner;
}

export function storeWriterOf(
  parts: NodeParts,
  { opened }: Stock,
  onStored: (key: string, version: number) => void,
): StoreWriter {
  const onFailed = (fault: StorageError): void => parts.onFatal(`the store failed: ${fault.message}`);
  const { clock, instruments } = parts;
  const storage = parts.traces?.storageOfWriter(parts.storage) ?? parts.storage;
  return new StoreWriter(storage, clock, opened.batchHighest + 1, onStored, onFailed, instruments);
}

export function shelfOf(
  parts: NodeParts,
  stock: Stock,
  writer: StoreWriter,
  onDamaged: (slot: number, key: string) => void,
): RecordShelf {
  return new RecordShelf(writer, stock, parts.cacheBytes, onDamaged, parts.instruments);
}

export interface RecordWriterSurroundings {
  readonly topology: () => Topology | null;
  readonly shelf: RecordShelf;
  readonly floors: FloorStore;
  readonly replica: () => Replica | null;
}

export function recordWriterOf(
  parts: NodeParts,
  { topology, shelf, floors, replica }: RecordWriterSurroundings,
  onRecorded: (key: string, version: number, outcome: 'committed' | number) => void,
): RecordWriter | null {
  const { clock, telemetry, onFatal } = parts;
  const trusts = parts.mutations?.trustOldFloor === true;
  if (parts.systemOfRecord === null) return null;
  const systemOfRecord =
    parts.mutations?.passRecordFloor === true ? passingFloors(parts.systemOfRecord) : parts.systemOfRecord;
  const judge: JudgeKeptOut = (slot, { key, version }, told) =>
    judgeKeptOut(version, heldNow(replica(), shelf, slot, key), {
      own: trusts ? told : floors.floors.of(slot),
      told,
    });
  const onFenced = (): void => {
    const known = topology();
    // A foreign server that is only asked what it holds says nothing about this life. (decision 35)
    if (known === null || !isElsewhere(known, systemOfRecord.seen())) onFatal(WHY_FENCED);
  };
  const life = (): number => topology()?.life ?? 0;
  const drive = driveIn(topology);
  const { instruments } = parts;
  const record = parts.traces?.recordOfWriter(systemOfRecord) ?? systemOfRecord;
  return new RecordWriter(
    ...([record, clock, telemetry, life, onRecorded, onFenced, drive, judge] as const),
    instruments,
  );
}

export function recordReaderOf(
  parts: NodeParts,
  topology: () => Topology | null,
  onFetched: OnFetched,
): RecordReader | null {
  const { clock, telemetry, systemOfRecord } = parts;
  if (systemOfRecord === null) return null;
  const record = parts.traces?.recordOfReader(systemOfRecord) ?? systemOfRecord;
  return new RecordReader(record, clock, telemetry, onFetched, driveIn(topology));
}

function driveIn(topology: () => Topology | null): () => number {
  return () => {
    const known = topology();
    return known === null ? 0 : driveOf(known);
  };
}

/** The marks of what PostgreSQL lacks. (R34) */
export function spoolMarksOf(parts: NodeParts, writer: StoreWriter, opened: Opened): SpoolMarks {
  const { spoolBytesMax: bytesMax, spoolEntriesMax: entriesMax } = parts.record;
  const forgets = parts.mutations?.forgetSpoolMarkAtRestart === true;
  const wallNow = (): number => parts.clock.wallNow();
  return new SpoolMarks(writer, wallNow, { bytesMax, entriesMax }, opened.spooled, forgets);
}

export function spoolOf(
  parts: NodeParts,
  membership: Membership,
  recordWriter: RecordWriter | null,
  marks: SpoolMarks,
  around: Pick<SpoolParts, 'shelf' | 'send' | 'replica' | 'isFullElsewhere'>,
): Spool {
  const { clock, telemetry, storage, systemOfRecord: record, record: settings } = parts;
  return new Spool({
    ...{ clock, telemetry, storage, record, recordWriter, marks, settings, ...around },
    mutations: parts.mutations ?? NO_MUTATIONS,
    topology: () => membership.topology,
    leaseHeld: () => membership.leaseHeld(),
  });
}

export function outageWatchOf(parts: NodeParts, marks: SpoolMarks): OutageWatch {
  const { self, systemOfRecord: record, telemetry } = parts;
  const maySpool = parts.record.outage === 'spool';
  return new OutageWatch({ name: self.name, record, maySpool, isFull: () => marks.isFull, telemetry });
}

export interface ServingParts {
  readonly membership: Membership;
  readonly deadlines: Deadlines;
  readonly forwarder: Forwarder;
  readonly shelf: RecordShelf;
  readonly keyWatch: KeyWatch;
  readonly timing: Timing;
  readonly replica: () => Replica | null;
  readonly later: (run: () => void) => void;
  readonly lastLease: LastLease;
  readonly count: Serving['count'];
}

export function servingOf(parts: NodeParts, from: ServingParts): Serving {
  const { clock, random } = parts;
  const { membership, replica } = from;
  let bystander: SlotView | null = null;
  const serving: Serving = {
    clock,
    random,
    deadlines: from.deadlines,
    forwarder: from.forwarder,
    shelf: from.shelf,
    keyWatch: from.keyWatch,
    timing: from.timing,
    legacy: legacyOf(parts, () => serving),
    traces: parts.traces ?? null,
    replica,
    view: () => {
      const { topology, selfId } = membership;
      const own = replica();
      if ((own !== null && !membership.room.retreats) || topology === null) return own?.view ?? null;
      // This process is not part of the epoch, or about to leave it: requests are forwarded by the epoch's view.
      if (bystander?.topology !== topology) bystander = new SlotView(topology, selfId, true);
      return bystander;
    },
    leaseHeld: () => membership.leaseHeld(),
    leaselessMs: () => from.lastLease.agoMs(clock.bootNow()),
    nameOf: (id) => (membership.topology === null ? undefined : memberById(membership.topology, id)?.name),
    later: from.later,
    count: from.count,
  };
  return serving;
}

export function timingOf({ instruments, clock, telemetry, slowLog }: NodeParts): Timing {
  if (instruments === undefined) return UNTIMED;
  const isTold = slowLog !== undefined && slowLog.thresholdMs > 0;
  return new Timing(instruments, clock, isTold ? new SlowLog(slowLog, clock, telemetry) : null);
}

export function recentOf(
  parts: NodeParts,
  counts: NodeStatus['operations'],
  admission: Admission,
  recordWriter: RecordWriter | null,
): RecentWindow {
  const { clock, instruments = NO_INSTRUMENTS, legacySource, processUse } = parts;
  return new RecentWindow({ clock, instruments, counts, admission, recordWriter, legacySource, processUse });
}

function legacyOf(parts: NodeParts, serving: () => Serving): LegacyReader | null {
  const { clock, random, legacySource, instruments = NO_INSTRUMENTS } = parts;
  if (legacySource === null) return null;
  return new LegacyReader({
    clock,
    random,
    instruments,
    source: parts.traces?.legacy(legacySource) ?? legacySource,
    fetchTimeoutMs: Math.max(parts.legacyTimeoutMs, LEGACY_ERROR_BACKOFF_MS),
    fill: (key, fetched, done) => fill(serving(), key, fetched, done),
  });
}

/** A fetched value is stored only if nothing native stands; the asker gets what then stands. (R25) */
function fill(
  serving: Serving,
  key: string,
  { value, contentType }: LegacyValue,
  done: (result: ReadResult) => void,
): void {
  const operation: WriteOperation = { kind: 'fill', key, value, operationId: null, contentType };
  const trace = serving.traces?.causeOfFill(key);
  startWrite(serving, { operation, timeoutMs: FILL_TIMEOUT_MS, hops: 1, trace }, (result) => {
    if (result.kind === 'failed') return done({ kind: 'failed', failure: asReader(result.failure) });
    startRead(serving, { key, timeoutMs: FILL_TIMEOUT_MS, hops: 1, miss: false, mayAskLegacy: false }, done);
  });
}

/** A reader that waits for a fill has changed nothing, whatever becomes of the fill. */
function asReader(problem: Failure): Failure {
  return certaintyOf(problem.code) === 'definite' ? problem : failure('read_timeout');
}
