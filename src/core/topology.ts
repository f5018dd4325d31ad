/**
 * The topology is the one value all members agree on, with an epoch number: who the members are, who votes,
 * and who owns each of the 16,384 slots. It lives in the council's register; a node acts only on a topology
 * that was *chosen* there. (DESIGN section 3, PROTOCOL R11, R14, R21)
 *
 * Slots that share their owners share a *row*. A row's `owners` is where the slot belongs; `complete` lists
 * those of them that hold everything (they acknowledge, serve reads and may coordinate). An owner that is
 * alive and not complete is a learner: it takes part in every write and serves nothing. The last complete
 * owners of a row stay recorded when they die: nobody else may claim to hold its data (R21), until an operator gives them
 * up: a row without any is *forsaken*, and its first living owner makes it whole from PostgreSQL (recovery.ts).
 *
 * While slots change hands their row also names the owners to come. Those of them that are new learn beside the
 * owners in force; once all who come are complete, the others *retire*: they finish what they coordinate, say so,
 * and an epoch goes on without them (slot-moves.ts).
 */

/** leaving: it is to own nothing, and then to be no member. healed: gone so long that the others took its place. */
export type Standing = 'leaving' | 'healed';

export interface Member {
  /** 1..4095, never used twice in one life of the cluster. */
  readonly id: number;
  readonly name: string;
  /** host:port of its gRPC door, which carries peer traffic too. */
  readonly address: string;
  /** Grows with every process start; acknowledgements and leases belong to (id, incarnation). (R11) */
  readonly incarnation: number;
  /** Part of this epoch: false once removed, true again when admitted under a new incarnation. */
  readonly alive: boolean;
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
  /** Left out: an ordinary member, that owns its share. */
  readonly standing?: Standing | undefined;
}

export interface SlotRow {
  /** Member ids, in the order of preference. (slot-order.ts) */
  readonly owners: readonly number[];
  /** The subset of `owners` that holds every acknowledged write of these slots. */
  readonly complete: readonly number[];
  /** Who is to own these slots, in the order of preference; left out: the owners stay. */
  readonly coming?: readonly number[] | undefined;
}

/** A server as PostgreSQL tells who it is. */
export interface RecordIdentity {
  /** System identifier: another one is another database. */
  readonly system: string;
  /** Grows with every failover; 0 where the server does not tell. */
  readonly timeline: number;
}

/** The PostgreSQL that the cluster writes to. (record-standing.ts, R30) */
export interface RecordStanding extends RecordIdentity {
  /** Counts the times that it was found to lack rows, or may have lost some. */
  readonly drive: number;
  /** In this very count all that the owners hold was compared with it, and what it lacked is committed again. */
  readonly driven: boolean;
}

export interface Topology {
  readonly epoch: number;
  readonly clusterId: string;
  /** Counts foundings; the same number stands in PostgreSQL. (R27) */
  readonly life: number;
  readonly replicaCount: number;
  readonly ownerCountMin: number;
  /** Milliseconds and parts of one: fixed at founding, agreed by all. (R14) */
  readonly leaseMs: number;
  readonly clockDrift: number;
  /** Milliseconds after which the others take the place of a member that is gone; 0: never. */
  readonly healAfterMs: number;
  readonly members: readonly Member[];
  /** Member ids that vote. */
  readonly council: readonly number[];
  readonly nextId: number;
  readonly rows: readonly SlotRow[];
  /** Row number of each slot, 16,384 entries. */
  readonly slotRow: Uint16Array;
  /** Ids of the members among whom the slots were last shared out, ascending. */
  readonly placed: readonly number[];
  /** Counter above which all versions of this life start: the highest in PostgreSQL at the founding. (R22) */
  readonly floorCounter: number;
  /** Every row that PostgreSQL had at the founding is held by the owners: a miss is final. (R23) */
  readonly loaded: boolean;
  /** Left out: none was seen yet, or there is none. */
  readonly record?: RecordStanding | undefined;
  /** The version of the members' protocol that all of them speak; left out: the one before any was told. (decision 19) */
  readonly protocol?: number | undefined;
  /** Writes complete without PostgreSQL, marked at every owner as lacking there; left out: they do not. (R34) */
  readonly spooling?: boolean | undefined;
}

/**
 * The same in objects of one shape, whoever made it: what is read with every message is compiled for shapes, and once more for
 * each that it has not met. Every spread of an object makes another one, and so does a field that is left out. `Required`: no field
 * that is added later can be forgotten here, and be lost with every epoch.
 */
