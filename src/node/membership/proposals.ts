/**
 * What one node proposes to the topology's register, and when: one proposal at a time, derived again from the present
 * state, so that retrying is simply proposing again. Members take turns, so that usually only one of them proposes.
 * (DESIGN 3, PROTOCOL R18, R20, R27, R28, R31)
 */
import { canDoWithout } from '../../core/membership/disk-room.ts';
import { mayLeave } from '../../core/membership/membership-plan.ts';
import type { Mutations } from '../../core/mutations.ts';
import { spokenBy } from '../../core/membership/protocol-versions.ts';
import type { SpokenBy } from '../../core/membership/protocol-versions.ts';
import { leave, markLoaded, promote } from '../../core/membership/topology-change.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import { memberByName } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { FoundingAttempts } from './founding-attempts.ts';
import type { Founder } from './founding.ts';
import { NeededChanges } from './needed-changes.ts';
import type { OutageWatch } from './outage-watch.ts';
import type { PeerWatch } from './peer-watch.ts';
import { RecordNews } from './record-news.ts';
import type { Decide, RegisterDriver } from './register-driver.ts';
import { Retirements } from './retirements.ts';
import type { Situation } from './situation.ts';
import { shareTurnMs, turnMs } from './turns.ts';
import { Wishes } from './wishes.ts';

/** Milliseconds for which news of an accepted epoch may be on its way before the register is read. */
const READ_AFTER_MS = 100;

export interface ProposalParts {
  readonly driver: RegisterDriver;
  readonly founder: Founder;
  /** Names of all configured members. */
  readonly configured: readonly string[];
  /** This process joins a cluster and founds none. */
  readonly joins: boolean;
  readonly coldStartGraceMs: number;
  readonly watch: PeerWatch;
  readonly outageWatch: OutageWatch;
  readonly place: Place;
  readonly mutations: Mutations;
  /** The state of the node at this moment. */
  readonly situation: () => Situation;
}

export class Proposals {
  /** What this node sees of PostgreSQL. */
  readonly recordNews = new RecordNews();
  readonly retirements = new Retirements();
  readonly wishes: Wishes;
  private readonly parts: ProposalParts;
  private readonly driver: RegisterDriver;
  private readonly needs: NeededChanges;
  private readonly founding: FoundingAttempts;
  private promotionEpoch = 0;
  private loadedEpoch = 0;
  private neededSince: number | null = null;
  /** Since when a voter has been bound to an epoch that this node does not know to be chosen. */
  private behindSince: number | null = null;

  constructor(parts: ProposalParts) {
    const { recordNews, retirements } = this;
    const { suspicion } = parts.watch;
    this.parts = parts;
    this.driver = parts.driver;
    this.wishes = new Wishes({ ...parts, recordNews, spoken: () => this.spoken() });
    this.needs = new NeededChanges({ ...parts, recordNews, retirements });
    this.founding = new FoundingAttempts({ ...parts, suspicion });
  }

  wantPromotion(epoch: number): void {
    this.promotionEpoch = epoch;
  }

  wantLoaded(epoch: number): void {
    this.loadedEpoch = epoch;
  }

  /** The version each member speaks, as far as this node has heard. */
  spoken(): SpokenBy {
    const { own, introductions } = this.parts.situation();
    return spokenBy(own, introductions);
  }

  onBehind(now: number): void {
    this.behindSince ??= now;
  }

  onTopology(): void {
    this.behindSince = null;
    this.neededSince = null;
    this.retirements.onTopology();
  }

  /** Starts whatever is due now, if the register is free. */
  tick(): void {
    const situation = this.parts.situation();
    const { topology, now } = situation;
    if (topology === null) return this.founding.tick(situation);
    const isUrgent = this.needs.isUrgent(situation, topology);
    const chore = this.needs.chore(situation, topology);
    this.neededSince = isUrgent || chore !== null ? (this.neededSince ?? now) : null;
    if (!this.driver.isFree(now)) return;
    if (this.ownChange(situation, topology) !== null)
      return this.attempt((at, base) => this.ownChange(at, base), now);
    const { suspicion } = this.parts.watch;
    if (this.neededSince !== null) {
      const isShare = !isUrgent && chore?.kind === 'share';
      const dueMs = (isShare ? shareTurnMs : turnMs)(situation, topology, suspicion);
      if (now - this.neededSince >= dueMs) {
        if (isShare && !this.needs.prepareShare(topology)) return;
        return this.attempt((at, base) => this.needs.next(at, base), now);
      }
    }
    if (this.behindSince === null) return;
    if (now - this.behindSince >= READ_AFTER_MS + turnMs(situation, topology, suspicion)) {
      this.behindSince = null;
      // Accepting the value just read once more frees voters that are bound to one that nobody will choose.
      this.driver.begin((base, propose) => propose(base), null, now);
    }
  }

  /** The decision is made again once the register's value is known. */
  private attempt(next: (situation: Situation, base: Topology) => Topology | null, now: number): void {
    const decide: Decide = (base, propose) => {
      const situation = this.parts.situation();
      propose(base === null || base.epoch !== situation.topology?.epoch ? null : next(situation, base));
    };
    this.driver.begin(decide, null, now);
  }

  /** Proposals about this process itself, and operators' wishes: they do not wait for a turn. */
  private ownChange(situation: Situation, base: Topology): Topology | null {
    const { suspicion } = this.parts.watch;
    const member = memberByName(base, situation.own.name);
    if (member === undefined || situation.own.state !== 'serving') return null;
    if (situation.stopping) {
      const mayGo = mayLeave(base, member.id, suspicion, situation.now);
      return mayGo ? leave(base, member.id, member.incarnation) : null;
    }
    if (situation.stepsBack) {
      const isUp = (name: string): boolean => suspicion.isPresent(name, situation.now);
      return canDoWithout(base, member.id, isUp) ? leave(base, member.id, member.incarnation) : null;
    }
    // A learner without a teacher has nothing to be promoted for, and must still be able to do what an operator asks.
    const promoted = this.promotionEpoch === base.epoch ? promote(base, member.id, member.incarnation) : null;
    if (promoted !== null) return promoted;
    if (this.loadedEpoch === base.epoch) return markLoaded(base);
    return situation.leaseHeld ? this.wishes.change(base) : null;
  }
}
