/**
 * What one node proposes to the topology's register, and when: one proposal at a time, derived again from the present
 * state, so that retrying is simply proposing again. Members take turns by their place in the council, so that usually
 * only one of them proposes. (DESIGN 3, PROTOCOL R18, R20, R27, R28, R31)
 */
import { canDoWithout } from '../../core/disk-room.ts';
import {
  doChore,
  idleMembers,
  isSettled,
  markLeaving,
  planHousekeeping,
  rebalance,
} from '../../core/housekeeping.ts';
import type { Chore } from '../../core/housekeeping.ts';
import { allBlank, mayLeave, planColdStart, planJoins, planServing } from '../../core/membership-plan.ts';
import type { Absences, Introductions, Readmissions } from '../../core/membership-plan.ts';
import type { Introduction } from '../../core/membership-message.ts';
import type { Mutations } from '../../core/mutations.ts';
import { raiseProtocol, spokenBy } from '../../core/protocol-versions.ts';
import type { SpokenBy } from '../../core/protocol-versions.ts';
import { adoptServer } from '../../core/record-adoption.ts';
import type { ClaimedServer } from '../../core/record-adoption.ts';
import { driveAnew, nextRecord } from '../../core/record-standing.ts';
import { giveUp } from '../../core/recovery.ts';
import type { Slowness } from '../../core/slowness.ts';
import type { Suspicion } from '../../core/suspicion.ts';
import { changeMembers, leave, markLoaded, promote } from '../../core/topology-change.ts';
import type { MemberChange, Place } from '../../core/topology-change.ts';
import { majorityOf, memberById, memberByName } from '../../core/topology.ts';
import type { Member, Topology } from '../../core/topology.ts';
import type { Found } from './founding.ts';
import { RecordNews } from './record-news.ts';
import type { OutageWatch } from './outage-watch.ts';
import type { Decide, RegisterDriver } from './register-driver.ts';
import { ShareAhead } from './share-ahead.ts';

/** Milliseconds by which each place in the council lets the ones before it go first. */
const TURN_MS = 60;
/** Milliseconds for which a member that owns nothing may compute the sharing of slots before others do. */
const SHARE_TURN_MS = 1_500;
/** For sharing slots out, each place in the order waits this many times as long as for anything else. */
const SHARE_TURNS = 8;
/** Milliseconds for which news of an accepted epoch may be on its way before the register is read. */
const READ_AFTER_MS = 100;
/** Milliseconds by which each place among the configured members lets the ones before it found. */
const FOUNDING_TURN_MS = 3_000;
const FOUNDING_PAUSE_MS = 1_000;
/** Milliseconds from when the first former owner has finished until the others are no longer waited for. */
const RETIRING_PATIENCE_MS = 300;

/** The state of the node at this moment. */
export interface Situation {
  readonly now: number;
  readonly topology: Topology | null;
  readonly own: Introduction;
  readonly introductions: Introductions;
  readonly leaseHeld: boolean;
  readonly stopping: boolean;
  /** Nothing is known that forbids a start of the whole cluster. (lives.ts) */
  readonly mayStart: boolean;
  /** Its disk is nearly full, and nothing is left to finish. (R32) */
  readonly stepsBack: boolean;
  readonly hasReleased: (member: Member) => boolean;
}

export interface ProposalSettings {
  readonly coldStartGraceMs: number;
  /** Names of all configured members. */
  readonly configured: readonly string[];
  /** This process joins a cluster and founds none. */
  readonly joins: boolean;
}

/** An operator's request to this node, kept until an epoch fulfils it. */
export type Wish =
  | { readonly kind: 'leave'; readonly name: string }
  | { readonly kind: 'rebalance' }
  /** Puts in force the highest protocol version that all members speak. */
  | { readonly kind: 'raiseProtocol' }
  /** `slotCount`: the number of lost slots that the operator was shown. */
  | { readonly kind: 'giveUp'; readonly slotCount: number }
  /** Adopts another PostgreSQL, which this node sees. */
  | { readonly kind: 'adopt'; readonly claimed: ClaimedServer };

