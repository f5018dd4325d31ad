/**
 * Finds members that are alive but slow because of a stalled disk, a starved process or a bad link. Every write waits
 * for all owners, so one slow owner holds up all others. Each member measures how late its peers would acknowledge (a
 * heartbeat's round trip plus what the peer reports of its store) and reports those that are slow compared with the
 * others. A member found slow by most of those that share slots with it is removed by an epoch, and comes back as a
 * learner once it is well. If all are equally late, nobody is slow. (PROTOCOL R31, R32)
 */
import {
  SLOW_FACTOR,
  SLOW_FOR_MS,
  SLOW_OUT_MEMBERS,
  SLOW_STEADY_MS,
  SLOW_WELL_MS_MAX,
  SLOW_WELL_MS_MIN,
} from '../limits.ts';
import type { Strain } from './membership-message.ts';
import type { Mutations } from '../mutations.ts';
import { majorityOf, memberByName, ownersNeeded, placeable } from './topology.ts';
import type { Member, Topology } from './topology.ts';

/** Weight of the previous mean when a new round trip is added. */
const MEAN_KEEPS = 0.75;
/** Milliseconds for which a peer's report stays valid. */
const WORD_MS = 500;

interface Sight {
  /** Mean of recent round trips; since when one is open, or null; and when the last one ended. */
  tripMs: number;
  askedAt: number | null;
  answeredAt: number;
  /**
   * The peer's own report: how long its store takes, whom it finds slow, how its clients fare, and when it was
   * received.
   */
  storeMs: number;
  finds: readonly string[];
  clientDelayFactor: number;
  saidAt: number;
  /** As of the last check: how late the peer would acknowledge, and how late the others do. */
  lateMs: number;
  usualMs: number;
  /** Since when the peer has been above the limit without being well again; and when it was last not well. */
  slowSince: number | null;
  unwellAt: number;
}

/** Why and how often a member was removed, and how long it must be well before it comes back. */
interface Fall {
  isOut: boolean;
  count: number;
  at: number;
  admittedAt: number;
  wellMs: number;
  lateMs: number;
  usualMs: number;
}

export interface SlowGone {
  readonly member: string;
  readonly lateMs: number;
  readonly usualMs: number;
}

export class Slowness {
  private readonly self: string;
  /** Milliseconds below which nobody is slow; 0 turns the detection off. */
  private readonly slowAfterMs: number;
  private readonly mutations: Mutations;
  private readonly sights = new Map<string, Sight>();
  private readonly falls = new Map<string, Fall>();
  private ownStoreMs = 0;
  private verdict: { readonly epoch: number; readonly member: Member } | null = null;

  constructor(self: string, slowAfterMs: number, mutations: Mutations) {
    this.self = self;
    this.slowAfterMs = slowAfterMs;
    this.mutations = mutations;
  }

  // Measuring.

  /** A heartbeat is sent. Only one at a time is timed: a stall counts once, however many heartbeats it delays. */
  asked(name: string, now: number): void {
    this.sight(name, now).askedAt ??= now;
  }

  /** The heartbeat sent at `sentAt` was answered. */
  answered(name: string, sentAt: number, now: number): void {
    const sight = this.sights.get(name);
    if (sight === undefined || sight.askedAt === null || sentAt < sight.askedAt) return;
    sight.tripMs = sight.tripMs * MEAN_KEEPS + (now - sight.askedAt) * (1 - MEAN_KEEPS);
    sight.askedAt = null;
    sight.answeredAt = now;
  }

  said(name: string, strain: Strain, now: number): void {
    const sight = this.sight(name, now);
    sight.storeMs = strain.storeMs;
    sight.finds = strain.slow;
    sight.clientDelayFactor = strain.clientDelayFactor;
    sight.saidAt = now;
  }

  /** Measurements end with the link: whether the peer is alive is another question. */
  linkDown(name: string): void {
    this.sights.delete(name);
  }

  /** This process did not run for a while, so peers that seemed late meanwhile were not. */
  stalled(): void {
    for (const sight of this.sights.values()) {
      sight.askedAt = null;
      sight.slowSince = null;
    }
  }

  /** Called with each round of heartbeats. `ownStoreMs`: how long this node's own store takes. */
  look(topology: Topology | null, ownStoreMs: number, now: number): void {
    this.ownStoreMs = ownStoreMs;
    this.verdict = null;
    if (topology === null || this.slowAfterMs === 0) return;
    let isAnyUnwell = false;
    for (const sight of this.sights.values()) {
      const tripMs = sight.askedAt === null ? sight.tripMs : Math.max(sight.tripMs, now - sight.askedAt);
      sight.lateMs = tripMs + (isFresh(sight, now) ? sight.storeMs : 0);
      if (sight.lateMs > this.slowAfterMs / 2) isAnyUnwell = true;
      else sight.slowSince = null;
    }
    if (isAnyUnwell) this.compare(topology, now);
    for (const sight of this.sights.values()) if (isFresh(sight, now)) this.believe(sight, now);
    this.verdict = this.mutations.keepSlow === true ? null : this.judge(topology, now);
  }

