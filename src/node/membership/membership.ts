/**
 * One node's membership: who it is, which topology it acts in, whether it may serve right now, and for whose
 * leases writes must still wait. It keeps the lease alive by heartbeats, votes in the council, notices who
 * fails, and takes its part in changing the topology. Everything here is about safety first: it stops serving
 * on the slightest doubt, and starts only when the council says so. (DESIGN 3, PROTOCOL R11, R14-R18, R27-R32)
 */
import { LeaseHolder } from '../../core/membership/lease.ts';
import { isAfter } from '../../core/lives/life-epochs.ts';
import type { Introduction } from '../../core/membership/membership-message.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import { NO_MUTATIONS } from '../../core/mutations.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Phase } from '../../core/membership/phases.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { WaitingOut } from '../../core/membership/waiting-out.ts';
import { ClockWatch } from './clock-watch.ts';
import { Founder } from './founding.ts';
import { Heartbeats } from './heartbeats.ts';
import { LifeWatch } from './life-watch.ts';
import { MembershipDisk } from './disk.ts';
import type { MembershipParts } from './parts.ts';
import { PeerTable } from './peer-table.ts';
import { Proposals } from './proposals.ts';
import type { Situation } from './situation.ts';
import { RoomOnDisk } from './room.ts';
import { MembershipSelf } from './self.ts';
import { MembershipStop, phaseOf } from './stop.ts';
import { Neighbours } from './neighbours.ts';
import { PeerWatch } from './peer-watch.ts';
import { Voice } from './voice.ts';
import { RegisterDriver } from './register-driver.ts';
import { SuccessionDesk } from './succession.ts';

/** Milliseconds between two introductions on a standing link. */
const INTRODUCE_AFTER_MS = 1_000;

export class Membership {
  private readonly parts: MembershipParts;
  private readonly mutations: Mutations;
  private readonly disk: MembershipDisk;
  private readonly peers: PeerTable;
  private readonly suspicion: Suspicion;
  readonly lease: LeaseHolder;
  readonly clocks: ClockWatch;
  private readonly waits: WaitingOut;
  readonly neighbours: Neighbours;
  private readonly driver: RegisterDriver;
  /** Who is silent, slow or gone, as this node sees it. */
  readonly watch: PeerWatch;
  /** Also takes operators' wishes. */
  readonly proposals: Proposals;
  /** What nearly full disks mean for this node and for the others. */
  readonly room: RoomOnDisk;
  /** Where an operator continues with the remaining members. */
  readonly succession: SuccessionDesk;
  private readonly self: MembershipSelf;
  readonly lives: LifeWatch;
  private readonly voice: Voice;
  readonly heartbeats: Heartbeats;
  private known: Topology | null;
  /** The topology was learned by this process, not left on disk by an earlier one. */
  private learnedHere = false;
  private readonly stopping = new MembershipStop();
  private readonly onceRenewed = (): void => this.onRenewed();
  /** This process was a member, and will not be one any more. */
  private hasLeft = false;
  private phaseNow: Phase = 'starting';
  private introducedAt = -Infinity;

