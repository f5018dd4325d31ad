/**
 * Decides when members are removed, admitted, or started together, from the topology, from what each peer has said
 * about itself, and from who hears whom. Nothing here changes anything: the decisions are proposed to the council's
 * register. (PROTOCOL R11, R27, R28, R31)
 */
import type { Joiner } from './housekeeping.ts';
import { startsOf } from './incarnation.ts';
import { isMissed } from './disk-room.ts';
import type { Introduction } from './membership-message.ts';
import { speaksEnough } from './protocol-versions.ts';
import type { Slowness } from './slowness.ts';
import type { Suspicion } from './suspicion.ts';
import type { Entrant, MemberChange } from './topology-change.ts';
import { majorityOf, memberById, memberByName } from './topology.ts';
import type { Member, Topology } from './topology.ts';

/** What each peer's process last said about itself, while its link stands. */
export type Introductions = ReadonlyMap<string, Introduction>;

/** Milliseconds that a member must wait if it was removed soon after its admission; doubles each time. */
const READMISSION_MS_MIN = 250;
const READMISSION_MS_MAX = 60_000;
/** Milliseconds after which a membership clears the record. */
const STEADY_AFTER_MS = 60_000;

/** Slows down members that come and go. (R31) */
export class Readmissions {
  private readonly records = new Map<string, { admittedAt: number; strikes: number; notBefore: number }>();

  onTopology(previous: Topology | null, next: Topology, now: number): void {
    for (const member of next.members) {
      const before = previous === null ? undefined : memberByName(previous, member.name);
      const record = this.records.get(member.name) ?? { admittedAt: now, strikes: 0, notBefore: 0 };
      const ended = before?.alive === true && (!member.alive || member.incarnation !== before.incarnation);
      if (ended) {
        record.strikes = now - record.admittedAt > STEADY_AFTER_MS ? 0 : record.strikes + 1;
        // The first removal is forgiven: one restart is not flapping.
        const wait = READMISSION_MS_MIN * 2 ** (record.strikes - 2);
        record.notBefore = record.strikes < 2 ? 0 : now + Math.min(wait, READMISSION_MS_MAX);
      }
      if (member.alive && member.incarnation !== before?.incarnation) record.admittedAt = now;
      this.records.set(member.name, record);
    }
  }

  mayEnter(name: string, now: number): boolean {
    return now >= (this.records.get(name)?.notBefore ?? 0);
  }
}

/** Since when members have been gone, as far as this process has seen. */
export class Absences {
  private readonly since = new Map<number, number>();

  onTopology(next: Topology, now: number): void {
    for (const { id, alive } of next.members) {
      if (alive) this.since.delete(id);
      else if (!this.since.has(id)) this.since.set(id, now);
    }
    for (const id of this.since.keys()) if (memberById(next, id) === undefined) this.since.delete(id);
  }

  /** Milliseconds; 0 for a member that is present. */
  goneFor(id: number, now: number): number {
    return now - (this.since.get(id) ?? now);
  }
}

/** True if the process that introduces itself has replaced the member's recorded process. */
function isRestarted(member: Member, introduction: Introduction | undefined): boolean {
  return (
    introduction !== undefined &&
    introduction.state !== 'serving' &&
    introduction.incarnation !== member.incarnation
  );
}

/**
 * Returns the process as an entrant if it may be one. It must know exactly the topology that it enters after, because
 * only then has it judged by that topology whether its disk is the one the cluster remembers. (R8)
 */
function entrantOf(
  topology: Topology,
  member: Member,
  introduction: Introduction | undefined,
): Entrant | null {
  if (introduction === undefined || introduction.state === 'serving') return null;
  if (introduction.epoch !== topology.epoch || introduction.incarnation === member.incarnation) return null;
  if (!speaksEnough(topology, introduction.protocol)) return null;
  const intact =
    introduction.state === 'entering' &&
    introduction.id === member.id &&
    startsOf(introduction.incarnation) > startsOf(member.incarnation);
  const { address, zone, host } = introduction;
  const place = { address: address === '' ? member.address : address, zone, host };
  return { id: member.id, incarnation: introduction.incarnation, intact, place };
}

const NO_CHANGE: MemberChange = { gone: [], entrants: [] };
const NO_JOINERS: readonly Joiner[] = [];

/** What a member has seen of the others. */
export interface Observations {
  readonly introductions: Introductions;
  readonly suspicion: Suspicion;
  readonly slowness: Slowness;
  readonly readmissions: Readmissions;
  /** The member has given up its lease, because it stops. */
  readonly hasReleased: (member: Member) => boolean;
}