  private compare(topology: Topology, now: number): void {
    const live = topology.members.filter((member) => member.alive && member.name !== this.self);
    const delays = live.map(({ name }) => this.sights.get(name)?.lateMs ?? 0).sort((a, b) => a - b);
    for (const [name, sight] of this.sights) {
      const isLive = memberByName(topology, name)?.alive === true;
      sight.usualMs = usualOf(delays, isLive ? delays.indexOf(sight.lateMs) : -1);
      const limitMs = this.limitOf(sight);
      if (sight.lateMs > limitMs) sight.slowSince ??= now;
      if (sight.lateMs > limitMs / 2) sight.unwellAt = now;
      else sight.slowSince = null;
    }
  }

  /** A member that any observer finds slow is not well. */
  private believe(observer: Sight, now: number): void {
    for (const name of observer.finds) {
      const sight = this.sights.get(name);
      if (sight !== undefined) sight.unwellAt = now;
    }
  }

  private limitOf(sight: Sight): number {
    return Math.max(this.slowAfterMs, sight.usualMs * SLOW_FACTOR);
  }

  private isSlow(sight: Sight, now: number): boolean {
    const { slowSince } = sight;
    return slowSince !== null && now - slowSince >= SLOW_FOR_MS && sight.lateMs > this.limitOf(sight);
  }

  // Conclusions.

  /** The report to all other members; null if there is nothing to report. */
  strain(now: number, clientDelayFactor: number): Strain | null {
    const slow = [...this.sights].filter(([, sight]) => this.isSlow(sight, now)).map(([name]) => name);
    if (slow.length === 0 && !this.isStoreLate && clientDelayFactor === 0) return null;
    return { kind: 'strain', storeMs: this.ownStoreMs, slow, clientDelayFactor };
  }

  /** This node's own store is late, which the others must be told. */
  get isStoreLate(): boolean {
    return this.ownStoreMs > this.slowAfterMs / SLOW_FACTOR;
  }

  /**
   * How many times as long as usual clients wait while slots are copied, at the node where they wait longest; 0 if no
   * node reports it.
   */
  clientDelayFactor(now: number): number {
    let most = 0;
    for (const sight of this.sights.values())
      if (isFresh(sight, now)) most = Math.max(most, sight.clientDelayFactor);
    return most;
  }

  /** The member that must be removed now, if any: one at a time. */
  outgoing(topology: Topology): Member | null {
    return this.verdict?.epoch === topology.epoch ? this.verdict.member : null;
  }

  /** A member removed as slow comes back after it has been well for a while; the time grows with each removal. */
  mayEnter(name: string, now: number): boolean {
    const sight = this.sights.get(name);
    const fall = this.falls.get(name);
    if (this.mutations.admitSlow === true) return true;
    if (sight === undefined) return fall?.isOut !== true;
    if (fall?.isOut !== true) return !this.isSlow(sight, now) && !this.isFoundSlow(name, now);
    return sight.answeredAt > fall.at && now - Math.max(sight.unwellAt, fall.at) >= fall.wellMs;
  }

  /**
   * Members removed by this epoch that were slow. `isSilent`: the member was not heard at all, which is not slowness.
   */
  onTopology(
    previous: Topology | null,
    next: Topology,
    isSilent: (name: string) => boolean,
    now: number,
  ): SlowGone[] {
    const gone: SlowGone[] = [];
    for (const { name, alive, incarnation } of next.members) {
      const before = previous === null ? undefined : memberByName(previous, name);
      const fall = this.falls.get(name);
      if (before?.alive === true && !alive && !isSilent(name) && this.isDoubted(name, now)) {
        const { lateMs, usualMs } = this.sights.get(name)!;
        this.fell(name, lateMs, usualMs, now);
        gone.push({ member: name, lateMs: Math.round(lateMs), usualMs: Math.round(usualMs) });
      } else if (alive && fall?.isOut === true && incarnation !== before?.incarnation) {
        fall.isOut = false;
        fall.admittedAt = now;
      }
    }
    for (const names of [this.sights, this.falls])
      for (const name of names.keys()) if (memberByName(next, name) === undefined) names.delete(name);
    return gone;
  }

  /** For people: why a member is out, or should be; '' if there is nothing to say. */
  why(name: string, now: number): string {
    const fall = this.falls.get(name);
    if (fall?.isOut === true) return `taken out as slow: ${told(fall)}`;
    const sight = this.sights.get(name);
    return sight !== undefined && this.isSlow(sight, now) ? `slow: ${told(sight)}` : '';
  }