  constructor(parts: MembershipParts) {
    this.parts = parts;
    this.mutations = parts.mutations ?? NO_MUTATIONS;
    const { clock, self, settings, telemetry } = parts;
    const now = clock.now();
    this.disk = new MembershipDisk(parts.meta, parts.codec);
    const loaded = this.disk.load();
    if (loaded.damaged) telemetry.event('error', 'membership.disk.damaged', {});
    this.self = new MembershipSelf(self.name, loaded.identity, this.disk, parts.random, telemetry);
    this.known = loaded.topology;
    this.peers = new PeerTable([], telemetry);
    this.watch = new PeerWatch(self.name, settings, this.mutations, telemetry, now);
    this.suspicion = this.watch.suspicion;
    this.voice = new Voice(this.self, this.peers, () => this.known?.epoch ?? 0, parts.send);
    this.neighbours = new Neighbours(parts, this.peers, this.suspicion);
    this.lease = new LeaseHolder(this.mutations);
    this.room = new RoomOnDisk(parts.coordinates, this.suspicion, this.peers, this.mutations);
    this.clocks = new ClockWatch(clock, telemetry, settings.suspectAfterMs);
    this.waits = new WaitingOut(this.mutations);
    const host = {
      ...{ name: self.name, mutations: this.mutations },
      header: () => this.header(),
      ...{ now: () => clock.now(), topology: () => this.known },
      send: (name: string, message: PeerMessage) => this.voice.send(name, message),
      onAccepted: () => this.heartbeats.grantAhead(),
      onChosen: (topology: Topology) => this.adopt(topology, true),
    };
    this.driver = new RegisterDriver(host, this.disk, loaded.register, parts.random, telemetry);
    const { disk, driver, lease, mutations, peers, suspicion, voice } = this;
    this.heartbeats = new Heartbeats({
      ...{ clock, telemetry, self: this.self, disk, driver, lease, mutations, peers, suspicion, voice },
      ...{ heartbeatMs: settings.heartbeatMs, slowness: this.watch.slowness, store: parts.store },
      ...{ clientDelayFactor: parts.clientDelayFactor, learned: () => this.known },
      ofRecord: (at) => (this.self.live ? parts.outageWatch.word(this.known, at) : null),
      onBehind: () => this.proposals.onBehind(clock.now()),
    });
    this.lives = new LifeWatch({
      ...{ own: self, self: this.self, telemetry, mutations, topology: host.topology },
      ...{ record: parts.systemOfRecord, onFatal: parts.onFatal, joins: parts.joins !== null },
      isHeard: (name) => suspicion.isPresent(name, clock.now()),
      meet: (living) => this.neighbours.meetLiving(living),
      onOver: () => this.showPhase(),
    });
    this.succession = new SuccessionDesk({
      ...{ self: this.self, peers, driver, voice, suspicion, telemetry },
      situation: () => this.situation(),
      adopt: (topology) => this.adopt(topology, false),
      onLater: () => this.lives.heardOfLater(),
    });
    this.proposals = new Proposals({
      ...{ driver, watch: this.watch, outageWatch: parts.outageWatch, place: parts.place, mutations },
      founder: new Founder(parts, this.neighbours, () => this.allIntroductions()),
      configured: parts.members.map((member) => member.name),
      joins: parts.joins !== null,
      coldStartGraceMs: settings.coldStartGraceMs,
      situation: () => this.situation(),
    });
  }

  get topology(): Topology | null {
    return this.known;
  }

  /** 0 while this disk has no place in the cluster. */
  get selfId(): number {
    return this.self.identity.id;
  }

  get incarnation(): number {
    return this.self.incarnation;
  }

  get phase(): Phase {
    return this.phaseNow;
  }

  /** Monotonic time; -Infinity if no lease is held. */
  get leaseUntil(): number {
    return this.self.live ? this.lease.until : -Infinity;
  }

  /** True if this process may serve at this very moment. Reads the clock each time; never keep the answer. (R16) */
  leaseHeld(): boolean {
    if (!this.self.live) return false;
    const wall = this.parts.clock.wallNow();
    const now = this.parts.clock.now();
    return now < this.lease.until && !this.clocks.gap.wallRanAhead(now, wall);
  }

  /** Monotonic time until which no write of the slot may complete, because somebody may still serve it; or 0. (R15) */
  blockedUntil(slot: number): number {
    return this.waits.blockedUntil(slot);
  }

  header(): FrameHeader {
    return this.voice.header();
  }

  /** True if the links work both ways, so that a request there can be answered. */
  isLinked(name: string): boolean {
    return this.peers.isLinked(name);
  }

  /** Everything that a promotion requires was done in the present epoch. (R20) */
  learned(): void {
    if (this.known !== null) this.proposals.wantPromotion(this.known.epoch);
  }

  /** All rows that PostgreSQL had at the founding are held by their owners. (R23) */
  loaded(): void {
    if (this.known !== null) this.proposals.wantLoaded(this.known.epoch);
  }

