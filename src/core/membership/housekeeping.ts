/**
 * The members' chores for the shape of the cluster when nothing fails: newcomers become members; members that leave or
 * are gone too long lose their place; the council follows, one voter at a time; and slots are shared out again and
 * handed over step by step. `planHousekeeping` cheaply names the next chore; `doChore` makes the next topology from it.
 * (DESIGN 3 and 4, PROTOCOL R8, R29, R31)
 */
import { oncePer } from '../../base/once-per.ts';
import { COUNCIL_COUNT_MAX } from '../limits.ts';
import { beginMoves, destinations, dropRetired, headFor, movesOf } from '../placement/slot-moves.ts';
import type { SlotTable } from '../placement/slot-index.ts';
import type { Place } from './topology-change.ts';
import { isAlive, memberById, memberByName, ownersNeeded, placeable } from './topology.ts';
import type { Member, Standing, Topology } from './topology.ts';
import { NODE_ID_COUNT } from '../version.ts';

/** A process that is not a member and asks to become one. */
export interface Joiner {
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
  readonly incarnation: number;
  /** Name of the lost member whose place it takes; '' if none. */
  readonly replaces: string;
}

export interface HousekeepingFacts {
  /** Processes that have a working link to and from every live member. (R31) */
  readonly joiners: readonly Joiner[];
  /** The member has been gone for longer than `healAfterMs`. */
  readonly isGoneLong: (id: number) => boolean;
  /** The member has said in this epoch that it has nothing left to finish in the slots it gives up. */
  readonly hasRetired: (id: number) => boolean;
  /** The wait for members that have not said so has lasted long enough. */
  readonly patienceOver: boolean;
}

export type Chore =
  | { readonly kind: 'join'; readonly joiners: readonly Joiner[] }
  | { readonly kind: 'stand'; readonly ids: readonly number[]; readonly standing: Standing | null }
  | { readonly kind: 'council'; readonly council: readonly number[] }
  | { readonly kind: 'remove'; readonly ids: readonly number[] }
  /** Share the slots out among the members that should have them. */
  | { readonly kind: 'share' }
  /** Drop former owners, and start the moves that can start. */
  | { readonly kind: 'advance'; readonly mayGo: (id: number) => boolean };

/** The next chore; null if there is none, or it has to wait. */
export function planHousekeeping(topology: Topology, facts: HousekeepingFacts): Chore | null {
  const joiners = facts.joiners.filter((joiner) => mayJoin(topology, joiner));
  if (joiners.length > 0 && topology.nextId < NODE_ID_COUNT) return { kind: 'join', joiners };
  const healed = topology.members.filter((member) => member.standing === 'healed');
  const returned = healed.filter((member) => member.alive);
  if (returned.length > 0) return { kind: 'stand', ids: idsOf(returned), standing: null };
  const lost = toHeal(topology, facts.isGoneLong);
  if (lost.length > 0) return { kind: 'stand', ids: lost, standing: 'healed' };
  const council = nextCouncil(topology);
  if (council !== null) return { kind: 'council', council };
  const done = topology.members.filter((member) => hasLeft(topology, member));
  if (done.length > 0) return { kind: 'remove', ids: idsOf(done) };
  if (needsShare(topology)) return { kind: 'share' };
  return planMoves(topology, facts);
}

/**
 * Live members that own nothing. Long computations are best done by them, because a serving member answers nobody
 * meanwhile: sharing out all slots takes a tenth of a second, and several times that in a process that has just
 * started.
 */
export function idleMembers({ members, rows }: Topology): readonly number[] {
  return idsOf(members.filter(({ id, alive }) => alive && !rows.some(({ owners }) => owners.includes(id))));
}

const settled = new WeakMap<Topology, boolean>();

const NOTHING_HAPPENS: HousekeepingFacts = {
  joiners: [],
  isGoneLong: () => false,
  hasRetired: () => false,
  patienceOver: false,
};

