/**
 * The changes of the topology that the state of the cluster requires, as this node sees it: members that go or enter,
 * what is to be said of PostgreSQL, and chores, in this order. The rules are in `src/core`; here they get what this node
 * knows. (PROTOCOL R20, R28, R30, R31, R34)
 */
import { doChore, isSettled, planHousekeeping } from '../../core/membership/housekeeping.ts';
import type { Chore } from '../../core/membership/housekeeping.ts';
import { planColdStart, planJoins, planServing } from '../../core/membership/membership-plan.ts';
import type { Mutations } from '../../core/mutations.ts';
import { driveAnew, nextRecord } from '../../core/system-of-record/record-standing.ts';
import { changeMembers } from '../../core/membership/topology-change.ts';
import type { MemberChange, Place } from '../../core/membership/topology-change.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { OutageWatch } from './outage-watch.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { RecordNews } from './record-news.ts';
import type { Retirements } from './retirements.ts';
import { ShareAhead } from './share-ahead.ts';
import type { Situation } from './situation.ts';

export interface ChangeSources {
  readonly watch: PeerWatch;
  readonly recordNews: RecordNews;
  readonly outageWatch: OutageWatch;
  readonly retirements: Retirements;
  readonly place: Place;
  readonly coldStartGraceMs: number;
  readonly mutations: Mutations;
}

export class NeededChanges {
  private readonly sources: ChangeSources;
  private readonly ahead: ShareAhead;
  private nobodyServesSince: number | null = null;

  constructor(sources: ChangeSources) {
    this.sources = sources;
    this.ahead = new ShareAhead(sources.place);
  }

  /** The topology with the first change that is needed; null if none is. */
  next(situation: Situation, base: Topology): Topology | null {
    const change = this.members(situation, base);
    const next = change === null ? null : changeMembers(base, change);
    if (next !== null) return situation.own.state === 'serving' ? next : driveAnew(next);
    const ofRecord = this.record(situation, base) ?? this.spooling(situation, base);
    if (ofRecord !== null) return ofRecord;
    const chore = this.chore(situation, base);
    if (chore === null) return null;
    return doChore(base, chore, chore.kind === 'share' ? this.ahead.placeFor(base) : this.sources.place);
  }

  /** True if something other than a chore is needed. */
  isUrgent(situation: Situation, topology: Topology): boolean {
    const change = this.members(situation, topology);
    if (change !== null && (change.gone.length > 0 || change.entrants.length > 0)) return true;
    return this.record(situation, topology) !== null || this.spooling(situation, topology) !== null;
  }

  /** The next chore; only serving members do any. */
  chore({ own, introductions, leaseHeld, stopping, now }: Situation, topology: Topology): Chore | null {
    if (own.state !== 'serving' || !leaseHeld || stopping) return null;
    const { watch, retirements, mutations } = this.sources;
    const joiners = planJoins(topology, introductions, watch.suspicion, now);
    if (joiners.length === 0 && isSettled(topology)) return null;
    return planHousekeeping(topology, {
      joiners,
      isGoneLong: (id) => watch.absences.goneFor(id, now) > topology.healAfterMs,
      hasRetired: (id) => mutations.dropUnretired === true || retirements.has(id, topology),
      patienceOver: retirements.patienceOver(now),
    });
  }

  /** Computes one more piece of how the slots are shared out. Returns true if `next` can say it at once. */
  prepareShare(topology: Topology): boolean {
    return this.ahead.proceed(topology);
  }

  private members(situation: Situation, topology: Topology): MemberChange | null {
    if (situation.stopping) return null;
    if (situation.own.state !== 'serving') return this.coldStart(situation, topology);
    const { own, introductions, hasReleased, now } = situation;
    const { suspicion, slowness, readmissions } = this.sources.watch;
    const seen = { introductions, suspicion, slowness, readmissions, hasReleased };
    const change = planServing(own.name, topology, seen, now);
    // Only a serving member may admit somebody as a learner beside those that serve.
    return situation.leaseHeld ? change : { gone: change.gone, entrants: [] };
  }

  private coldStart(
    { own, introductions, mayStart, now }: Situation,
    topology: Topology,
  ): MemberChange | null {
    if (!mayStart) return null;
    const { watch, coldStartGraceMs } = this.sources;
    const since = this.nobodyServesSince ?? now;
    const graceOver = now - since >= coldStartGraceMs;
    const plan = planColdStart(topology, own, introductions, watch.suspicion, graceOver, now);
    this.nobodyServesSince = plan.kind === 'no' ? null : since;
    return plan.kind === 'ready' ? plan.change : null;
  }

  /** The change that PostgreSQL's state requires. (R30) */
  private record({ own, leaseHeld, stopping }: Situation, topology: Topology): Topology | null {
    if (own.state !== 'serving' || !leaseHeld || stopping) return null;
    return nextRecord(topology, this.sources.recordNews.facts(topology));
  }

  /** Whether writes complete without PostgreSQL: only a serving member may propose that. (R34) */
  private spooling({ own, leaseHeld, now }: Situation, topology: Topology): Topology | null {
    return own.state === 'serving' && leaseHeld ? this.sources.outageWatch.next(topology, now) : null;
  }
}
