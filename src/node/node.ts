/**
 * One node: what it offers to its doors, and what drives it. Frames from peers go to the desk; epochs turn this process
 * into an owner, a learner or a bystander; ticks drive what waits for time. All decisions are made elsewhere: in
 * `src/core`, and in the flows beside this file. The parts are put together in `assembly/assembly.ts`.
 */
import type { Instruments } from '../core/observability/instruments.ts';
import type { KeyWatch } from '../core/clients/key-watch.ts';
import { TICK_MS } from '../core/limits.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import { isLive, yieldsToFill } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import type { Replica } from '../core/replication/replica.ts';
import { slotOf } from '../core/placement/slots.ts';
import { memberByName } from '../core/membership/topology.ts';
import type { StorageError } from '../ports/storage.ts';
import { WAIT } from './api.ts';
import type { Inspection, NodeApi } from './api.ts';
import type { ClusterAnswer, ClusterOrder } from './cluster-orders.ts';
import type { NodeStatus } from './status.ts';
import { assemble } from './assembly/assembly.ts';
import type { NodeAssembly } from './assembly/assembly.ts';
import { helloOf, placeOf, protocolTo } from './assembly/membership.ts';
import { CleanStop } from './clean-stop.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import { inspectionOf, statusOf, stopCostsOf } from './node-status.ts';
import { ClusterDesk } from './operators/cluster-desk.ts';
import type { Reception } from './reception.ts';
import type { ReplicaKeeper } from './replica-keeper.ts';
import type { Serving } from './serving.ts';
import { takeStock } from './store/opening.ts';
import type { RecordShelf } from './store/record-shelf.ts';

/** Ticks between two sweeps over all keys in flight. */
const SWEEP_TICKS = 5;

export class CausewayNode implements NodeApi {
  readonly membership: Membership;
  readonly keyWatch: KeyWatch;
  private readonly parts: NodeParts;
  private readonly assembly: NodeAssembly;
  private readonly keeper: ReplicaKeeper;
  private readonly shelf: RecordShelf;
  private readonly serving: Serving;
  private readonly reception: Reception;
  private readonly instruments: Instruments;
  private readonly counts: NodeAssembly['counts'];
  private readonly cleanStop = new CleanStop();
  private ticks = 0;
  private closed = false;

  private constructor(parts: NodeParts, assembly: NodeAssembly) {
    this.parts = parts;
    this.assembly = assembly;
    this.membership = assembly.membership;
    this.keyWatch = assembly.keyWatch;
    this.keeper = assembly.keeper;
    this.shelf = assembly.shelf;
    this.serving = assembly.serving;
    this.reception = assembly.reception;
    this.instruments = assembly.timing.instruments;
    this.counts = assembly.counts;
  }

  /** Reads the disk. `done` gets null if the store cannot be read. */
  static open(parts: NodeParts, done: (node: CausewayNode | null, fault: StorageError | null) => void): void {
    takeStock(parts, (fault, stock) => {
      if (stock === null) return done(null, fault);
      done(new CausewayNode(parts, assemble(parts, stock)), null);
    });
  }

  // Starting, stopping, links and time.

  /** Introduces itself to its peers. */
  start(): void {
    const { desk, diskWatch, forwarder } = this.assembly;
    this.parts.transport.start(helloOf(this.parts, this.membership), {
      onLinkUp: (name, protocol) => this.onLinkUp(name, protocol),
      onLinkDown: (name) => {
        this.membership.onLinkDown(name);
        this.keyWatch.onLink(name);
        forwarder.onLost(name);
      },
      onFrame: (name, frame) => {
        if (!this.closed) desk.onFrame(name, frame);
      },
      onPeerGone: (name) => desk.onPeerGone(name),
      onRefused: (name, reason) => desk.onRefused(name, reason),
    });
    this.membership.start();
    diskWatch.start();
    this.parts.clock.after(TICK_MS, () => this.tick());
  }

  /** May be called repeatedly; each caller is told when the node has stopped. (R18) */
  stop(done: () => void): void {
    const { admission, background, diskWatch, lastLease, membership, writer } = this.assembly;
    const onLeft = (): void => {
      this.closed = true;
      // What a closed store does not find must not be told as absent, not even as an old answer.
      lastLease.forget();
      diskWatch.stop();
    };
    const { stops } = background;
    this.cleanStop.ask({ ...this.parts, admission, membership, onLeft, stops, writer }, done);
  }

  private onLinkUp(name: string, protocol: number): void {
    const { forwardService, keeper, keyWatch, membership, outbox } = this.assembly;
    keyWatch.onLink(name);
    outbox.onLinkUp(name, protocolTo(this.parts, name, protocol));
    membership.onLinkUp(name, protocol);
    forwardService.onLinkUp(name);
    const { topology } = membership;
    const member = topology === null ? undefined : memberByName(topology, name);
    if (member !== undefined) keeper.replica?.onPeerBack(member.id);
  }

  private tick(): void {
    if (this.closed) return;
    this.parts.clock.after(TICK_MS, () => this.tick());
    const { deadlines, keeper, keyWatch, lastLease, loadWatch, membership, recent, waitingRuns } =
      this.assembly;
    const now = this.parts.clock.now();
    this.ticks += 1;
    loadWatch.tick(now);
    recent.tick(now);
    membership.tick();
    deadlines.tick(now);
    waitingRuns.run();
    const { replica } = keeper;
    const { bootNow } = membership.clocks;
    const leaseHeld = membership.leaseHeld();
    if (replica !== null && leaseHeld) lastLease.held(bootNow);
    keyWatch.tick(now, lastLease.agoMs(bootNow), (key) => replica?.isInvalid(key) === true);
    if (replica === null) return;
    keeper.tick(replica, leaseHeld);
    replica.settle();
    if (this.ticks % SWEEP_TICKS === 0) this.sweep(replica, now);
  }

  private sweep(replica: Replica, now: number): void {
    const { background, holding, learner, operations, spool, writer } = this.assembly;
    replica.sweep();
    learner.tick();
    holding.tick(replica);
    background.tick();
    operations.tick();
    spool.tick();
    writer.tidy();
    this.parts.traces?.tick(now);
  }

  // What doors call.

  tryGet(key: string): KeyRecord | undefined | typeof WAIT {
    const { replica } = this.keeper;
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
    this.instruments.readHits += 1;
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
    const { parts, assembly, serving } = this;
    const { admission, background, membership, planTurns, shelf } = assembly;
    const desk = new ClusterDesk({
      ...{ ...parts, admission, membership, serving, place: placeOf(parts), digests: shelf.digests },
      ...{ scrubber: background.scrubber, stops: background.stops, later: serving.later, planTurns },
      stopCosts: () => stopCostsOf(assembly),
    });
    desk.operate(order, timeoutMs, done);
  }

  isFull(): boolean {
    return this.assembly.admission.isFull();
  }

  inspect(key: string): Inspection {
    return inspectionOf(key, this.closed ? null : this.keeper.replica, this.shelf);
  }

  status(): NodeStatus {
    return statusOf(this.parts, this.assembly);
  }
}