  private fell(name: string, lateMs: number, usualMs: number, now: number): void {
    const before = this.falls.get(name);
    const isSteady =
      before === undefined || now - before.admittedAt > Math.max(SLOW_STEADY_MS, before.wellMs);
    const count = isSteady ? 1 : before.count + 1;
    const wellMs = Math.min(SLOW_WELL_MS_MIN * 2 ** (count - 1), SLOW_WELL_MS_MAX);
    this.falls.set(name, { isOut: true, count, at: now, admittedAt: -Infinity, wellMs, lateMs, usualMs });
  }

  /** Some member finds it slow, or is about to. */
  private isDoubted(name: string, now: number): boolean {
    const sight = this.sights.get(name);
    return sight !== undefined && (sight.slowSince !== null || this.isFoundSlow(name, now));
  }

  private isFoundSlow(name: string, now: number): boolean {
    for (const sight of this.sights.values())
      if (isFresh(sight, now) && sight.finds.includes(name)) return true;
    return false;
  }

  private judge(topology: Topology, now: number): { epoch: number; member: Member } | null {
    let worst: Member | null = null;
    let worstMs = -1;
    for (const member of topology.members) {
      const lateMs = this.sights.get(member.name)?.lateMs ?? 0;
      if (!member.alive || lateMs <= worstMs || member.name === this.self) continue;
      if (!this.isFoundByMost(topology, member, now) || !mayGo(topology, member)) continue;
      worst = member;
      worstMs = lateMs;
    }
    return worst === null ? null : { epoch: topology.epoch, member: worst };
  }

  /** True if most of the members that share slots with it, and so wait for it, find it slow. */
  private isFoundByMost(topology: Topology, member: Member, now: number): boolean {
    const own = this.sights.get(member.name);
    const isOwnFinding = own !== undefined && this.isSlow(own, now);
    if (!isOwnFinding && !this.isFoundSlow(member.name, now)) return false;
    const sharers = sharersOf(topology, member);
    let finders = 0;
    for (const { name } of sharers) {
      const sight = this.sights.get(name);
      if (name === this.self) finders += isOwnFinding ? 1 : 0;
      else if (sight !== undefined && isFresh(sight, now) && sight.finds.includes(member.name)) finders += 1;
    }
    return finders >= majorityOf(sharers.length);
  }

  private sight(name: string, now: number): Sight {
    const known = this.sights.get(name);
    if (known !== undefined) return known;
    const sight: Sight = {
      tripMs: 0,
      askedAt: null,
      answeredAt: -Infinity,
      storeMs: 0,
      finds: [],
      clientDelayFactor: 0,
      saidAt: -Infinity,
      lateMs: 0,
      usualMs: 0,
      slowSince: null,
      unwellAt: now,
    };
    this.sights.set(name, sight);
    return sight;
  }
}

function isFresh(sight: Sight, now: number): boolean {
  return now - sight.saidAt <= WORD_MS;
}

/**
 * The median of all delays but the one at `except` (the higher of two middle ones); Infinity if there is nothing to
 * compare with.
 */
function usualOf(delays: readonly number[], except: number): number {
  const count = except < 0 ? delays.length : delays.length - 1;
  if (count <= 0) return Infinity;
  const middle = Math.floor(count / 2);
  return delays[except >= 0 && except <= middle ? middle + 1 : middle]!;
}

/** Live members that own some slot together with this one. */
function sharersOf(topology: Topology, member: Member): Member[] {
  const ids = new Set<number>();
  for (const row of topology.rows) {
    if (row.owners.includes(member.id)) for (const id of row.owners) ids.add(id);
  }
  return topology.members.filter((each) => each.alive && each !== member && ids.has(each.id));
}

/**
 * A slow member may not be removed if a slot would be left with too few owners, or if too many members are away
 * already. A learner holds nothing, and may always be removed.
 */
function mayGo(topology: Topology, { id }: Member): boolean {
  const alive = new Set<number>();
  for (const member of topology.members) if (member.alive && member.id !== id) alive.add(member.id);
  const needed = ownersNeeded(topology);
  let isOwner = false;
  for (const { owners, complete } of topology.rows) {
    if (!complete.includes(id)) continue;
    isOwner = true;
    let left = 0;
    for (const owner of owners) if (alive.has(owner) && complete.includes(owner)) left += 1;
    if (left < needed) return false;
  }
  const members = placeable(topology);
  const awayMax = 1 + Math.floor(members.length / SLOW_OUT_MEMBERS);
  return !isOwner || members.filter((member) => !member.alive).length < awayMax;
}

function told({ lateMs, usualMs }: { readonly lateMs: number; readonly usualMs: number }): string {
  return `it answers after ${lateMs.toFixed(0)} ms, the others after ${usualMs.toFixed(0)} ms`;
}
