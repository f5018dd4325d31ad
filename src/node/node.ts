/**
 * One node: where its parts meet. Frames from peers go to membership, replication, catching up or the flows; epochs
 * turn this process into an owner, a learner or a bystander; ticks drive what waits for time. All decisions are made
 * elsewhere: in `src/core`, and in the flows beside this file.
 */
import type { KeyWatch } from '../core/key-watch.ts';
import { TICK_MS } from '../core/limits.ts';
import type { PeerMessage } from '../core/message.ts';
import { NO_MUTATIONS } from '../core/mutations.ts';
import type { Mutations } from '../core/mutations.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import { isLive, yieldsToFill } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import type { Replica } from '../core/replication/replica.ts';
import { slotOf } from '../core/slots.ts';
import { LastLease } from '../core/stale.ts';
import { memberById, memberByName } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { StorageError } from '../ports/storage.ts';
import { Admission } from './admission.ts';
import { WAIT } from './api.ts';
import type { ClusterAnswer, ClusterOrder, Inspection, NodeApi, NodeStatus } from './api.ts';
import {
  helloOf,
  learnerOf,
  membershipOf,
  placeOf,
  protocolTo,
  recentOf,
  recordReaderOf,
  outageWatchOf,
  recordWriterOf,
  servingOf,
  shelfOf,
  spoolMarksOf,
  spoolOf,
  storeWriterOf,
  timingOf,
} from './assembly.ts';
import { Background } from './background.ts';
import { CleanStop } from './clean-stop.ts';
import { ClusterDesk } from './operators/cluster-desk.ts';
import { CounterReserve } from './store/counter-reserve.ts';
import { Deadlines } from './deadlines.ts';
import { DiskWatch } from './store/disk-watch.ts';
import { FloorStore } from './store/floor-store.ts';
import { ForwardService } from './peers/forward-service.ts';
import type { Forwarder } from './peers/forwarder.ts';
import { FrameDesk } from './peers/frame-desk.ts';
import type { Learner } from './learning/learner.ts';
import { loadWatchOf } from './load-watch.ts';
import type { LoadWatch } from './load-watch.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import { inspectionOf, loadOf, statusOf } from './node-status.ts';
import { takeStock } from './store/opening.ts';
import type { Opened } from './store/opening.ts';
import { OperationTable } from './store/operation-table.ts';
import { PeerOutbox } from './peers/peer-outbox.ts';
import { peerWaysOf } from './peers/peer-ways.ts';
import { Reception } from './reception.ts';
import type { RecentWindow } from './recent.ts';
import type { RecordReader } from './system-of-record/record-reader.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { RecordWriter } from './system-of-record/record-writer.ts';
import { makeEffects } from './replica-effects.ts';
import { ReplicaKeeper } from './replica-keeper.ts';
import type { Serving } from './serving.ts';
import { SlotHolding } from './slot-holding.ts';
import type { Spool } from './spool/spool.ts';
import { LeftInFlight } from './store/left-in-flight.ts';
import type { StoreWriter } from './store/store-writer.ts';
import { Teacher } from './learning/teacher.ts';
import type { Timing } from './timing.ts';
import { WaitingRuns } from './waiting-runs.ts';

/** Ticks between two sweeps over all keys in flight. */
const SWEEP_TICKS = 5;

export class CausewayNode implements NodeApi {
  readonly membership: Membership;
  readonly keyWatch: KeyWatch;
  private readonly parts: NodeParts;
  private readonly mutations: Mutations;
  private readonly writer: StoreWriter;
  private readonly shelf: RecordShelf;
  private readonly operations: OperationTable;
  private readonly floors: FloorStore;
  private readonly leftInFlight: LeftInFlight;
  private readonly outbox: PeerOutbox;
  private readonly recordWriter: RecordWriter | null;
  private readonly recordReader: RecordReader | null;
  private readonly spool: Spool;
  private readonly forwarder: Forwarder;
  private readonly forwardService: ForwardService;
  private readonly desk: FrameDesk;
  private readonly learner: Learner;
  private readonly teacher: Teacher;
  private readonly holding: SlotHolding;
  private readonly deadlines: Deadlines;
  private readonly serving: Serving;
  private readonly background: Background;
  private readonly reception: Reception;
  private readonly diskWatch: DiskWatch;
  private readonly admission: Admission;
  private readonly loadWatch: LoadWatch;
  private readonly lastLease = new LastLease();
  private readonly counts = { reads: 0, writes: 0, failures: 0, staleReads: 0 };
  private readonly keeper: ReplicaKeeper;
  private readonly waitingRuns = new WaitingRuns();
  private readonly recent: RecentWindow;
  private readonly timing: Timing;
  private ticks = 0;
  private leaseWasHeld = false;
  private readonly cleanStop = new CleanStop();
  private closed = false;

