/**
 * Asks PostgreSQL every few seconds whether this node's life of the cluster is in force, and notes there that the node
 * is up. Lives need not hear of one another: blank nodes may have founded a later one, or an operator may have begun
 * it, on the other side of a partition or without any member that this node knows. A node whose life is over serves
 * nothing, starts nothing and grants no lease; it looks for members that are up in the life in force, which then admit
 * it. If that life does not descend from this node's, it belongs to another cluster: there is nothing to look for, and
 * the process ends. (PROTOCOL R27)
 */
import {
  LIFE_ASK_CHOSEN_MS,
  LIFE_ASK_EVERY_MS,
  LIFE_FOREIGN_MS,
  LIFE_OUTSIDE_MS,
} from '../../core/lives/life-limits.ts';
import {
  isElsewhere,
  judgeLife,
  laterServer,
  livingHere,
  livingIn,
  wantsSign,
  whyForeign,
  whyNotLetIn,
  whyOutside,
  whyOver,
} from '../../core/lives/lives.ts';
import type { LivingMember, StandingLife } from '../../core/lives/lives.ts';
import type { Mutations } from '../../core/mutations.ts';
import { serverOf } from '../../core/system-of-record/record-standing.ts';
import type { SeenServer } from '../../core/system-of-record/record-standing.ts';
import { memberByName } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipSelf } from './self.ts';

export interface LifeWatchParts {
  readonly own: LivingMember;
  readonly self: MembershipSelf;
  readonly record: SystemOfRecord | null;
  readonly telemetry: Telemetry;
  readonly topology: () => Topology | null;
  readonly isHeard: (name: string) => boolean;
  /** Connects to these members and listens to them. */
  readonly meet: (members: readonly LivingMember[]) => void;
  readonly onOver: () => void;
  /** Called when this process must end. */
  readonly onFatal: (reason: string) => void;
  /** This process asks to become a member where it is not one. */
  readonly joins: boolean;
  readonly mutations: Mutations;
}

export class LifeWatch {
  private readonly parts: LifeWatchParts;
  private askedAt = -Infinity;
  private isAsking = false;
  private isAnswered = false;
  private lifeAsked = 0;
  /** Since when, and why, this process has to end. */
  private foreign: { readonly since: number; readonly why: string } | null = null;
  /** Others are up in the life in force while this process takes part in nothing: since when, and why. */
  private waits: { readonly since: number; readonly why: string } | null = null;
  private outsideTold = '';
  private hearsNobody = false;
  /**
   * The life in force at another server, which does not descend from this node's: that server need not be asked again.
   */
  private stranger = '';
  /** A server other than this node's own was chosen, only to query it. */
  private isAway = false;
  private now = -Infinity;

  constructor(parts: LifeWatchParts) {
    this.parts = parts;
  }

  /**
   * True if members without a serving one may start together: their life is not over, or PostgreSQL could not be asked.
   * What they hold can be read without it, and they keep asking.
   */
  get mayStart(): boolean {
    const { record, self, mutations } = this.parts;
    if (record === null || mutations.ignoreLaterLife === true) return true;
    return this.isAnswered && !self.isOver;
  }

  /** For people: why this process takes part in nothing and will not soon; '' if nothing is known. */
  get outside(): string {
    const { self } = this.parts;
    if (this.foreign !== null) return this.foreign.why;
    return this.notLetIn() || (self.isOver ? whyOver(self.identity, self.later!) : '');
  }

  /**
   * The same where no member could answer in this process's place, so that nothing is worth waiting for until an
   * operator acts; as of the last tick.
   */
  get shutOut(): string {
    return this.hearsNobody ? (this.foreign?.why ?? this.outsideTold) : '';
  }

  /** A peer says that it is from a later life: PostgreSQL is asked about it at once. */
  heardOfLater(): void {
    this.askedAt = -Infinity;
  }

  tick(now: number): void {
    const { record } = this.parts;
    const topology = this.parts.topology();
    if (topology === null) return;
    this.now = now;
    this.tellOutside();
    if (record === null || this.isAsking) return;
    // For a life that has just begun, it is noted at once that somebody lives in it.
    if (now - this.askedAt < LIFE_ASK_EVERY_MS && topology.life === this.lifeAsked) return;
    this.askedAt = now;
    this.lifeAsked = topology.life;
    this.isAsking = true;
    record.readLife((error, standing) => {
      this.isAsking = false;
      const known = this.parts.topology();
      if (known === null) return;
      const later = error === null ? null : this.laterThan(known, record);
      // What the server says about that life must be known before anything begins in this one.
      this.isAnswered ||= later === null;
      if (error === null) this.onAnswer(record, known, standing, now);
      else if (later !== null) {
        record.choose({ ...later });
        this.isAway = true;
        this.askedAt = now - LIFE_ASK_EVERY_MS + LIFE_ASK_CHOSEN_MS;
      } else if (this.isAway && !this.parts.self.isOver) this.comeBack(record, known);
    });
  }

