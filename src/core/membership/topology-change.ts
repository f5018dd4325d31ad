/**
 * All ways in which one topology follows another, as pure functions: each returns the next epoch's topology, or null if
 * nothing would change. They guard two rules: the list of complete owners of a row is never emptied (except by an
 * operator: recovery.ts), and no member enters it that did not hold everything. (PROTOCOL R11, R21, R28, R29)
 */
import { firstEpochOf } from '../lives/life-epochs.ts';
import { COUNCIL_COUNT_MAX } from '../limits.ts';
import { PROTOCOL_UNTOLD } from './protocol-versions.ts';
import { driveAnew } from '../system-of-record/record-standing.ts';
import { beginMoves, settled } from '../placement/slot-moves.ts';
import type { OwnersOfSlot } from '../placement/slot-table.ts';
import { isAlive, isForsaken, isLiveIncarnation, recovererOf } from './topology.ts';
import type { Member, RecordStanding, SlotRow, Topology } from './topology.ts';
import { NODE_ID_COUNT } from '../version.ts';

export interface FoundingPlan {
  readonly clusterId: string;
  readonly life: number;
  /** In any order; ids are assigned in the order of names. */
  readonly members: readonly Omit<Member, 'id' | 'alive'>[];
  readonly place: Place;
  readonly replicaCount: number;
  readonly ownerCountMin: number;
  readonly leaseMs: number;
  readonly clockDrift: number;
  readonly healAfterMs: number;
  readonly floorCounter: number;
  readonly loaded: boolean;
  /** Null or left out if there is no PostgreSQL. */
  readonly record?: RecordStanding | null;
  /** The highest version that all founders speak; left out if it is the one from before versions were told. */
  readonly protocol?: number;
}

export interface Placement {
  readonly rows: readonly SlotRow[];
  readonly slotRow: Uint16Array;
}

/**
 * Shares all slots out among the members, starting from the previous owners (null at the founding). The `complete`
 * lists in its rows are ignored.
 */
export interface Place {
  (members: readonly Member[], previous: OwnersOfSlot | null): Placement;
  /** The same in steps, where that is possible. */
  readonly inPieces?: (
    members: readonly Member[],
    previous: OwnersOfSlot | null,
  ) => Generator<undefined, Placement, void>;
}

/** A process that will become part of the epoch. */
export interface Entrant {
  /** The id under which the topology knows the member at present. */
  readonly id: number;
  readonly incarnation: number;
  /** Its disk holds everything that the member's last admitted process had stored. */
  readonly intact: boolean;
  /** Its present location and address: it may have come back on another machine. Left out if unchanged. */
  readonly place?: Pick<Member, 'address' | 'zone' | 'host'>;
}

export interface MemberChange {
  readonly gone: readonly number[];
  readonly entrants: readonly Entrant[];
}

/**
 * The first epoch: every member is alive, votes (up to the size of the council) and is complete, because there is no
 * data yet.
 */