  /** Tells all members that nothing is left to finish in the slots that this node gives up in this epoch. */
  retired(): void {
    if (this.known === null || !this.self.live) return;
    this.proposals.retirements.saw(this.self.identity.id, this.known.epoch, this.parts.clock.now());
    this.voice.broadcast({ kind: 'retired' });
  }

  // Starting and stopping.

  /** Takes a new incarnation; nothing is sent before it is on disk. (R11) */
  start(): void {
    this.neighbours.start(this.known);
    if (this.mutations.restartSameIncarnation !== true || !this.self.continueLast()) return this.renew();
    if (this.known !== null) this.lease.begin(this.known);
    this.onRenewed();
  }

  /**
   * A clean stop: gives up the lease, then proposes the epoch without this process, so that nobody has to wait it out.
   * Calls back when the others act in that epoch, or at the deadline. (R18)
   */
  stop(done: () => void): void {
    this.lease.release();
    this.stopping.ask(this.parts.clock.now() + this.parts.settings.stopTimeoutMs, done);
    if (this.self.live) this.voice.broadcast({ kind: 'leaseReleased' });
    this.showPhase();
  }

  private renew(): void {
    this.self.renew(this.parts.clock.now(), this.onceRenewed);
  }

  private onRenewed(): void {
    if (this.known !== null) this.self.judge(this.known);
    this.entered();
  }

  /** This process now has an identity to speak under. */
  private entered(): void {
    this.showPhase();
    this.voice.broadcast(this.introduction());
    this.heartbeats.sendAll(this.parts.clock.now());
  }

  // Links and time.

  onLinkUp(name: string, protocol: number): void {
    if (!this.peers.onLinkUp(name, protocol)) return;
    this.suspicion.linkUp(name);
    this.driver.onLinkUp(name);
    if (this.self.incarnation === 0) return;
    this.voice.send(name, this.introduction());
    this.heartbeats.sendTo(name, this.parts.clock.now());
  }

