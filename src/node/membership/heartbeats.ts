/**
 * Heartbeats, which each member sends to all others. They ask the council for the lease, show that their sender is
 * alive, and report whom it does not hear and who is slow. (PROTOCOL R14, R26, R31)
 */
import { answerLease, bindingOf } from '../../core/membership/lease.ts';
import type { LeaseAnswer, LeaseHolder } from '../../core/membership/lease.ts';
import type { Heartbeat, HeartbeatAnswer, Strain } from '../../core/membership/membership-message.ts';
import type { FrameHeader } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Slowness } from '../../core/membership/slowness.ts';
import type { RecordHearsay } from '../../core/system-of-record/spool-message.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipDisk } from './disk.ts';
import type { MembershipParts } from './parts.ts';
import type { Peer, PeerTable } from './peer-table.ts';
import type { MembershipSelf } from './self.ts';
import type { Voice } from './voice.ts';
import type { RegisterDriver } from './register-driver.ts';

/** Milliseconds of skew between two wall clocks that are reported to people, and how often. (R26) */
const SKEW_MS_MAX = 500;
const SKEW_WARN_AFTER_MS = 60_000;

export interface HeartbeatParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly heartbeatMs: number;
  readonly lease: LeaseHolder;
  readonly suspicion: Suspicion;
  readonly slowness: Slowness;
  readonly store: MembershipParts['store'];
  readonly self: MembershipSelf;
  readonly disk: MembershipDisk;
  readonly driver: RegisterDriver;
  readonly peers: PeerTable;
  readonly mutations: Mutations;
  readonly voice: Voice;
  readonly learned: () => Topology | null;
  /** How much longer this node's clients wait while slots are copied. */
  readonly clientDelayFactor: () => number;
  /** The report on PostgreSQL to send, or null. (R34) */
  readonly ofRecord: (now: number) => RecordHearsay | null;
  /** Called when a voter is bound to a later epoch than this node knows to be chosen. */
  readonly onBehind: () => void;
}

export class Heartbeats {
  private readonly parts: HeartbeatParts;
  private sentAt = -Infinity;
  private suspectsTold = '';
  /** The latest epoch that was granted in advance. */
  private grantedAhead = 0;
  private wallTold = -Infinity;

  constructor(parts: HeartbeatParts) {
    this.parts = parts;
  }

  /** Sends heartbeats at their interval, and immediately when a member has fallen silent or is heard again. */
  tick(now: number): void {
    const suspects = this.parts.suspicion.silent(now);
    const told = suspects.length === 0 ? '' : suspects.join(' ');
    if (now - this.sentAt >= this.parts.heartbeatMs || told !== this.suspectsTold) this.sendAll(now);
  }

  sendAll(now: number): void {
    const { suspicion, peers, lease, voice } = this.parts;
    this.sentAt = now;
    const suspects = suspicion.silent(now);
    this.suspectsTold = suspects.join(' ');
    const strain = this.strain(now);
    const ofRecord = this.parts.ofRecord(now);
    for (const peer of peers.linked()) {
      if (strain !== null) voice.send(peer.name, strain, true);
      if (ofRecord !== null) voice.send(peer.name, ofRecord, true);
      this.sendTo(peer.name, now, suspects);
    }
    if (!this.parts.self.live) return;
    const header = voice.header();
    const own = this.answer(header);
    if (own.granted) lease.onGrant(header.from, own.epoch, now, now);
    else if (own.epoch > header.epoch) this.parts.onBehind();
    this.grantAhead();
  }

  sendTo(name: string, now: number, suspects: readonly string[] = this.parts.suspicion.silent(now)): void {
    const wallAt = this.parts.clock.wallNow();
    if (wallAt > this.wallTold) this.wallTold = wallAt;
    this.parts.slowness.asked(name, now);
    this.parts.voice.send(name, { kind: 'heartbeat', sentAt: now, wallAt, suspects });
  }

  /**
   * The latest wall-clock time shown to others: they rely on what they were told even if the clock was set back since.
   * (R26)
   */
  wallShown(): number {
    return Math.max(this.wallTold, this.parts.clock.wallNow());
  }

  onHeartbeat(peer: Peer, header: FrameHeader, message: Heartbeat): void {
    const { clock, suspicion } = this.parts;
    const { sentAt } = message;
    suspicion.reported(peer.name, message.suspects, clock.now());
    peer.asked = { header, sentAt };
    this.tell(peer.name, sentAt, this.answer(header));
  }

  /**
   * This voter has accepted an epoch, or knows that it is chosen, so members that asked for a lease in the previous
   * epoch need not ask again. The grant answers their last heartbeat, and counts from when that was sent; a member that
   * has not heard of the epoch yet cannot use it before it has. (R14)
   */
  grantAhead(): void {
    const { driver, learned, mutations, peers, voice } = this.parts;
    const binding = bindingOf(driver.accepted, learned(), mutations);
    if (binding === null || binding.epoch <= this.grantedAhead) return;
    this.grantedAhead = binding.epoch;
    if (!binding.council.includes(voice.header().from)) return;
    for (const { name, asked } of peers.linked()) {
      if (asked === null) continue;
      const answer = this.answer({ ...asked.header, epoch: binding.epoch });
      if (answer.granted) this.tell(name, asked.sentAt, answer);
    }
  }

  private tell(name: string, sentAt: number, { granted, epoch }: LeaseAnswer): void {
    const wallAt = this.parts.clock.wallNow();
    this.parts.voice.send(name, { kind: 'heartbeatAnswer', sentAt, granted, acceptedEpoch: epoch, wallAt });
  }

  onAnswer(peer: Peer, header: FrameHeader, answer: HeartbeatAnswer): void {
    const { clock, lease, telemetry } = this.parts;
    const now = clock.now();
    this.parts.slowness.answered(peer.name, answer.sentAt, now);
    if (answer.granted) lease.onGrant(header.from, answer.acceptedEpoch, answer.sentAt, now);
    else if (this.parts.self.live && answer.acceptedEpoch > this.parts.voice.header().epoch)
      this.parts.onBehind();
    const skewMs = Math.abs(answer.wallAt - clock.wallNow()) - (now - answer.sentAt);
    if (skewMs > SKEW_MS_MAX && now - peer.skewWarnedAt > SKEW_WARN_AFTER_MS) {
      peer.skewWarnedAt = now;
      telemetry.event('warn', 'membership.clock.skew', { peer: peer.name, skewMs });
    }
  }

  /** Determines who is slow, including this node, and what to report of that. */
  private strain(now: number): Strain | null {
    const { slowness, store, learned, disk } = this.parts;
    slowness.look(learned(), store.lateMs(), now);
    const strain = slowness.strain(now, this.parts.clientDelayFactor());
    if (slowness.isStoreLate && store.isIdle()) disk.tryStore();
    return strain;
  }

  /**
   * This node's answer as a voter. Without an id it has none (R29). It grants nothing either if its life of the cluster
   * is over, so that members that cannot ask PostgreSQL stop serving too.
   */
  private answer(ask: FrameHeader): LeaseAnswer {
    const asked = { id: ask.from, incarnation: ask.incarnation, epoch: ask.epoch };
    const { driver, learned, mutations, self, voice } = this.parts;
    const answer = answerLease(driver.accepted, learned(), asked, mutations);
    return voice.header().from === 0 || self.isOver ? { ...answer, granted: false } : answer;
  }
}