export function foundTopology(plan: FoundingPlan): Topology {
  const sorted = [...plan.members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const members = sorted.map((member, index) => ({ ...member, id: index + 1, alive: true }));
  const { rows, slotRow } = plan.place(members, null);
  return {
    epoch: firstEpochOf(plan.life),
    clusterId: plan.clusterId,
    life: plan.life,
    replicaCount: plan.replicaCount,
    ownerCountMin: plan.ownerCountMin,
    leaseMs: plan.leaseMs,
    clockDrift: plan.clockDrift,
    healAfterMs: plan.healAfterMs,
    members,
    council: members.slice(0, COUNCIL_COUNT_MAX).map((member) => member.id),
    nextId: members.length + 1,
    rows: rows.map((row) => ({ owners: row.owners, complete: row.owners })),
    slotRow,
    placed: members.map((member) => member.id),
    floorCounter: plan.floorCounter,
    loaded: plan.loaded,
    ...(plan.record ? { record: plan.record } : {}),
    ...((plan.protocol ?? 0) > PROTOCOL_UNTOLD ? { protocol: plan.protocol! } : {}),
  };
}

/**
 * Removes members and admits processes in one step. An entrant whose disk is not intact gets a new id, which replaces
 * the old one among owners and voters. Of several such voters only the first enters, because only one voter may change
 * at a time (R29): the others stay removed until a later epoch.
 */
export function changeMembers(topology: Topology, change: MemberChange): Topology | null {
  const entrants = new Map(admissible(topology, change.entrants).map((entrant) => [entrant.id, entrant]));
  const replaced = change.entrants.filter((each) => !isLiveIncarnation(topology, each.id, each.incarnation));
  const gone = new Set<number>();
  for (const id of [...change.gone, ...replaced.map((entrant) => entrant.id)]) {
    if (!entrants.has(id) && isAlive(topology, id)) gone.add(id);
  }
  if (gone.size === 0 && entrants.size === 0) return null;
  const idNow = new Map<number, number>();
  let nextId = topology.nextId;
  const members = topology.members.map((member): Member => {
    const entrant = entrants.get(member.id);
    if (entrant === undefined) return gone.has(member.id) ? { ...member, alive: false } : member;
    const id = entrant.intact ? member.id : nextId++;
    idNow.set(member.id, id);
    return { ...member, ...entrant.place, id, incarnation: entrant.incarnation, alive: true };
  });
  const renamed = (ids: readonly number[]): readonly number[] => ids.map((id) => idNow.get(id) ?? id);
  const rows = topology.rows.map((row) => {
    const complete = completeAfter(topology, row, gone, entrants);
    const isTaught = complete.some(
      (id) => entrants.get(id)?.intact ?? (isAlive(topology, id) && !gone.has(id)),
    );
    const { owners, coming } = isForsaken(row)
      ? forsakenAfter(row, entrants)
      : isTaught
        ? row
        : lostAfter(row, entrants);
    const next = {
      owners: renamed(owners),
      complete,
      ...(coming === undefined ? {} : { coming: renamed(coming) }),
    };
    return isTaught ? settled(next) : next;
  });
  return {
    ...topology,
    epoch: topology.epoch + 1,
    members,
    council: renamed(topology.council),
    nextId,
    rows,
    placed: [...renamed(topology.placed)].sort((a, b) => a - b),
  };
}

/** Entrants that the topology knows, with a new incarnation, and at most one new voter among them. */
function admissible(topology: Topology, entrants: readonly Entrant[]): Entrant[] {
  let idsLeft = NODE_ID_COUNT - topology.nextId;
  let voterChanges = false;
  return entrants.filter((entrant) => {
    const member = topology.members.find((each) => each.id === entrant.id);
    if (member === undefined || member.incarnation === entrant.incarnation) return false;
    if (entrant.intact) return true;
    const votes = topology.council.includes(entrant.id);
    if (idsLeft === 0 || (votes && voterChanges)) return false;
    idsLeft -= 1;
    voterChanges ||= votes;
    return true;
  });
}

/**
 * While one complete owner lives on, owners that went or came are no longer complete. If none does, the row's data is
 * only on the disks of its last complete owners: whichever of these comes back intact is complete; if none does, they
 * stay on record, and nobody else replaces them. (R21)
 */
function completeAfter(
  topology: Topology,
  row: SlotRow,
  gone: ReadonlySet<number>,
  entrants: ReadonlyMap<number, Entrant>,
): readonly number[] {
  const staying = row.complete.filter((id) => isAlive(topology, id) && !gone.has(id) && !entrants.has(id));
  if (staying.length > 0) return staying;
  const returning = row.complete.filter((id) => entrants.get(id)?.intact === true);
  return returning.length > 0 ? returning : row.complete;
}

/**
 * A live owner keeps making the row whole: its leftovers count, and an entrant may have fewer. An entrant with an empty
 * disk has nothing and makes nothing whole: it becomes an owner to come, once some owner has the data. (R28)
 */
function forsakenAfter(
  row: SlotRow,
  entrants: ReadonlyMap<number, Entrant>,
): Pick<SlotRow, 'owners' | 'coming'> {
  const { owners, coming } = row;
  const left = owners.filter((id) => entrants.get(id)?.intact !== false);
  if (left.length === 0 || !owners.some((id) => entrants.has(id))) return { owners, coming };
  const stay = left.filter((id) => !entrants.has(id));
  const back = left.filter((id) => entrants.has(id));
  return { owners: [...stay, ...back], coming: coming ?? owners };
}

/**
 * No complete owner lives: if the slots are given up, the first live owner makes them whole. An entrant with an empty
 * disk has no leftovers, so it is placed behind all others until some owner has the data. (R28)
 */
function lostAfter(row: SlotRow, entrants: ReadonlyMap<number, Entrant>): Pick<SlotRow, 'owners' | 'coming'> {
  const { owners, coming } = row;
  const isBlank = (id: number): boolean => entrants.get(id)?.intact === false;
  const ordered = [...owners.filter((id) => !isBlank(id)), ...owners.filter(isBlank)];
  if (ordered.every((id, at) => id === owners[at])) return { owners, coming };
  return { owners: ordered, coming: coming ?? owners };
}

/**
 * A learner has copied everything. It becomes complete in every row where a live complete owner exists that it can have
 * copied from, and where it is the one to make a forsaken row whole. Moves that waited for it to be free start in the
 * same step. Its leftovers in a forsaken row may be above PostgreSQL's rows without a mark, because marks are copied
 * last: so everything is compared again. (R28, R34)
 */
export function promote(topology: Topology, id: number, incarnation: number): Topology | null {
  if (!isLiveIncarnation(topology, id, incarnation)) return null;
  const mayEnter = (row: SlotRow): boolean => {
    if (!row.owners.includes(id) || row.complete.includes(id)) return false;
    if (isForsaken(row)) return recovererOf(topology, row) === id;
    return row.complete.some((owner) => isAlive(topology, owner));
  };
  // Asked on every tick once everything is learned, and by then the member is usually complete everywhere.
  if (!topology.rows.some(mayEnter)) return null;
  const rows = topology.rows.map((row) => {
    if (!mayEnter(row)) return row;
    const complete = row.owners.filter((owner) => owner === id || row.complete.includes(owner));
    return settled({ ...row, complete });
  });
  const promoted = { ...topology, epoch: topology.epoch + 1, rows };
  const begun = { ...promoted, ...beginMoves(promoted) };
  return topology.rows.some((row) => isForsaken(row) && mayEnter(row)) ? driveAnew(begun) : begun;
}

/** A clean stop: exactly this process is removed. */
export function leave(topology: Topology, id: number, incarnation: number): Topology | null {
  if (!isLiveIncarnation(topology, id, incarnation)) return null;
  return changeMembers(topology, { gone: [id], entrants: [] });
}

/** The owners now hold every row that PostgreSQL had at the founding. (R23) */
export function markLoaded(topology: Topology): Topology | null {
  return topology.loaded ? null : { ...topology, epoch: topology.epoch + 1, loaded: true };
}