/** The changes that a serving member proposes; empty lists if nothing has to change. */
export function planServing(
  self: string,
  topology: Topology,
  { introductions, suspicion, slowness, readmissions, hasReleased }: Observations,
  now: number,
): MemberChange {
  const accused = suspicion.accused(topology, now);
  const gone: Member[] = [];
  let isSomebodyAway = false;
  for (const member of topology.members) {
    if (member.name === self) continue;
    if (!member.alive) isSomebodyAway = true;
    else if (
      accused.includes(member.id) ||
      hasReleased(member) ||
      isRestarted(member, introductions.get(member.name))
    )
      gone.push(member);
  }
  // Removing a slow member can wait until failed members are removed.
  const slow = gone.length === 0 ? slowness.outgoing(topology) : null;
  if (slow !== null) gone.push(slow);
  // Usually nobody has to go, and nobody is away who could come back.
  if (gone.length === 0 && !isSomebodyAway) return NO_CHANGE;
  const staying = topology.members.filter((member) => member.alive && !gone.includes(member));
  const names = staying.map((member) => member.name);
  const entrants: Entrant[] = [];
  for (const member of topology.members) {
    if (member.name === self || staying.includes(member)) continue;
    const introduction = introductions.get(member.name);
    const entrant = entrantOf(topology, member, introduction);
    if (entrant === null || !readmissions.mayEnter(member.name, now)) continue;
    if (!slowness.mayEnter(member.name, now)) continue;
    // A member without room would only have to leave again, unless it alone holds something. (R32)
    if (introduction!.room !== 'enough' && !isMissed(topology, member.id)) continue;
    if (!suspicion.isLinked(member.name, names, now)) continue;
    entrants.push(entrant);
    names.push(member.name);
  }
  return { gone: gone.map((member) => member.id), entrants };
}

/** Processes that ask to become members, know the topology they would enter, and have a working link to everybody. */
export function planJoins(
  topology: Topology,
  introductions: Introductions,
  suspicion: Suspicion,
  now: number,
): readonly Joiner[] {
  let joiners: Joiner[] | null = null;
  let living: readonly string[] | null = null;
  for (const each of introductions.values()) {
    if (!each.joins || each.state === 'serving' || each.incarnation === 0 || each.room !== 'enough') continue;
    if (each.epoch !== topology.epoch || memberByName(topology, each.name) !== undefined) continue;
    if (!speaksEnough(topology, each.protocol)) continue;
    living ??= topology.members.filter((member) => member.alive).map((member) => member.name);
    if (!suspicion.isPresent(each.name, now) || !suspicion.isLinked(each.name, living, now)) continue;
    const { name, address, zone, host, weight, incarnation, replaces } = each;
    (joiners ??= []).push({ name, address, zone, host, weight, incarnation, replaces });
  }
  return joiners ?? NO_JOINERS;
}

/**
 * True if the member may leave in order. It may not while it is the last owner of some row known to be up: the member
 * that would remain on record as the row's last complete owner may already be dead, or have lost its disk. (R18, R21)
 */
export function mayLeave(topology: Topology, id: number, suspicion: Suspicion, now: number): boolean {
  const isUp = (owner: number): boolean => {
    const member = memberById(topology, owner);
    return owner !== id && member?.alive === true && suspicion.isPresent(member.name, now);
  };
  return topology.rows.every((row) => !row.complete.includes(id) || row.complete.some(isUp));
}

export type ColdStart =
  /** Another process serves, or this one is in no state to start. */
  | { readonly kind: 'no' }
  /** A cold start; it goes ahead once all members are here or the grace period is over. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready'; readonly change: MemberChange };

/**
 * Plans a start of the whole cluster: nobody serves, and most voters are here with their disks. Everyone who is here
 * enters in one step, and everyone else is removed. `own` is this process's introduction; `graceOver` says whether the
 * missing ones have been waited for long enough.
 */
export function planColdStart(
  topology: Topology,
  own: Introduction,
  introductions: Introductions,
  suspicion: Suspicion,
  graceOver: boolean,
  now: number,
): ColdStart {
  if (own.state !== 'entering') return { kind: 'no' };
  const present = new Map<string, Introduction>([[own.name, own]]);
  for (const [name, introduction] of introductions) {
    if (!suspicion.isSilent(name, now)) present.set(name, introduction);
  }
  for (const introduction of present.values()) if (introduction.state === 'serving') return { kind: 'no' };
  const entrants: Entrant[] = [];
  for (const member of topology.members) {
    const entrant = entrantOf(topology, member, present.get(member.name));
    if (entrant !== null) entrants.push(entrant);
  }
  const voters = entrants.filter((entrant) => entrant.intact && topology.council.includes(entrant.id));
  if (voters.length < majorityOf(topology.council.length)) return { kind: 'no' };
  // Members that were healed around are not waited for.
  const awaited = topology.members.filter((member) => member.standing !== 'healed');
  const missing = awaited.filter((member) => !entrants.some((entrant) => entrant.id === member.id));
  if (!graceOver && missing.length > 0) return { kind: 'waiting' };
  const entering = new Set(entrants.map((entrant) => entrant.id));
  const gone = topology.members.filter((member) => member.alive && !entering.has(member.id));
  return { kind: 'ready', change: { gone: gone.map((member) => member.id), entrants } };
}

/** True if this process may found a cluster: all configured members must be here, and all must be blank. (R27) */
export function allBlank(
  own: Introduction,
  configured: readonly string[],
  introductions: Introductions,
  suspicion: Suspicion,
  countNeeded: number,
  now: number,
): boolean {
  const blank = configured.filter((name) => {
    const introduction = name === own.name ? own : introductions.get(name);
    if (introduction === undefined || !isUntouched(introduction) || suspicion.isSilent(name, now))
      return false;
    // With a different list of founders, a process would be left out, or be one too many.
    return introduction.founders === own.founders;
  });
  return blank.length >= countNeeded;
}

/** Blank, and without knowledge of any cluster. */
function isUntouched(introduction: Introduction): boolean {
  const { state, epoch, clusterId, joins } = introduction;
  return state === 'blank' && epoch === 0 && clusterId === '' && !joins;
}
