/**
 * Builds the parts of a node, each once and with just what it uses, in the order in which they need one another.
 * Nothing is decided here. Where two parts need each other, the one that is built first gets a function that reaches
 * the other; none is called before all are built.
 */
import type { KeyWatch } from '../../core/clients/key-watch.ts';
import type { PeerMessage } from '../../core/message.ts';
import { NO_MUTATIONS } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { LastLease } from '../../core/clients/stale.ts';
import { memberById, memberByName } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { Admission } from '../admission.ts';
import type { NodeStatus } from '../status.ts';
import { Background } from '../background.ts';
import { Deadlines } from '../deadlines.ts';
import type { Learner } from '../learning/learner.ts';
import { Teacher } from '../learning/teacher.ts';
import { loadWatchOf } from '../load-watch.ts';
import type { LoadWatch } from '../load-watch.ts';
import type { Membership } from '../membership/membership.ts';
import type { NodeParts } from '../node-parts.ts';
import { ForwardService } from '../peers/forward-service.ts';
import type { Forwarder } from '../peers/forwarder.ts';
import { FrameDesk } from '../peers/frame-desk.ts';
import { PeerOutbox } from '../peers/peer-outbox.ts';
import { peerWaysOf } from '../peers/peer-ways.ts';
import { Reception } from '../reception.ts';
import type { RecentWindow } from '../recent.ts';
import { makeEffects } from '../replica-effects.ts';
import { ReplicaKeeper } from '../replica-keeper.ts';
import type { Serving } from '../serving.ts';
import { SlotHolding } from '../slot-holding.ts';
import type { Spool } from '../spool/spool.ts';
import { CounterReserve } from '../store/counter-reserve.ts';
import { RestedTurns } from '../operators/rested-turns.ts';
import { DiskWatch } from '../store/disk-watch.ts';
import type { Stock } from '../store/opening.ts';
import type { RecordReader } from '../system-of-record/record-reader.ts';
import type { RecordWriter } from '../system-of-record/record-writer.ts';
import type { Timing } from '../timing.ts';
import { WaitingRuns } from '../waiting-runs.ts';
import { learnerOf } from './learner.ts';
import { membershipOf } from './membership.ts';
import { recentOf, servingOf, timingOf } from './serving.ts';
import { ownStoreOf } from './store.ts';
import type { OwnStore } from './store.ts';
import { outageWatchOf, recordReaderOf, recordWriterOf, spoolOf } from './system-of-record.ts';

export interface NodeAssembly extends OwnStore {
  readonly membership: Membership;
  /** Null if there is no PostgreSQL. */
  readonly recordWriter: RecordWriter | null;
  readonly recordReader: RecordReader | null;
  readonly spool: Spool;
  readonly learner: Learner;
  readonly holding: SlotHolding;
  readonly keeper: ReplicaKeeper;
  // Messages to and from peers.
  readonly outbox: PeerOutbox;
  readonly desk: FrameDesk;
  readonly forwarder: Forwarder;
  readonly forwardService: ForwardService;
  readonly keyWatch: KeyWatch;
  // Clients' operations.
  readonly admission: Admission;
  readonly reception: Reception;
  readonly serving: Serving;
  readonly deadlines: Deadlines;
  readonly waitingRuns: WaitingRuns;
  readonly planTurns: RestedTurns;
  readonly lastLease: LastLease;
  // What a node does and watches by itself.
  readonly background: Background;
  readonly diskWatch: DiskWatch;
  readonly loadWatch: LoadWatch;
  readonly timing: Timing;
  readonly recent: RecentWindow;
  /** Clients' operations so far. */
  readonly counts: Record<keyof NodeStatus['operations'], number>;
}