/**
 * True if only a newcomer can create work here: nobody is away who would be healed around, the council is full, the
 * slots are shared out among all members, and are where they belong or on their way. Asked on every tick, so it is
 * cached by topology.
 */
export function isSettled(topology: Topology): boolean {
  let known = settled.get(topology);
  if (known === undefined) {
    known =
      (topology.healAfterMs === 0 || placeable(topology).every((member) => member.alive)) &&
      planHousekeeping(topology, NOTHING_HAPPENS) === null &&
      movesOf(topology).retiring.size === 0;
    settled.set(topology, known);
  }
  return known;
}

function planMoves(topology: Topology, facts: HousekeepingFacts): Chore | null {
  const moves = movesOf(topology);
  const retirees = [...moves.retiring.keys()];
  const ready = retirees.filter(facts.hasRetired);
  const mayDrop = ready.length > 0 && (ready.length === retirees.length || facts.patienceOver);
  const mayBegin = [...moves.waiting.keys()].some((id) => isAlive(topology, id) && !moves.learning.has(id));
  if (mayDrop) return { kind: 'advance', mayGo: (id) => ready.includes(id) };
  if (moves.hasLeavings || mayBegin) return { kind: 'advance', mayGo: () => false };
  return null;
}

/** Returns null if the chore turns out to change nothing. */
export function doChore(topology: Topology, chore: Chore, place: Place): Topology | null {
  const next = { ...topology, epoch: topology.epoch + 1 };
  switch (chore.kind) {
    case 'join':
      return join(next, chore.joiners, place);
    case 'stand':
      return { ...next, members: withStanding(topology.members, chore.ids, chore.standing) };
    case 'council':
      return { ...next, council: chore.council };
    case 'remove':
      return { ...next, members: topology.members.filter(({ id }) => !chore.ids.includes(id)) };
    case 'share':
      return shareOut(next, place, destinations(topology));
    case 'advance': {
      const dropped = dropRetired(next, chore.mayGo);
      const after = dropped === null ? next : { ...next, ...dropped };
      const begun = beginMoves(after);
      return dropped === null && begun === null ? null : { ...after, ...begun };
    }
  }
}

/**
 * Shares all slots out again at an operator's request, even if no member came or went. Returns null if nothing would
 * change.
 */
export function rebalance(topology: Topology, place: Place): Topology | null {
  const to = destinations(topology);
  const table = tableOf(topology, place, to);
  if (table.slotRow.every((row, slot) => isSame(table.rows[row]!.owners, to(slot)))) return null;
  return shareOut({ ...topology, epoch: topology.epoch + 1 }, place, to);
}

/** Marks the member as leaving for good, whether it is up or not. */
export function markLeaving(topology: Topology, name: string): Topology | null {
  const member = memberByName(topology, name);
  if (member === undefined || member.standing === 'leaving') return null;
  const members = withStanding(topology.members, [member.id], 'leaving');
  return { ...topology, epoch: topology.epoch + 1, members };
}

/** Why these members may not leave together; null if they may. */
export function whyNotLeave(topology: Topology, ...names: readonly string[]): string | null {
  const unknown = names.find((name) => memberByName(topology, name) === undefined);
  if (unknown !== undefined) return `${unknown} is no member of the cluster`;
  const staying = placeable(topology).filter((each) => !names.includes(each.name) && each.alive).length;
  const needed = ownersNeeded(topology);
  if (staying < needed) return `${staying} live members would stay, and a write needs ${needed}`;
  return null;
}

function mayJoin(topology: Topology, joiner: Joiner): boolean {
  if (memberByName(topology, joiner.name) !== undefined) return false;
  if (joiner.replaces === '') return true;
  return memberByName(topology, joiner.replaces)?.alive === false;
}

/**
 * Adds newcomers as live members that own nothing yet. A newcomer that takes a lost member's place is immediately
 * given, as its destination, everything the lost one had, as far as balance and spread allow.
 */