  // long: the parts, each once, in the order in which they need one another; nothing is decided here
  private constructor(
    parts: NodeParts,
    opened: Opened,
    build: (node: CausewayNode) => StoreWriter,
    makeShelf: (node: CausewayNode, writer: StoreWriter) => RecordShelf,
  ) {
    this.parts = parts;
    this.mutations = parts.mutations ?? NO_MUTATIONS;
    this.admission = new Admission(this.mutations);
    this.timing = timingOf(parts);
    this.writer = build(this);
    this.shelf = makeShelf(this, this.writer);
    this.operations = new OperationTable(this.writer, parts.storage, parts.clock, opened.operationBytes);
    this.floors = new FloorStore(this.writer, opened);
    this.leftInFlight = new LeftInFlight(this.writer, this.operations);
    if (this.mutations.forgetInFlight !== true)
      for (const each of opened.inFlight) this.leftInFlight.add(each.batch, each.writes);
    this.deadlines = new Deadlines(parts.clock.now());
    this.outbox = new PeerOutbox(parts.transport, parts.clock, () => this.membership.header());
    const isLinked = (peer: string): boolean => this.membership.isLinked(peer);
    ({ forwarder: this.forwarder, keyWatch: this.keyWatch } = peerWaysOf(parts, this.outbox, isLinked));
    const topology = (): Topology | null => this.membership.topology;
    const spoolMarks = spoolMarksOf(parts, this.writer, opened);
    const around = { topology, shelf: this.shelf, floors: this.floors, replica: () => this.replica };
    this.recordWriter = recordWriterOf(parts, around, (key, version, outcome) => {
      this.replica?.onRecorded(key, version, outcome);
      this.spool.onRecorded(key, version, outcome);
    });
    this.loadWatch = loadWatchOf(parts, this.admission, this.writer, this.recordWriter, topology);
    this.recordReader = recordReaderOf(parts, topology, (...fetched) => this.replica?.onFetched(...fetched));
    const outageWatch = outageWatchOf(parts, spoolMarks);
    this.membership = membershipOf(
      parts,
      this.writer,
      this.outbox,
      outageWatch,
      (next, previous) => this.keeper.onTopology(next, previous),
      { coordinates: () => this.replica?.coordinatesIn(() => true) === true, load: this.loadWatch },
    );
    this.diskWatch = new DiskWatch(parts, (isLow) => this.membership.room.saw(isLow));
    const send = (id: number, message: PeerMessage): void => this.sendTo(id, message);
    const { shelf, operations, floors, membership, writer, leftInFlight, keyWatch } = this;
    this.teacher = new Teacher(parts.storage, shelf, operations, floors, send, this.mutations);
    this.spool = spoolOf(parts, membership, this.recordWriter, spoolMarks, {
      ...{ shelf, send, replica: () => this.replica },
      isFullElsewhere: () => outageWatch.isFullElsewhere(parts.clock.now()),
    });
    const { spool, operations: table, loadWatch: load } = this;
    const holdings = { writer, shelf, leftInFlight, table, floors, spool };
    this.learner = learnerOf(parts, { ...holdings, membership, send, load });
    this.holding = new SlotHolding({
      ...{ clock: parts.clock, shelf, operations, leftInFlight, keyWatch, mutations: this.mutations },
      onRetired: () => this.membership.retired(),
    });
    this.keeper = this.buildKeeper(opened);
    this.serving = servingOf(parts, {
      ...{ membership, shelf, keyWatch, deadlines: this.deadlines, forwarder: this.forwarder },
      timing: this.timing,
      replica: () => this.replica,
      later: (run) => this.waitingRuns.add(run),
      lastLease: this.lastLease,
      count: (what) => {
        this.counts[what] += 1;
      },
    });
    this.reception = new Reception(this.serving, parts.storage, this.admission, this.timing);
    this.recent = recentOf(parts, this.counts, this.admission, this.recordWriter);
    this.background = new Background(parts, this.serving, membership, leftInFlight, floors, spoolMarks, send);
    this.forwardService = new ForwardService({
      serving: this.serving,
      storage: parts.storage,
      send: (peer, message) => this.outbox.send(peer, message),
      isLinked,
      admission: this.admission,
    });
    this.desk = new FrameDesk({
      ...{ telemetry: parts.telemetry, traces: parts.traces ?? null, spool, membership, keyWatch },
      ...{ learner: this.learner, teacher: this.teacher, background: this.background },
      ...{ forwarder: this.forwarder, forwardService: this.forwardService },
      replica: () => this.replica,
      protocolMax: parts.hello.protocolMax,
      dropEpochCheck: this.mutations.dropEpochCheck === true,
    });
  }

