/**
 * Who hears whom. Each member judges the others by its links to them and by their heartbeats, and tells all others whom
 * it does not hear. From its own view and those reports it concludes who must be removed: a member that most of the
 * council does not hear, or one of two members between which a link stays broken. (PROTOCOL R31)
 */
import { majorityOf, memberByName } from './topology.ts';
import type { Member, Topology } from './topology.ts';

export interface SuspicionSettings {
  /** Milliseconds without a frame after which a peer counts as silent. */
  readonly suspectAfterMs: number;
  /** Milliseconds that a broken link may take to come back before the peer counts as silent. */
  readonly linkGraceMs: number;
  /** Milliseconds that a pair may accuse one another before one of them must be removed. */
  readonly splitAfterMs: number;
}

interface Sight {
  heardAt: number;
  /** Since when our link to the peer, and the peer's link to us, has been broken. */
  outBrokenAt: number | null;
  inBrokenAt: number | null;
  suspects: readonly string[];
  reportedAt: number;
}

const NOBODY: readonly string[] = [];
/** Milliseconds by which the earliest possible moment of silence is moved forward: far more than rounding errors. */
const CALM_MARGIN_MS = 1;

export class Suspicion {
  private readonly self: string;
  private readonly settings: SuspicionSettings;
  private readonly sights = new Map<string, Sight>();
  /** Since when pairs of names have been split. */
  private readonly splitSince = new Map<string, number>();
  /** Nobody is silent before this moment. Whatever makes a peer silent sooner must reset it. */
  private calmUntil = -Infinity;
  /** Peers whose last report names some member. */
  private accuserCount = 0;

  constructor(self: string, names: readonly string[], settings: SuspicionSettings, now: number) {
    this.self = self;
    this.settings = settings;
    for (const name of names) this.add(name, now);
  }

  /** Starts watching another peer. A `heardAt` of -Infinity makes it silent until it is heard. */
  add(name: string, heardAt: number): void {
    if (name === this.self || this.sights.has(name)) return;
    this.sights.set(name, {
      heardAt,
      outBrokenAt: null,
      inBrokenAt: null,
      suspects: [],
      reportedAt: -Infinity,
    });
    this.calmUntil = -Infinity;
  }

  remove(name: string): void {
    this.accuserCount -= this.sights.get(name)?.suspects.length ? 1 : 0;
    this.sights.delete(name);
  }

  heard(name: string, now: number): void {
    const sight = this.sights.get(name);
    if (sight === undefined) return;
    sight.heardAt = now;
    sight.inBrokenAt = null;
  }

  linkUp(name: string): void {
    const sight = this.sights.get(name);
    if (sight !== undefined) sight.outBrokenAt = null;
  }

  linkDown(name: string, now: number): void {
    const sight = this.sights.get(name);
    if (sight === undefined) return;
    sight.outBrokenAt ??= now;
    this.calmUntil = -Infinity;
  }

  peerGone(name: string, now: number): void {
    const sight = this.sights.get(name);
    if (sight === undefined) return;
    sight.inBrokenAt ??= now;
    this.calmUntil = -Infinity;
  }

  reported(name: string, suspects: readonly string[], now: number): void {
    const sight = this.sights.get(name);
    if (sight === undefined) return;
    this.accuserCount += (suspects.length > 0 ? 1 : 0) - (sight.suspects.length > 0 ? 1 : 0);
    sight.suspects = suspects;
    sight.reportedAt = now;
  }

  /** This process did not run for a while, so what it did not hear meanwhile says nothing about the others. */
  stalled(now: number): void {
    for (const sight of this.sights.values()) {
      sight.heardAt = now;
      if (sight.outBrokenAt !== null) sight.outBrokenAt = now;
      if (sight.inBrokenAt !== null) sight.inBrokenAt = now;
    }
    this.splitSince.clear();
  }

  isSilent(name: string, now: number): boolean {
    const sight = this.sights.get(name);
    if (sight === undefined) return false;
    const brokenAt = Math.min(sight.outBrokenAt ?? Infinity, sight.inBrokenAt ?? Infinity);
    return now - sight.heardAt > this.settings.suspectAfterMs || now - brokenAt >= this.settings.linkGraceMs;
  }

  /** Nothing speaks against the peer: both links work, and it was heard recently. */
  isPresent(name: string, now: number): boolean {
    const sight = this.sights.get(name);
    if (sight === undefined || sight.outBrokenAt !== null || sight.inBrokenAt !== null) return false;
    return now - sight.heardAt <= this.settings.suspectAfterMs;
  }

  /** The names that this node's heartbeats report as silent. */
  silent(now: number): readonly string[] {
    if (this.isCalm(now)) return NOBODY;
    const silent: string[] = [];
    for (const name of this.sights.keys()) if (this.isSilent(name, now)) silent.push(name);
    return silent;
  }