// long: the parts, each once, in the order in which they need one another
export function assemble(parts: NodeParts, stock: Stock): NodeAssembly {
  const { clock, storage, telemetry, traces = null, mutations = NO_MUTATIONS } = parts;
  const replica = (): Replica | null => keeper.replica;
  const topology = (): Topology | null => membership.topology;
  const isLinked = (peer: string): boolean => membership.isLinked(peer);
  const isMember = (peer: string): boolean => {
    const known = membership.topology;
    return known !== null && memberByName(known, peer) !== undefined;
  };
  const send = (memberId: number, message: PeerMessage): void => {
    const known = membership.topology;
    const member = known === null ? undefined : memberById(known, memberId);
    if (member !== undefined) outbox.send(member.name, message);
  };

  const counts = { reads: 0, writes: 0, failures: 0, staleReads: 0 };
  const lastLease = new LastLease();
  const waitingRuns = new WaitingRuns();
  const deadlines = new Deadlines(clock.now());
  const admission = new Admission(mutations);
  const timing = timingOf(parts);

  const store = ownStoreOf(parts, stock, {
    onStored: (key, version) => replica()?.onStored(key, version),
    onDamaged: (slot, key) => background.repair.noticed(slot, key),
  });
  const { writer, shelf, operations, floors, leftInFlight, spoolMarks } = store;
  const outbox = new PeerOutbox(parts.transport, clock, () => membership.header());
  const { forwarder, keyWatch } = peerWaysOf(parts, outbox, isLinked);

  const recordWriter = recordWriterOf(
    parts,
    { topology, shelf, floors, replica, leaseHeld: () => membership.leaseHeld() },
    (key, version, outcome) => {
      replica()?.onRecorded(key, version, outcome);
      spool.onRecorded(key, version, outcome);
    },
  );
  const recordReader = recordReaderOf(parts, topology, (...fetched) => replica()?.onFetched(...fetched));
  const outageWatch = outageWatchOf(parts, spoolMarks);
  const loadWatch = loadWatchOf(parts, admission, writer, recordWriter, topology);

  const membership = membershipOf(parts, {
    ...{ writer, outbox, outageWatch, loadWatch },
    onTopology: (next, previous) => keeper.onTopology(next, previous),
    coordinates: () => replica()?.coordinatesIn(() => true) === true,
  });
  const diskWatch = new DiskWatch(parts, (isLow) => membership.room.saw(isLow));
  const spool = spoolOf(parts, membership, recordWriter, spoolMarks, {
    ...{ shelf, send, replica },
    isFullElsewhere: () => outageWatch.isFullElsewhere(clock.now()),
  });
  const teacher = new Teacher({ storage, shelf, operations, floors, send, mutations });
  const learner = learnerOf(parts, { ...store, membership, spool, loadWatch, send });
  const holding = new SlotHolding({
    ...{ clock, shelf, operations, leftInFlight, keyWatch, mutations },
    onRetired: () => membership.retired(),
  });

  const effects = makeEffects({
    ...parts,
    ...{ writer, shelf, operations, membership, recordWriter, recordReader, spool, keyWatch },
    ...{ floors, timing, send, replica },
    agreeFloor: (slot) => background.collector.agreeFloor(slot),
    counters: new CounterReserve(writer, stock.opened.countersReservedThrough),
  });
  const keeper = new ReplicaKeeper({
    ...{ mutations, membership, leftInFlight, holding, lastLease, shelf, operations, learner },
    ...{ effects, floors, versionHighest: stock.opened.versionHighest },
    onEpoch: () => {
      background.collector.onEpoch();
      serving.legacy?.forgetAll();
    },
  });

  const serving = servingOf(parts, {
    ...{ membership, shelf, keyWatch, deadlines, forwarder, timing, replica, lastLease, counts },
    later: (run) => waitingRuns.add(run),
  });
  const reception = new Reception(serving, storage, admission, timing);
  const recent = recentOf(parts, counts, admission, recordWriter);
  const background = new Background(parts, {
    ...{ serving, membership, leftInFlight, floors, spoolMarks, send },
  });
  const forwardService = new ForwardService({
    ...{ serving, storage, isLinked, isMember, admission },
    send: (peer, message) => outbox.send(peer, message),
  });
  const desk = new FrameDesk({
    ...{ telemetry, traces, spool, membership, keyWatch, learner, teacher, background, replica },
    ...{ clock: parts.clock, forwarder, forwardService },
    protocolMax: parts.hello.protocolMax,
    dropEpochCheck: mutations.dropEpochCheck === true,
  });
  return {
    ...store,
    ...{ membership, recordWriter, recordReader, spool, learner, holding, keeper },
    ...{ outbox, desk, forwarder, forwardService, keyWatch },
    ...{ admission, reception, serving, deadlines, waitingRuns, lastLease },
    planTurns: new RestedTurns(parts.clock, (run) => waitingRuns.add(run)),
    ...{ background, diskWatch, loadWatch, timing, recent, counts },
  };
}