  private get replica(): Replica | null {
    return this.keeper.replica;
  }

  /** Reads the disk, then introduces itself to its peers. `done` gets null if the store cannot be read. */
  static open(parts: NodeParts, done: (node: CausewayNode | null, fault: StorageError | null) => void): void {
    takeStock(parts, (fault, stock) => {
      if (stock === null) return done(null, fault);
      const node = new CausewayNode(
        parts,
        stock.opened,
        (self) => storeWriterOf(parts, stock, (key, version) => self.replica?.onStored(key, version)),
        (self, writer) =>
          shelfOf(parts, stock, writer, (slot, key) => self.background.repair.noticed(slot, key)),
      );
      done(node, null);
    });
  }

  start(): void {
    this.parts.transport.start(helloOf(this.parts, this.membership), {
      onLinkUp: (name, protocol) => this.onLinkUp(name, protocol),
      onLinkDown: (name) => {
        this.membership.onLinkDown(name);
        this.keyWatch.onLink(name);
        this.forwarder.onLost(name);
      },
      onFrame: (name, frame) => {
        if (!this.closed) this.desk.onFrame(name, frame);
      },
      onPeerGone: (name) => this.desk.onPeerGone(name),
      onRefused: (name, reason) => this.parts.telemetry.event('warn', 'peer.refused', { peer: name, reason }),
    });
    this.membership.start();
    this.diskWatch.start();
    this.parts.clock.after(TICK_MS, () => this.tick());
  }

  tryGet(key: string): KeyRecord | undefined | typeof WAIT {
    const { replica } = this;
    if (replica === null) return WAIT;
    const slot = slotOf(key);
    if (!replica.view.row(slot).owns) return WAIT;
    const state = replica.stateOf(key);
    if (state !== undefined && (!state.valid || state.held === null)) return WAIT;
    const record = state === undefined ? this.shelf.loadHot(key, slot) : state.held?.record;
    if (record === 'damaged') return WAIT;
    // The lease is checked after the record is read: it must cover the moment of the answer. (R9)
    if (!this.membership.leaseHeld()) return WAIT;
    if (record === undefined)
      return replica.view.topology.loaded && this.serving.legacy === null ? this.hit(undefined) : WAIT;
    const wallNow = this.parts.clock.wallNow();
    if (isLive(record, wallNow)) return this.hit(record);
    return this.serving.legacy !== null && yieldsToFill(record, wallNow) ? WAIT : this.hit(undefined);
  }

  private hit(record: KeyRecord | undefined): KeyRecord | undefined {
    this.counts.reads += 1;
    this.timing.instruments.readHits += 1;
    return record;
  }

  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void {
    this.reception.get(key, timeoutMs, done);
  }

  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void {
    this.reception.getStale(key, timeoutMs, done);
  }

  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void {
    this.reception.write(operation, timeoutMs, done);
  }

  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void {
    this.reception.scan(after, limit, timeoutMs, done);
  }

  operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void {
    const { admission, membership, parts, serving } = this;
    const { digests } = this.shelf;
    const { scrubber, stops } = this.background;
    const { later } = serving;
    const stopCosts = (): readonly string[] => this.status().stopCosts;
    const desk = { ...parts, admission, digests, later, membership, scrubber, serving, stops, stopCosts };
    new ClusterDesk({ ...desk, place: placeOf(parts) }).operate(order, timeoutMs, done);
  }