export interface ProposalRules {
  readonly suspicion: Suspicion;
  readonly slowness: Slowness;
  readonly readmissions: Readmissions;
  readonly absences: Absences;
  readonly place: Place;
  readonly outageWatch: OutageWatch;
}

export class Proposals {
  /** What this node sees of PostgreSQL. */
  readonly recordNews = new RecordNews();
  private readonly driver: RegisterDriver;
  private readonly suspicion: Suspicion;
  private readonly rules: ProposalRules;
  private readonly settings: ProposalSettings;
  private readonly mutations: Mutations;
  private readonly situation: () => Situation;
  private readonly prepareFounding: (begin: (found: Found | null) => void) => void;
  private readonly ahead: ShareAhead;
  private isPreparing = false;
  private promotionEpoch = 0;
  /** The epoch in which each former owner has said that it finished; and when the first of them did. */
  private readonly retiredIn = new Map<number, number>();
  private retiredSince: number | null = null;
  private readonly wishes: Wish[] = [];
  private loadedEpoch = 0;
  /** Since when a voter has been bound to an epoch that this node does not know to be chosen. */
  private behindSince: number | null = null;
  private neededSince: number | null = null;
  private nobodyServesSince: number | null = null;
  private blankSince: number | null = null;
  private foundingNotBefore = 0;

  constructor(
    driver: RegisterDriver,
    rules: ProposalRules,
    settings: ProposalSettings,
    mutations: Mutations,
    situation: () => Situation,
    prepareFounding: (begin: (found: Found | null) => void) => void,
  ) {
    this.driver = driver;
    this.suspicion = rules.suspicion;
    this.rules = rules;
    this.ahead = new ShareAhead(rules.place);
    this.settings = settings;
    this.mutations = mutations;
    this.situation = situation;
    this.prepareFounding = prepareFounding;
  }

  wantPromotion(epoch: number): void {
    this.promotionEpoch = epoch;
  }

  wantLoaded(epoch: number): void {
    this.loadedEpoch = epoch;
  }

  /** A former owner has finished, in this epoch. */
  sawRetired(id: number, epoch: number, now: number): void {
    if (this.retiredIn.get(id) === epoch) return;
    this.retiredIn.set(id, epoch);
    this.retiredSince ??= now;
  }

  /** Proposes the wish until an epoch fulfils it, or it can no longer be fulfilled and is dropped. */
  wish(wish: Wish): void {
    this.wishes.push(wish);
  }

  isWished(wish: Wish): boolean {
    return this.wishes.includes(wish);
  }

  /** The version each member speaks, as far as this node has heard. */
  spoken(): SpokenBy {
    const { own, introductions } = this.situation();
    return spokenBy(own, introductions);
  }

  onBehind(now: number): void {
    this.behindSince ??= now;
  }

  onTopology(): void {
    this.behindSince = null;
    this.neededSince = null;
    this.retiredSince = null;
  }

  /** Starts whatever is due now, if the register is free. */
  tick(): void {
    const situation = this.situation();
    const { topology, now } = situation;
    if (topology === null) return this.tickBlank(situation);
    const change = this.change(situation);
    const failed = change !== null && (change.gone.length > 0 || change.entrants.length > 0);
    const isUrgent =
      failed || this.record(situation, topology) !== null || this.spooling(situation, topology) !== null;
    const chore = this.chore(situation, topology);
    const needed = isUrgent || chore !== null;
    this.neededSince = needed ? (this.neededSince ?? now) : null;
    if (!this.driver.isFree(now)) return;
    if (this.decideOwn(situation, topology) !== null) {
      return this.attempt((at, base) => this.decideOwn(at, base), now);
    }
    if (this.neededSince === null && this.behindSince === null) return;
    const turn = this.turn(situation, topology) * TURN_MS;
    const isShare = !isUrgent && chore?.kind === 'share';
    const dueMs = isShare ? this.sharesAfterMs(situation, topology, turn) : turn;
    if (this.neededSince !== null && now - this.neededSince >= dueMs) {
      if (isShare && !this.ahead.proceed(topology)) return;
      return this.attempt((at, base) => this.decideChange(at, base), now);
    }
    if (this.behindSince !== null && now - this.behindSince >= READ_AFTER_MS + turn) {
      this.behindSince = null;
      // Accepting the value just read once more frees voters that are bound to one that nobody will choose.
      this.driver.begin((base, propose) => propose(base), null, now);
    }
  }