  private laterThan(topology: Topology, record: SystemOfRecord): SeenServer | null {
    const later = laterServer(topology, record.seen());
    return later?.clusterId === this.stranger ? null : later;
  }

  private onAnswer(
    record: SystemOfRecord,
    topology: Topology,
    standing: StandingLife | null,
    now: number,
  ): void {
    const { own, isHeard, mutations } = this.parts;
    const { identity } = this.parts.self;
    if (isElsewhere(topology, record.seen()) && judgeLife(identity, standing) === 'foreign') {
      // As it was before: not the server of this life, for whatever reason, which is reported elsewhere.
      this.stranger = standing!.clusterId;
      return this.comeBack(record, topology);
    }
    if (mutations.ignoreLaterLife !== true) this.judge(standing, now);
    this.waits = this.waitFor(standing, now);
    if (identity.id === 0 || !wantsSign(identity, standing)) return;
    this.isAsking = true;
    record.signLife(identity, livingHere(own, topology, isHeard), () => (this.isAsking = false));
  }

  /**
   * The other server is no longer connected, or does not concern this node: its own server is used again where it is
   * reachable.
   */
  private comeBack(record: SystemOfRecord, topology: Topology): void {
    const own = serverOf(topology);
    this.isAway = false;
    if (own !== undefined) record.choose(own);
  }

  private judge(standing: StandingLife | null, now: number): void {
    const { self, meet, mutations } = this.parts;
    const verdict = judgeLife(self.identity, standing);
    if (standing !== null && verdict === 'foreign' && mutations.trustLaterLife !== true)
      return this.onForeign(standing, now);
    // A member has told how that life descends from this one, or another database answered for a while.
    if (verdict === 'over' || !self.isOver) this.foreign = null;
    if (standing === null || verdict === 'goesOn') return this.endForeign(now);
    this.end(standing, true);
    meet(livingIn(standing) ?? []);
  }

  /** Statements would be fenced anyway, so there is time to hear from a member that knows better. */
  private onForeign(standing: StandingLife, now: number): void {
    this.foreign ??= { since: now, why: whyForeign(this.parts.self.identity, standing) };
    this.end(standing, false);
    this.endForeign(now);
  }

  private endForeign(now: number): void {
    const { foreign } = this;
    if (foreign !== null && now - foreign.since >= LIFE_FOREIGN_MS) this.parts.onFatal(foreign.why);
  }

  private waitFor(standing: StandingLife | null, now: number): LifeWatch['waits'] {
    const { own, self } = this.parts;
    const others = (livingIn(standing) ?? []).filter(({ name }) => name !== own.name);
    if (standing === null || self.live || others.length === 0 || this.isAmong(standing.life)) return null;
    return { since: this.waits?.since ?? now, why: whyNotLetIn(standing.life, others) };
  }

  /** A member that hears the others, and that they hear, is out only for a while: it is slow, or its disk is full. */
  private isAmong(life: number): boolean {
    const { own, isHeard } = this.parts;
    const topology = this.parts.topology()!;
    if (topology.life !== life || memberByName(topology, own.name) === undefined) return false;
    return topology.members.some(({ name, alive }) => name !== own.name && alive && isHeard(name));
  }

  private notLetIn(): string {
    const { self, joins } = this.parts;
    const topology = this.parts.topology();
    if (self.live || topology === null) return '';
    const { waits } = this;
    if (waits !== null && this.now - waits.since >= LIFE_OUTSIDE_MS) return waits.why;
    return whyOutside(topology, self.name, joins);
  }

  private tellOutside(): void {
    const reason = this.notLetIn();
    if (reason !== '' && this.outsideTold === '')
      this.parts.telemetry.event('error', 'membership.outside', { reason });
    this.outsideTold = reason;
    const { own, isHeard, topology } = this.parts;
    this.hearsNobody = topology()?.members.every(({ name }) => name === own.name || !isHeard(name)) === true;
  }

  private end(standing: StandingLife, isOurs: boolean): void {
    const { self, telemetry, onOver } = this.parts;
    const fields = { life: self.identity.life, inForce: standing.life };
    if (!self.endLife(standing, isOurs)) return;
    if (isOurs) telemetry.event('warn', 'membership.life.over', fields);
    else telemetry.event('error', 'membership.life.foreign', fields);
    onOver();
  }
}
