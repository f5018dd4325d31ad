/**
 * One node of a directed scenario: the parts that hold and replicate records, as in production, without membership and
 * doors. Its disk completes writes by itself or when the scenario says so; the scenario sets its epochs and its lease.
 */
import { assert } from '../src/base/assert.ts';
import { CopyPace } from '../src/core/copying/copy-pace.ts';
import type { PeerMessage } from '../src/core/message.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { SealedRecord } from '../src/core/record.ts';
import type { ReplicaEffects } from '../src/core/replication/context.ts';
import { Replica } from '../src/core/replication/replica.ts';
import { SlotView } from '../src/core/replication/slot-view.ts';
import { isLiveIncarnation } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import { CounterReserve } from '../src/node/store/counter-reserve.ts';
import { ExpiryTimes } from '../src/node/store/expiry-times.ts';
import { FloorStore } from '../src/node/store/floor-store.ts';
import { Learner } from '../src/node/learning/learner.ts';
import { readStore } from '../src/node/store/opening.ts';
import type { Opened } from '../src/node/store/opening.ts';
import { OperationLearner } from '../src/node/learning/operation-learner.ts';
import { OperationTable } from '../src/node/store/operation-table.ts';
import { RecordReader } from '../src/node/system-of-record/record-reader.ts';
import { RecordRecovery } from '../src/node/recovery/record-recovery.ts';
import { RecordShelf } from '../src/node/store/record-shelf.ts';
import { RecordWriter } from '../src/node/system-of-record/record-writer.ts';
import { SlotDigests } from '../src/node/store/slot-digests.ts';
import { SlotTombstones } from '../src/node/store/slot-tombstones.ts';
import { SpoolCopy } from '../src/node/spool/copy.ts';
import { SpoolMarks } from '../src/node/spool/marks.ts';
import { LeftInFlight } from '../src/node/store/left-in-flight.ts';
import { StoreWriter } from '../src/node/store/store-writer.ts';
import { Teacher } from '../src/node/learning/teacher.ts';
import { TombstoneCollector } from '../src/node/forgetting/tombstone-collector.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Storage } from '../src/ports/storage.ts';
import { openRecord, sealRecord } from '../src/wire/record-codec.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import { ScenarioDisk } from './scenario-disk.ts';
import type { ScenarioRecord } from './scenario-record.ts';

/** Ends with the process. */
export interface ScenarioLife {
  alive: boolean;
}

export interface ScenarioNodeParts {
  readonly name: string;
  readonly id: number;
  readonly mutations: Mutations;
  readonly now: () => number;
  readonly at: (time: number, run: () => void) => () => void;
  readonly defer: (run: () => void) => void;
  readonly record: ScenarioRecord;
  readonly send: (from: ScenarioNode, to: number, message: PeerMessage) => void;
}

const CACHE_BYTES = 1_000_000;
const WALL_START = 1_700_000_000_000;
const SWEEP_TICKS = 5;
/** Milliseconds that a node keeps deletions: for ever, unless the scenario wants them forgotten. */
export const KEEP_MS = 1e12;

const NO_TELEMETRY = { event: () => undefined, count: () => undefined };

/** State with the lifetime of a process. */
interface Process {
  readonly life: ScenarioLife;
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly table: OperationTable;
  readonly leftInFlight: LeftInFlight;
  readonly learner: Learner;
  readonly teacher: Teacher;
  readonly floors: FloorStore;
  readonly counters: CounterReserve;
  readonly collector: TombstoneCollector;
  readonly spoolMarks: SpoolMarks;
  readonly spoolCopy: SpoolCopy;
  readonly recordWriter: RecordWriter;
  readonly recordReader: RecordReader;
  readonly versionHighest: number;
}

export class ScenarioNode {
  readonly name: string;
  readonly id: number;
  incarnation = 1;
  topology: Topology | null = null;
  replica: Replica | null = null;
  leaseHeld = true;
  /** No write completes here before that time. */
  blockedUntil = 0;
  /** Its slots are copied and on its disk: it asks to be made complete. */
  hasLearned = false;
  /** Milliseconds that it keeps a deletion. */
  keepMs = KEEP_MS;
  /** Its keys are written through to PostgreSQL. */
  writesThrough = true;
  private readonly parts: ScenarioNodeParts;
  private readonly disk: ScenarioDisk;
  private process: Process | null = null;
  private ticks = 0;

  constructor(parts: ScenarioNodeParts) {
    this.parts = parts;
    this.name = parts.name;
    this.id = parts.id;
    this.disk = new ScenarioDisk(parts.defer);
    this.start();
  }

  get life(): ScenarioLife | null {
    return this.process?.life ?? null;
  }

  /** The version on its disk, 0 if there is none. */
  diskVersion(key: string, slot: number): number {
    const bytes = this.disk.get(recordKey(slot, key));
    return bytes === undefined ? 0 : (openRecord(bytes)?.record.version ?? 0);
  }