  /** True if nobody is silent. Asked on each tick, and usually decided by one comparison. */
  private isCalm(now: number): boolean {
    if (now < this.calmUntil) return true;
    const { suspectAfterMs, linkGraceMs } = this.settings;
    let calmUntil = Infinity;
    for (const { heardAt, outBrokenAt, inBrokenAt } of this.sights.values()) {
      const brokenAt = Math.min(outBrokenAt ?? Infinity, inBrokenAt ?? Infinity);
      calmUntil = Math.min(calmUntil, heardAt + suspectAfterMs, brokenAt + linkGraceMs);
    }
    this.calmUntil = calmUntil - CALM_MARGIN_MS;
    return now < this.calmUntil;
  }

  /** True if the observer says that it does not hear the other member; undefined if the observer's view is unknown. */
  misses(observer: string, other: string, now: number): boolean | undefined {
    if (observer === this.self) return this.isSilent(other, now);
    return this.reportOf(observer, now)?.includes(other);
  }

  /** The members that the observer says it does not hear; undefined if its view is unknown. */
  private reportOf(observer: string, now: number): readonly string[] | undefined {
    const sight = this.sights.get(observer);
    if (sight === undefined || now - sight.reportedAt > this.settings.suspectAfterMs) return undefined;
    return this.isSilent(observer, now) ? undefined : sight.suspects;
  }

  /** True if the links between this peer and all the others work both ways, according to everyone concerned. */
  isLinked(name: string, others: readonly string[], now: number): boolean {
    return others.every(
      (other) =>
        other === name ||
        (this.misses(name, other, now) === false && this.misses(other, name, now) === false),
    );
  }

  /** Ids of live members that must be removed, possibly including this one. Called on each tick. */
  accused(topology: Topology, now: number): number[] {
    if (!this.isAnybodyMissed(topology, now)) return [];
    const alive = topology.members.filter((member) => member.alive);
    const council = topology.members.filter((member) => topology.council.includes(member.id));
    const majority = majorityOf(council.length);
    const views = council.map(({ id, name }) => ({
      id,
      missed: name === this.self ? this.silent(now) : this.reportOf(name, now),
    }));
    const isGone = ({ id, name }: Member): boolean =>
      views.filter((view) => view.id !== id && view.missed?.includes(name) === true).length >= majority;
    const gone = alive.filter(isGone);
    const heardCount = views.filter(({ missed }) => missed !== undefined).length;
    const left = alive.filter((member) => !gone.includes(member));
    const victims = heardCount >= majority ? this.splitVictims(left, now) : [];
    return [...gone, ...victims].map((member) => member.id);
  }

  /** Usually all live members are heard by all and no pair is split: then nobody is accused, at no cost. */
  private isAnybodyMissed(topology: Topology, now: number): boolean {
    if (this.splitSince.size > 0) return true;
    if (this.accuserCount === 0 && this.isCalm(now)) return false;
    for (const { name, alive } of topology.members) if (alive && this.isSilent(name, now)) return true;
    for (const { suspects } of this.sights.values()) {
      for (const name of suspects) if (memberByName(topology, name)?.alive === true) return true;
    }
    return false;
  }

  private splitVictims(alive: readonly Member[], now: number): Member[] {
    const victims: Member[] = [];
    const split = new Set<string>();
    for (const [a, b] of this.accusingPairs(alive, now)) {
      const pair = `${a.name} ${b.name}`;
      split.add(pair);
      const since = this.splitSince.get(pair) ?? now;
      this.splitSince.set(pair, since);
      if (now - since < this.settings.splitAfterMs || victims.includes(a) || victims.includes(b)) continue;
      const reachA = this.reach(a, alive, now);
      const reachB = this.reach(b, alive, now);
      victims.push(reachA < reachB || (reachA === reachB && a.id > b.id) ? a : b);
    }
    for (const pair of this.splitSince.keys()) if (!split.has(pair)) this.splitSince.delete(pair);
    return victims;
  }

  /** Pairs of live members of which one says that it does not hear the other; lower id first. */
  private accusingPairs(alive: readonly Member[], now: number): [Member, Member][] {
    const pairs = new Map<string, [Member, Member]>();
    for (const observer of alive) {
      const suspects =
        observer.name === this.self ? this.silent(now) : (this.sights.get(observer.name)?.suspects ?? []);
      for (const name of suspects) {
        const other = alive.find((member) => member.name === name);
        if (other === undefined || this.misses(observer.name, name, now) !== true) continue;
        const [a, b] = observer.id < other.id ? [observer, other] : [other, observer];
        pairs.set(`${a.name} ${b.name}`, [a, b]);
      }
    }
    return [...pairs.values()];
  }

  private reach(member: Member, alive: readonly Member[], now: number): number {
    return alive.filter((other) => other !== member && this.misses(other.name, member.name, now) === false)
      .length;
  }
}