  /** The decision is made again once the register's value is known. */
  private attempt(next: (situation: Situation, base: Topology) => Topology | null, now: number): void {
    const decide: Decide = (base, propose) => {
      const situation = this.situation();
      propose(base === null || base.epoch !== situation.topology?.epoch ? null : next(situation, base));
    };
    this.driver.begin(decide, null, now);
  }

  /** Proposals about this process itself, which do not wait for a turn. */
  private decideOwn(situation: Situation, base: Topology): Topology | null {
    const member = memberByName(base, situation.own.name);
    if (member === undefined || situation.own.state !== 'serving') return null;
    if (situation.stopping) {
      const mayGo = mayLeave(base, member.id, this.suspicion, situation.now);
      return mayGo ? leave(base, member.id, member.incarnation) : null;
    }
    if (situation.stepsBack) {
      const isUp = (name: string): boolean => this.suspicion.isPresent(name, situation.now);
      return canDoWithout(base, member.id, isUp) ? leave(base, member.id, member.incarnation) : null;
    }
    // A learner without a teacher has nothing to be promoted for, and must still be able to do what an operator asks.
    const promoted = this.promotionEpoch === base.epoch ? promote(base, member.id, member.incarnation) : null;
    if (promoted !== null) return promoted;
    if (this.loadedEpoch === base.epoch) return markLoaded(base);
    return situation.leaseHeld ? this.decideWish(base) : null;
  }

  private decideWish(base: Topology): Topology | null {
    for (let wish = this.wishes[0]; wish !== undefined; wish = this.wishes[0]) {
      const next = this.wished(base, wish);
      if (next !== null) return next;
      this.wishes.shift();
    }
    return null;
  }

  private wished(base: Topology, wish: Wish): Topology | null {
    switch (wish.kind) {
      case 'leave':
        return markLeaving(base, wish.name);
      case 'rebalance':
        return rebalance(base, this.rules.place);
      case 'raiseProtocol':
        return raiseProtocol(base, this.spoken(), this.mutations);
      case 'giveUp':
        return giveUp(base, wish.slotCount, this.rules.place);
      case 'adopt':
        return adoptServer(base, wish.claimed, this.recordNews.facts(base).seen, this.mutations);
    }
  }

  private decideChange(situation: Situation, base: Topology): Topology | null {
    const change = this.change(situation);
    const next = change === null ? null : changeMembers(base, change);
    if (next !== null) return situation.own.state === 'serving' ? next : driveAnew(next);
    const record = this.record(situation, base);
    if (record !== null) return record;
    const spooling = this.spooling(situation, base);
    if (spooling !== null) return spooling;
    const chore = this.chore(situation, base);
    if (chore === null) return null;
    return doChore(base, chore, chore.kind === 'share' ? this.ahead.placeFor(base) : this.rules.place);
  }

  /** The change that PostgreSQL's state requires, as this node sees it. (R30) */
  private record(situation: Situation, topology: Topology): Topology | null {
    const { own, leaseHeld, stopping } = situation;
    if (own.state !== 'serving' || !leaseHeld || stopping) return null;
    return nextRecord(topology, this.recordNews.facts(topology));
  }

  /** Whether writes complete without PostgreSQL: only a serving member may propose that. (R34) */
  private spooling({ own, leaseHeld, now }: Situation, topology: Topology): Topology | null {
    return own.state === 'serving' && leaseHeld ? this.rules.outageWatch.next(topology, now) : null;
  }

  /** Only serving members do chores. */
  private chore(situation: Situation, topology: Topology): Chore | null {
    const { own, introductions, now } = situation;
    if (own.state !== 'serving' || !situation.leaseHeld || situation.stopping) return null;
    const { suspicion, absences } = this.rules;
    const joiners = planJoins(topology, introductions, suspicion, now);
    if (joiners.length === 0 && isSettled(topology)) return null;
    const { retiredSince } = this;
    return planHousekeeping(topology, {
      joiners,
      isGoneLong: (id) => absences.goneFor(id, now) > topology.healAfterMs,
      hasRetired: (id) => this.mutations.dropUnretired === true || this.retiredIn.get(id) === topology.epoch,
      patienceOver: retiredSince !== null && now - retiredSince > RETIRING_PATIENCE_MS,
    });
  }