  /** The process dies; the write under way is lost, or has reached the platter although nobody was told. */
  crash(writeLands = false): void {
    assert(this.process !== null, `${this.name} is dead already`);
    this.disk.cutOff(writeLands);
    this.process.life.alive = false;
    this.process = null;
    this.replica = null;
    this.topology = null;
    this.parts.record.forget(this.name);
  }

  wipeDisk(): void {
    assert(this.process === null, 'a disk is wiped between two processes');
    this.disk.wipe();
  }

  /** A new process on the same disk: a new incarnation, in no epoch yet. */
  restart(): void {
    this.incarnation += 1;
    this.disk.isHeld = false;
    this.start();
  }

  /** Writes to its disk wait for `completeDisk`. */
  set isDiskHeld(isHeld: boolean) {
    this.disk.isHeld = isHeld;
  }

  completeDisk(): void {
    this.disk.complete();
  }

  /** As a real node does: it is the same member as before, a new one, or none. */
  adopt(topology: Topology): void {
    const process = this.process!;
    const isSame = this.topology !== null && isLiveIncarnation(this.topology, this.id, this.incarnation);
    this.topology = topology;
    this.hasLearned = false;
    if (!isLiveIncarnation(topology, this.id, this.incarnation)) {
      for (const state of this.replica?.abandon() ?? []) process.leftInFlight.keep(state);
      this.replica = null;
      process.learner.end();
      process.shelf.doubtAll();
      process.table.doubtAll();
      return;
    }
    const view = new SlotView(topology, this.id);
    if (this.replica !== null && isSame) this.replica.onEpoch(view);
    else {
      const self = { id: this.id, incarnation: this.incarnation };
      this.replica = new Replica(this.effects(process), this.parts.mutations, self, view);
      this.replica.sawVersion(process.versionHighest);
    }
    process.collector.onEpoch();
    process.learner.onTopology(view, this.replica);
    this.replica.replayAll();
  }

  /** Its slots were placed elsewhere: nothing that it holds of them counts any more. */
  giveUp(): void {
    const process = this.process!;
    for (const state of this.replica!.release(() => true)) process.leftInFlight.keep(state);
    process.shelf.doubtAll();
    process.table.doubtAll();
  }

  receive(from: number, slot: number, message: PeerMessage): void {
    const { replica } = this;
    if (replica === null) return;
    const { learner, teacher, collector } = this.process!;
    switch (message.kind) {
      case 'invalidate':
      case 'acknowledge':
      case 'validate':
      case 'query':
      case 'queryAnswer':
        return replica.onMessage(from, slot, message);
      case 'learnDigests':
        return teacher.onDigests(from, replica, message);
      case 'learnPull':
        teacher.onPull(from, replica, message);
        return teacher.answerPulls();
      case 'learnOperations':
        return teacher.onOperations(from, replica, message);
      case 'learnUntold':
        return teacher.onUntold(from, replica, message);
      case 'learnSpool':
        return this.process!.spoolCopy.onAsked(from, message);
      case 'learnSpoolFrame':
        return this.process!.spoolCopy.onFrame(from, message);
      case 'learnDifferences':
      case 'learnFrame':
      case 'learnOperationsFrame':
      case 'learnRefused':
      case 'learnUntoldFrame':
        return learner.onMessage(from, message);
      case 'floorRaise':
      case 'floorRaised':
      case 'deletionsForget':
        return collector.onMessage(from, message);
      default:
        throw new Error(`no scenario sends ${message.kind}`);
    }
  }

  tick(): void {
    if (this.replica === null) return;
    this.ticks += 1;
    this.replica.settle();
    if (this.ticks % SWEEP_TICKS !== 0) return;
    this.replica.sweep();
    this.process?.learner.tick();
    this.process?.collector.tick();
    this.process?.spoolCopy.tick();
    this.process?.writer.tidy();
  }

  private start(): void {
    const life: ScenarioLife = { alive: true };
    const storage = this.disk.open(life, () => this.process === null);
    const digests = new SlotDigests();
    const tombstones = new SlotTombstones();
    readStore(
      storage,
      (seen) => {
        digests.add(seen.slot, seen.version, seen.checksum, seen.deletedAt !== 0);
        if (seen.deletedAt !== 0) tombstones.add(seen.slot, seen.deletedAt);
      },
      (error, opened) => {
        assert(error === null && opened !== null, `the disk of ${this.name} cannot be read`);
        this.process = this.build(life, storage, digests, tombstones, opened);
      },
    );
  }