function join(next: Topology, joiners: readonly Joiner[], place: Place): Topology {
  const members = [...next.members];
  const heirs = new Map<number, number>();
  let { nextId } = next;
  for (const { replaces, ...joiner } of joiners) {
    if (nextId >= NODE_ID_COUNT) break;
    const id = nextId++;
    members.push({ ...joiner, id, alive: true });
    const lost = replaces === '' ? undefined : memberByName(next, replaces);
    if (lost !== undefined && !heirs.has(lost.id)) heirs.set(lost.id, id);
  }
  const joined = { ...next, nextId, members: withStanding(members, [...heirs.keys()], 'leaving') };
  if (heirs.size === 0) return joined;
  const to = destinations(next);
  // Slots of one row keep sharing one list.
  const inherited = oncePer((ids: readonly number[]) => ids.map((id) => heirs.get(id) ?? id));
  return shareOut(joined, place, (slot) => inherited(to(slot)));
}

function shareOut(next: Topology, place: Place, from: (slot: number) => readonly number[]): Topology {
  const placed = placeable(next)
    .map((member) => member.id)
    .sort((a, b) => a - b);
  const table = tableOf(next, place, from);
  const headed = { ...next, placed, ...headFor(next, (slot) => table.rows[table.slotRow[slot]!]!.owners) };
  return { ...headed, ...beginMoves(headed) };
}

function tableOf(
  topology: Topology,
  place: Place,
  from: (slot: number) => readonly number[],
): Pick<SlotTable, 'rows' | 'slotRow'> {
  return place(placeable(topology), from);
}

/** True if the members that should have a share are not those that the slots were last shared out among. */
function needsShare(topology: Topology): boolean {
  const wanted = placeable(topology);
  if (wanted.length === 0) return false;
  return wanted.length !== topology.placed.length || wanted.some(({ id }) => !topology.placed.includes(id));
}

/** Members whose place the others take over; only if enough live members remain to hold every replica. */
function toHeal(topology: Topology, isGoneLong: (id: number) => boolean): number[] {
  if (topology.healAfterMs === 0) return [];
  const members = placeable(topology);
  const living = members.filter((member) => member.alive).length;
  if (living < topology.replicaCount) return [];
  return idsOf(members.filter((member) => !member.alive && isGoneLong(member.id)));
}

/** True if a leaving member owns nothing, is to own nothing, and has no vote any more. */
function hasLeft(topology: Topology, member: Member): boolean {
  if (member.standing !== 'leaving' || topology.council.includes(member.id)) return false;
  if (topology.placed.includes(member.id)) return false;
  return topology.rows.every(
    ({ owners, complete, coming }) =>
      !owners.includes(member.id) && !complete.includes(member.id) && coming?.includes(member.id) !== true,
  );
}

/**
 * Changes one voter at a time (R29). A voter that leaves or was healed around is replaced by a live member without a
 * vote or, if there is none, dropped; after that, live members are added until the council is full.
 */
function nextCouncil(topology: Topology): readonly number[] | null {
  const { council } = topology;
  const spare = placeable(topology).find((member) => member.alive && !council.includes(member.id));
  const unfit = council.find((id) => memberById(topology, id)?.standing !== undefined);
  if (unfit !== undefined) {
    if (spare !== undefined) return council.map((id) => (id === unfit ? spare.id : id));
    const isLeaving = memberById(topology, unfit)!.standing === 'leaving';
    return council.length > 3 || (isLeaving && council.length > 1)
      ? council.filter((id) => id !== unfit)
      : null;
  }
  if (spare === undefined || council.length >= COUNCIL_COUNT_MAX) return null;
  return [...council, spare.id];
}

function withStanding(
  members: readonly Member[],
  ids: readonly number[],
  standing: Standing | null,
): readonly Member[] {
  return members.map((member): Member => {
    if (!ids.includes(member.id)) return member;
    const { standing: _before, ...rest } = member;
    return standing === null ? rest : { ...rest, standing };
  });
}

function idsOf(members: readonly Member[]): number[] {
  return members.map((member) => member.id);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