  onLinkDown(name: string): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    peer.linked = false;
    this.watch.linkDown(name, this.parts.clock.now());
  }

  onPeerGone(name: string): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    this.peers.onGone(peer);
    this.suspicion.peerGone(name, this.parts.clock.now());
    this.neighbours.onPeerGone(name);
  }

  tick(): void {
    const now = this.clocks.tick(this.lease, this.watch);
    if (this.clocks.hadGap) this.heartbeats.sendAll(now);
    this.self.tick(now, this.onceRenewed);
    if (this.self.incarnation === 0) return;
    this.waits.onTick(now);
    this.driver.tick(now);
    this.heartbeats.tick(now);
    this.lives.tick(now);
    if (this.room.tick(now, this.known, this.self) || now - this.introducedAt >= INTRODUCE_AFTER_MS) {
      this.introducedAt = now;
      this.voice.broadcast(this.introduction());
    }
    if (!this.self.isRenewing) this.proposals.tick();
    this.stopping.tick(this.known, this.self.live, this.suspicion, this.peers, now);
    this.neighbours.tick(now, now < this.leaseUntil);
  }

  // Messages from peers.

  /** Called for each frame: its sender is alive, and acts in this epoch. Returns false if it must be ignored. */
  onFrame(name: string, header: FrameHeader): boolean {
    const peer = this.peers.get(name);
    if (peer === undefined || !peer.trusted || this.self.incarnation === 0) return false;
    const now = this.parts.clock.now();
    this.suspicion.heard(name, now);
    if (header.from > 0) this.waits.onFrame(header.from, header.epoch);
    if (this.known !== null && this.peers.wantsNews(peer, header, this.known.epoch, now)) {
      this.voice.send(name, { kind: 'topology', topology: this.known });
      this.heartbeats.sendTo(name, now);
    }
    return true;
  }

  /** Handles membership messages; others are ignored here. */
  onMessage(name: string, header: FrameHeader, message: PeerMessage): void {
    if (message.kind === 'introduction') this.neighbours.onIntroduction(name, message, this.known);
    const peer = this.peers.get(name);
    if (peer === undefined || this.self.incarnation === 0) return;
    if (message.kind === 'succession') return this.succession.onNews(message);
    if (message.kind === 'introduction') {
      this.peers.onIntroduction(peer, message, this.self.identity);
      this.succession.onIntroduction(name, message);
    }
    if (!peer.trusted) return;
    if (message.kind === 'introduction') {
      this.neighbours.follow(name, message);
      this.room.hear(this.selfId);
    }
    this.onFrame(name, header);
    switch (message.kind) {
      case 'prepare':
      case 'promise':
      case 'accept':
      case 'accepted':
        return this.driver.onMessage(name, header, message);
      case 'topology':
        if (!this.self.refuses(message.topology)) this.adopt(message.topology, false);
        return;
      case 'heartbeat':
        return this.heartbeats.onHeartbeat(peer, header, message);
      case 'heartbeatAnswer':
        return this.heartbeats.onAnswer(peer, header, message);
      case 'strain':
        return this.watch.slowness.said(name, message, this.parts.clock.now());
      case 'recordHearsay':
        return this.parts.outageWatch.said(name, message, this.parts.clock.now());
      case 'leaseReleased':
        return this.waits.onReleased(header.from, header.incarnation);
      case 'retired':
        return this.proposals.retirements.saw(header.from, header.epoch, this.parts.clock.now());
      default:
        return;
    }
  }

  // Messages to peers.

  private introduction(): Introduction {
    // A process that has left does not come back by itself: it must be restarted.
    const mayJoin = !this.hasLeft && !this.stopping.isAsked;
    return this.self.introduction(this.parts, this.known?.epoch ?? 0, mayJoin, this.room.room);
  }

  private allIntroductions(): Map<string, Introduction> {
    return new Map(this.peers.introductions).set(this.self.name, this.introduction());
  }

  private situation(): Situation {
    return {
      now: this.parts.clock.now(),
      topology: this.known,
      own: this.introduction(),
      introductions: this.peers.introductions,
      leaseHeld: this.leaseHeld(),
      stopping: this.stopping.isAsked,
      mayStart: this.lives.mayStart,
      stepsBack: this.room.isReadyToGo,
      hasReleased: (member) => this.waits.hasReleased(member.id, member.incarnation),
    };
  }

  // Topologies.

  /** A topology is known to be chosen. First of all, the lease of the previous epoch ends here. */
  private adopt(next: Topology, chosenHere: boolean): void {
    const previous = this.known;
    if (previous !== null && !isAfter(next, previous)) return;
    const now = this.parts.clock.now();
    this.lease.begin(next);
    this.waits.onTopology(this.learnedHere ? previous : null, next, now);
    this.watch.onTopology(previous, next, now);
    this.parts.outageWatch.onTopology(previous, next);
    this.known = next;
    this.learnedHere = true;
    // Before the identity, so that a disk with a place in the cluster always has a topology too.
    this.disk.saveTopology(next, (error) => {
      if (error === null) return;
      this.parts.telemetry.event('error', 'membership.store.failed', { reason: error.message });
    });
    const wasMember = this.self.live;
    this.self.judge(next);
    this.neighbours.onTopology(next, this.self.live);
    this.proposals.onTopology();
    this.parts.telemetry.event('info', 'membership.epoch', { epoch: next.epoch, live: this.self.live });
    if (chosenHere) this.voice.broadcast({ kind: 'topology', topology: next });
    this.parts.onTopology(next, previous);
    const leaves = wasMember && this.self.isDropped(previous, next);
    if (leaves) this.hasLeft = true;
    this.showPhase();
    if (leaves) return this.parts.onLeft();
    if (!this.self.isRenewing) {
      this.lease.takeGrants();
      this.entered();
      if (this.self.isSpent(next) && !this.stopping.isAsked) this.renew();
    }
  }

  private showPhase(): void {
    const { hasLeft } = this;
    const joins = this.parts.joins !== null;
    const phase = phaseOf(this.self, this.known, { isStopping: this.stopping.isAsked, hasLeft, joins });
    if (phase === this.phaseNow) return;
    this.phaseNow = phase;
    this.parts.onPhase(phase);
  }
}