  // long: the parts, each once
  private build(
    life: ScenarioLife,
    storage: Storage,
    digests: SlotDigests,
    tombstones: SlotTombstones,
    opened: Opened,
  ): Process {
    const { mutations, record } = this.parts;
    const clock = this.clockOf(life);
    const port = record.connect(this.name, life);
    const send = (to: number, message: PeerMessage): void => this.parts.send(this, to, message);
    const fail = (): void => this.crash();
    const writer = new StoreWriter({
      ...{ storage, clock, batchFirst: opened.batchHighest + 1 },
      onStored: (key, version) => this.replica?.onStored(key, version),
      onFailed: fail,
    });
    const shelf = new RecordShelf(
      writer,
      { digests, expiryTimes: new ExpiryTimes(), tombstones },
      CACHE_BYTES,
    );
    const floors = new FloorStore(writer, opened);
    const counters = new CounterReserve(writer, opened.countersReservedThrough);
    const table = new OperationTable(writer, storage, clock, opened.operationBytes);
    const leftInFlight = new LeftInFlight(writer, table);
    if (mutations.forgetInFlight !== true)
      for (const each of opened.inFlight) leftInFlight.add(each.batch, each.writes);
    const operations = new OperationLearner({
      clock,
      storage,
      shelf,
      table,
      send,
      isLinked: () => true,
      skip: mutations.operationsNotLearned === true,
      onDone: () => learner.onOperationsLearned(),
    });
    const bounds = { bytesMax: CACHE_BYTES, entriesMax: 1_000 };
    const { wallNow } = clock;
    const spoolMarks = new SpoolMarks({ writer, wallNow, bounds, tally: opened.spooled });
    const replica = (): Replica | null => this.replica;
    const skip = mutations.spoolMarksNotLearned === true;
    const spoolCopy = new SpoolCopy({ clock, storage, marks: spoolMarks, replica, send, skip });
    const learner: Learner = new Learner({
      clock,
      telemetry: NO_TELEMETRY,
      storage,
      writer,
      shelf,
      leftInFlight,
      floors,
      operations,
      recovery: new RecordRecovery({
        ...{ clock, telemetry: NO_TELEMETRY, systemOfRecord: port, storage, shelf },
        ...{ leftInFlight, floors, mutations },
        ...{ operations: table, spooled: spoolMarks, writesThrough: () => true },
      }),
      send,
      isLinked: () => true,
      learnSpool: (session, onDone) => spoolCopy.begin(session, onDone),
      onLearned: () => (this.hasLearned = true),
      pace: new CopyPace(0, 0),
      clientDelayFactor: () => 0,
      mutations,
    });
    const recordWriter = new RecordWriter({
      ...{ record: port, clock, telemetry: NO_TELEMETRY, onFenced: fail },
      life: () => 1,
      onRecorded: (key, version, outcome) => this.replica?.onRecorded(key, version, outcome),
    });
    const recordReader = new RecordReader(port, clock, NO_TELEMETRY, (key, sealed, problem) =>
      this.replica?.onFetched(key, sealed, problem),
    );
    const teacher = new Teacher({ storage, shelf, operations: table, floors, send, mutations });
    const { versionHighest } = opened;
    const reading = { recordWriter, recordReader };
    const collector = new TombstoneCollector({
      ...{ clock, telemetry: NO_TELEMETRY, storage, shelf, floors, send, mutations },
      replica: () => this.replica,
      keepMs: () => this.keepMs,
      isSpooled: (slot, key) => spoolMarks.has(slot, key),
      ...{ systemOfRecord: null, mayRaise: () => true, isRouted: () => true, isSpooling: () => false },
      leaseHeld: () => this.leaseHeld,
      keepsAll: false,
    });
    const spooling = { spoolMarks, spoolCopy };
    const learning = { learner, teacher, floors, counters, collector };
    return { life, writer, shelf, table, leftInFlight, ...learning, ...spooling, ...reading, versionHighest };
  }

  private clockOf(life: ScenarioLife): Clock {
    const { defer, now, at } = this.parts;
    const living = (run: () => void) => (): void => (life.alive ? run() : undefined);
    return {
      now,
      wallNow: () => WALL_START + now(),
      bootNow: now,
      after: (ms, run) => at(now() + ms, living(run)),
      defer: (run) => defer(living(run)),
    };
  }

  private effects(process: Process): ReplicaEffects {
    const { shelf, writer, table, floors, counters, spoolMarks, recordWriter, recordReader } = process;
    const { now, record } = this.parts;
    return {
      load: (key, slot) => shelf.load(key, slot),
      store: (write) => shelf.store(write, table.changesOf(write)),
      operations: table,
      floors: floors.floors,
      agreeFloor: (slot) => process.collector.agreeFloor(slot),
      counters,
      spool: (sealed, slot) => spoolMarks.add(sealed, slot),
      spoolStored: (sealed, slot) => {
        spoolMarks.add(sealed, slot);
        spoolMarks.whenDurable(() => this.replica?.onSpooled(sealed.record.key, sealed.record.version));
      },
      spoolFull: () => spoolMarks.isFull,
      endInFlight: (_key, batches) => writer.endInFlight(batches),
      settled: (sealed: SealedRecord) => shelf.keepHot(sealed),
      send: (to, message) => this.parts.send(this, to, message),
      record: (sealed, slot) => recordWriter.add(sealed, slot),
      fetch: (key) => recordReader.add(key),
      seal: sealRecord,
      now,
      stamp: () => 0,
      wallNow: () => WALL_START + now(),
      wallShown: () => WALL_START + now(),
      leaseHeld: () => this.leaseHeld,
      blockedUntil: () => this.blockedUntil,
      writesThrough: () => this.writesThrough,
      refusing: () => new Set(),
      recordAvailable: () => record.isUp,
      event: () => undefined,
    };
  }
}