  private change(situation: Situation): MemberChange | null {
    const { topology, own, introductions, now } = situation;
    if (topology === null || situation.stopping) return null;
    if (own.state === 'serving') {
      const change = planServing(
        own.name,
        topology,
        introductions,
        this.suspicion,
        this.rules.slowness,
        this.rules.readmissions,
        situation.hasReleased,
        now,
      );
      // Only a serving member may admit somebody as a learner beside those that serve.
      return situation.leaseHeld ? change : { gone: change.gone, entrants: [] };
    }
    return this.coldStart(situation, topology);
  }

  private coldStart(situation: Situation, topology: Topology): MemberChange | null {
    const { own, introductions, now } = situation;
    if (!situation.mayStart) return null;
    const since = this.nobodyServesSince ?? now;
    const graceOver = now - since >= this.settings.coldStartGraceMs;
    const plan = planColdStart(topology, own, introductions, this.suspicion, graceOver, now);
    this.nobodyServesSince = plan.kind === 'no' ? null : since;
    return plan.kind === 'ready' ? plan.change : null;
  }

  /** How many other members, apparently up, come before this one. */
  private turn(situation: Situation, topology: Topology): number {
    const serving = situation.own.state === 'serving';
    let turn = 0;
    for (const id of [...topology.council, ...topology.members.map((member) => member.id)]) {
      const member = topology.members.find((each) => each.id === id);
      if (member === undefined) continue;
      if (member.name === situation.own.name) return turn;
      if (serving && !member.alive) continue;
      if (!this.suspicion.isSilent(member.name, situation.now)) turn += 1;
    }
    return turn;
  }

  /**
   * One member that owns nothing shares the slots out at once: computing that takes a while, and a member that starts
   * meanwhile would outbid it and make it start over. Others do it only if such members do not.
   */
  private sharesAfterMs({ own, now }: Situation, topology: Topology, turnMs: number): number {
    const idle = idleMembers(topology).map((id) => memberById(topology, id)!.name);
    const isUp = (name: string): boolean => name === own.name || !this.suspicion.isSilent(name, now);
    const first = idle.find(isUp);
    const waitMs = turnMs * SHARE_TURNS;
    return first === own.name ? 0 : first === undefined ? waitMs : SHARE_TURN_MS + waitMs;
  }

  private tickBlank(situation: Situation): void {
    const { now } = situation;
    if (!this.mayFound(situation)) {
      this.blankSince = null;
      return;
    }
    this.blankSince ??= now;
    // Even before its turn, and during an attempt: finding out whether the life in force is lived in takes a while.
    if (this.isPreparing || now < this.foundingNotBefore) return;
    this.foundingNotBefore = now + FOUNDING_PAUSE_MS;
    this.isPreparing = true;
    this.prepareFounding((found) => {
      this.isPreparing = false;
      if (found !== null) this.begin(found);
    });
  }

  private begin(found: Found): void {
    const situation = this.situation();
    const { now, own } = situation;
    if (this.blankSince === null || !this.mayFound(situation) || !this.driver.isFree(now)) return;
    const place = [...this.settings.configured].sort().indexOf(own.name);
    if (now - this.blankSince < place * FOUNDING_TURN_MS) return;
    const electorate = new Map(this.settings.configured.map((name) => [name, 0]));
    this.driver.begin(
      (_base, propose) => found((topology) => propose(this.mayFound(this.situation()) ? topology : null)),
      { electorate, votesNeeded: this.foundersNeeded() },
      now,
    );
  }

  private mayFound(situation: Situation): boolean {
    const { topology, own, introductions, now } = situation;
    if (topology !== null || situation.stopping || this.settings.joins) return false;
    const needed = this.foundersNeeded();
    return allBlank(own, this.settings.configured, introductions, this.suspicion, needed, now);
  }

  private foundersNeeded(): number {
    const count = this.settings.configured.length;
    return this.mutations.blankMajorityFounds === true ? majorityOf(count) : count;
  }
}