export function inOneShape(topology: Topology): Required<Topology> {
  return {
    epoch: topology.epoch,
    clusterId: topology.clusterId,
    life: topology.life,
    replicaCount: topology.replicaCount,
    ownerCountMin: topology.ownerCountMin,
    leaseMs: topology.leaseMs,
    clockDrift: topology.clockDrift,
    healAfterMs: topology.healAfterMs,
    members: topology.members.map(memberInOneShape),
    council: topology.council,
    nextId: topology.nextId,
    rows: topology.rows.map(rowInOneShape),
    slotRow: topology.slotRow,
    placed: topology.placed,
    floorCounter: topology.floorCounter,
    loaded: topology.loaded,
    record: topology.record === undefined ? undefined : standingInOneShape(topology.record),
    protocol: topology.protocol,
    spooling: topology.spooling,
  };
}

function memberInOneShape(member: Member): Required<Member> {
  const { id, name, address, incarnation, alive, zone, host, weight, standing } = member;
  return { id, name, address, incarnation, alive, zone, host, weight, standing };
}

function rowInOneShape({ owners, complete, coming }: SlotRow): Required<SlotRow> {
  return { owners, complete, coming };
}

function standingInOneShape({ system, timeline, drive, driven }: RecordStanding): RecordStanding {
  return { system, timeline, drive, driven };
}

/** Live, complete owners: they acknowledge, serve and coordinate. */
export function liveOwners(topology: Topology, row: SlotRow): number[] {
  return row.owners.filter((id) => row.complete.includes(id) && isAlive(topology, id));
}

/** Live owners that are still copying. */
export function learners(topology: Topology, row: SlotRow): number[] {
  return row.owners.filter((id) => !row.complete.includes(id) && isAlive(topology, id));
}

/** Owners that give the slots up: everybody who comes is alive and complete, and they are not among them. */
export function retiring(topology: Topology, row: SlotRow): number[] {
  const { coming } = row;
  if (coming === undefined) return [];
  if (!coming.every((id) => row.complete.includes(id) && isAlive(topology, id))) return [];
  return row.owners.filter((id) => !coming.includes(id));
}

/** No complete owner is on record any more: an operator has given them up. */
export function isForsaken(row: SlotRow): boolean {
  return row.complete.length === 0;
}

/** Who makes a forsaken row whole again: its first living owner; 0 where none lives, or the row is not forsaken. */
export function recovererOf(topology: Topology, row: SlotRow): number {
  return isForsaken(row) ? (row.owners.find((id) => isAlive(topology, id)) ?? 0) : 0;
}

/** The members that are to share the slots, whether they are up or not. */
export function placeable(topology: Topology): Member[] {
  return topology.members.filter((member) => member.standing === undefined);
}

/** Up to so many members are looked through one by one. */
const FEW_MEMBERS = 16;
const byId = new WeakMap<readonly Member[], ReadonlyMap<number, Member>>();

export function memberById({ members }: Topology, id: number): Member | undefined {
  if (members.length <= FEW_MEMBERS) {
    for (const member of members) if (member.id === id) return member;
    return undefined;
  }
  let index = byId.get(members);
  if (index === undefined) {
    index = new Map(members.map((member) => [member.id, member]));
    byId.set(members, index);
  }
  return index.get(id);
}

export function memberByName(topology: Topology, name: string): Member | undefined {
  return topology.members.find((member) => member.name === name);
}

export function isAlive(topology: Topology, id: number): boolean {
  return memberById(topology, id)?.alive ?? false;
}

/** Who does what one member is to do for all: the first live one of the council; undefined: none of it lives. */
export function firstOfCouncil(topology: Topology): number | undefined {
  return topology.council.find((id) => isAlive(topology, id));
}

/** Is this very process, not merely this member, part of the epoch? (R11) */
export function isLiveIncarnation(topology: Topology, id: number, incarnation: number): boolean {
  const member = memberById(topology, id);
  return member !== undefined && member.alive && member.incarnation === incarnation;
}

export function rowOfSlot(topology: Topology, slot: number): SlotRow {
  return topology.rows[topology.slotRow[slot]!]!;
}

/** The effective minimum of owners that a write needs. (R7) */
export function ownersNeeded(topology: Topology): number {
  return Math.min(topology.ownerCountMin, topology.replicaCount);
}

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
