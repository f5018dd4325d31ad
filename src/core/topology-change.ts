/**
 * Every way in which one topology follows another, as pure functions: each returns the next epoch's topology,
 * or null where nothing would change. What they guard: the list of complete owners of a row is never emptied
 * (an operator may: recovery.ts), and nobody enters it who did not hold everything. (PROTOCOL R11, R21, R28, R29)
 */
import { firstEpochOf } from './life-epochs.ts';
import { COUNCIL_COUNT_MAX } from './limits.ts';
import { PROTOCOL_UNTOLD } from './protocol-versions.ts';
import { driveAnew } from './record-standing.ts';
import { beginMoves, settled } from './slot-moves.ts';
import type { OwnersOfSlot } from './slot-table.ts';
import { isAlive, isForsaken, isLiveIncarnation, recovererOf } from './topology.ts';
import type { Member, RecordStanding, SlotRow, Topology } from './topology.ts';
import { NODE_ID_COUNT } from './version.ts';

export interface FoundingPlan {
  readonly clusterId: string;
  readonly life: number;
  /** In any order; ids are given in the order of their names. */
  readonly members: readonly Omit<Member, 'id' | 'alive'>[];
  readonly place: Place;
  readonly replicaCount: number;
  readonly ownerCountMin: number;
  readonly leaseMs: number;
  readonly clockDrift: number;
  readonly healAfterMs: number;
  readonly floorCounter: number;
  readonly loaded: boolean;
  /** Null or left out: no PostgreSQL. */
  readonly record?: RecordStanding | null;
  /** The highest version that all founders speak; left out: the one before any was told. */
  readonly protocol?: number;
}

export interface Placement {
  readonly rows: readonly SlotRow[];
  readonly slotRow: Uint16Array;
}

/**
 * Shares all slots out among the members, from the owners of before (null at the founding); whatever stands as
 * `complete` in its rows is not looked at.
 */
export interface Place {
  (members: readonly Member[], previous: OwnersOfSlot | null): Placement;
  /** The same in pieces, where it can be done so. */
  readonly inPieces?: (
    members: readonly Member[],
    previous: OwnersOfSlot | null,
  ) => Generator<undefined, Placement, void>;
}

/** A process that is to become part of the epoch. */
export interface Entrant {
  /** The id under which the topology knows the member now. */
  readonly id: number;
  readonly incarnation: number;
  /** Its disk holds all that the member's last admitted process had stored. */
  readonly intact: boolean;
  /** Where it stands and is reached now: it may have come back on another machine. Left out: where the member did. */
  readonly place?: Pick<Member, 'address' | 'zone' | 'host'>;
}

export interface MemberChange {
  readonly gone: readonly number[];
  readonly entrants: readonly Entrant[];
}

/** The first epoch: everybody is alive, votes (up to the council's size) and is complete, for nothing is there yet. */
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
 * Members that went and processes that come, in one step. An entrant whose disk is not intact gets a new id,
 * which takes the old one's place among owners and voters; of several such voters only the first enters, since
 * one voter may change at a time (R29): the others are merely gone until a later epoch.
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

/** Entrants that the topology knows, under a new incarnation, and at most one new voter among them. */
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
 * While one complete owner lives on, those that went or came are no longer complete. When none does, the row's
 * data is on the disks of its last complete owners only: of these, whoever comes back intact has everything;
 * if nobody does they stay on record, and nobody else takes their place. (R21)
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
 * Whoever lives goes on making it whole: what is left over there stands, and who comes may have less. With an empty disk it has
 * nothing, and makes nothing whole: it is to come, once somebody has. (R28)
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
 * Nobody lives who has everything: should the slots be given up, the first living owner makes them whole. Who comes with an empty
 * disk has nothing left over, and comes behind all others, until somebody has it. (R28)
 */
function lostAfter(row: SlotRow, entrants: ReadonlyMap<number, Entrant>): Pick<SlotRow, 'owners' | 'coming'> {
  const { owners, coming } = row;
  const isBlank = (id: number): boolean => entrants.get(id)?.intact === false;
  const ordered = [...owners.filter((id) => !isBlank(id)), ...owners.filter(isBlank)];
  if (ordered.every((id, at) => id === owners[at])) return { owners, coming };
  return { owners: ordered, coming: coming ?? owners };
}

/**
 * A learner has copied everything: complete wherever a complete owner lives that it can have copied from, and where it is
 * the one to make a forsaken row whole. What waits for it to be free is begun in the same step. What it had left over of a forsaken
 * row may stand above PostgreSQL's without a mark, for marks are copied last: all is compared. (R28, R34)
 */
export function promote(topology: Topology, id: number, incarnation: number): Topology | null {
  if (!isLiveIncarnation(topology, id, incarnation)) return null;
  const mayEnter = (row: SlotRow): boolean => {
    if (!row.owners.includes(id) || row.complete.includes(id)) return false;
    if (isForsaken(row)) return recovererOf(topology, row) === id;
    return row.complete.some((owner) => isAlive(topology, owner));
  };
  // Asked for with every tick once all is learned, and mostly it has entered everywhere.
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

/** A clean stop: this very process goes. */
export function leave(topology: Topology, id: number, incarnation: number): Topology | null {
  if (!isLiveIncarnation(topology, id, incarnation)) return null;
  return changeMembers(topology, { gone: [id], entrants: [] });
}

/** Every row that PostgreSQL had at the founding is held now. (R23) */
export function markLoaded(topology: Topology): Topology | null {
  return topology.loaded ? null : { ...topology, epoch: topology.epoch + 1, loaded: true };
}