  isFull(): boolean {
    return this.admission.isFull();
  }

  inspect(key: string): Inspection {
    return inspectionOf(key, this.replica, this.shelf);
  }

  status(): NodeStatus {
    return statusOf({
      membership: this.membership,
      replica: this.replica,
      parts: this.parts,
      disk: this.diskWatch.seen,
      load: loadOf(this.admission),
      keysHeld: this.shelf.digests.recordCount,
      learnedShare: this.learner.share,
      copy: this.learner.copyStatus(),
      scrub: this.background.scrubber.status(),
      drive: this.background.driver?.status() ?? null,
      byHand: this.background.outside?.status() ?? null,
      spool: this.spool.status(),
      stopping: this.background.stops.others(),
      operations: { ...this.counts },
      ...{ recent: this.recent.activity(), loadWatch: this.loadWatch, writer: this.writer },
      tombstones: this.background.collector.status(),
    });
  }

  /** May be called repeatedly; each caller is told when the node has stopped. (R18) */
  stop(done: () => void): void {
    const { admission, diskWatch, membership, parts, writer } = this;
    const onLeft = (): void => {
      this.closed = true;
      diskWatch.stop();
    };
    const { stops } = this.background;
    this.cleanStop.ask({ ...parts, admission, membership, onLeft, stops, writer }, done);
  }

  private tick(): void {
    if (this.closed) return;
    this.parts.clock.after(TICK_MS, () => this.tick());
    const now = this.parts.clock.now();
    this.ticks += 1;
    this.loadWatch.tick(now);
    this.recent.tick(now);
    this.membership.tick();
    this.deadlines.tick(now);
    this.waitingRuns.run();
    const { replica } = this;
    const { bootNow } = this.membership.clocks;
    const leaseHeld = this.membership.leaseHeld();
    if (replica !== null && leaseHeld) this.lastLease.held(bootNow);
    this.keyWatch.tick(now, this.lastLease.agoMs(bootNow), (key) => replica?.isInvalid(key) === true);
    if (replica === null) return;
    if (leaseHeld && !this.leaseWasHeld) replica.replayAll();
    this.leaseWasHeld = leaseHeld;
    replica.settle();
    if (this.ticks % SWEEP_TICKS !== 0) return;
    replica.sweep();
    this.learner.tick();
    this.holding.tick(replica);
    this.background.tick();
    this.operations.tick();
    this.spool.tick();
    this.writer.tidy();
    this.parts.traces?.tick(now);
  }

  private onLinkUp(name: string, protocol: number): void {
    this.keyWatch.onLink(name);
    this.outbox.onLinkUp(name, protocolTo(this.parts, name, protocol));
    this.membership.onLinkUp(name, protocol);
    this.forwardService.onLinkUp(name);
    const topology = this.membership.topology;
    const member = topology === null ? undefined : memberByName(topology, name);
    if (member !== undefined) this.replica?.onPeerBack(member.id);
  }

  private sendTo(memberId: number, message: PeerMessage): void {
    const topology = this.membership.topology;
    const member = topology === null ? undefined : memberById(topology, memberId);
    if (member !== undefined) this.outbox.send(member.name, message);
  }

  private buildKeeper({ versionHighest, countersPutBy }: Opened): ReplicaKeeper {
    const { parts, mutations, membership, leftInFlight, holding, lastLease, shelf, learner } = this;
    const { operations, writer, recordWriter, recordReader, spool, keyWatch, floors, timing } = this;
    const effects = makeEffects({
      ...parts,
      ...{ writer, shelf, operations, membership, recordWriter, recordReader, spool, keyWatch },
      ...{ floors, timing },
      agreeFloor: (slot) => this.background.collector.agreeFloor(slot),
      counters: new CounterReserve(writer, countersPutBy),
      send: (id, message) => this.sendTo(id, message),
      replica: () => this.replica,
    });
    return new ReplicaKeeper({
      ...{ mutations, membership, leftInFlight, holding, lastLease, shelf, operations, learner },
      ...{ versionHighest, effects, floors: this.floors },
      onEpoch: () => {
        this.leaseWasHeld = false;
        this.background.collector.onEpoch();
        this.serving.legacy?.forgetAll();
      },
    });
  }
}
