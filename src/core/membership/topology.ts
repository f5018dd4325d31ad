/**
 * The topology is the one value that all members agree on, with an epoch number: who the members are, who votes, and
 * who owns each of the 16,384 slots. It lives in the council's register; a node acts only on a topology that was
 * *chosen* there. (DESIGN section 3, PROTOCOL R11, R14, R21)
 *
 * Slots with the same owners share a *row*. A row's `owners` are the members its slots belong to; `complete` lists
 * those that hold everything (they acknowledge, serve reads and may coordinate). An owner that is alive but not
 * complete is a learner: it takes part in every write and serves nothing. The last complete owners of a row stay on
 * record when they die, because nobody else may claim to hold its data (R21), until an operator gives them up. A row
 * without any is *forsaken*, and its first live owner makes it whole from PostgreSQL (recovery.ts).
 *
 * While slots change hands, their row also names the owners to come. The new ones among them learn beside the present
 * owners. Once all owners to come are complete, the others *retire*: they finish what they coordinate, say so, and an
 * epoch continues without them (slot-moves.ts).
 */

/**
 * - leaving: the member will own nothing, and then stop being a member.
 * - healed: the member has been gone for so long that the others took its place.
 */
export type Standing = 'leaving' | 'healed';

export interface Member {
  /** 1..4095, never used twice in one life of the cluster. */
  readonly id: number;
  readonly name: string;
  /** host:port of its gRPC door, which carries peer traffic too. */
  readonly address: string;
  /** Increases with every process start; acknowledgements and leases belong to (id, incarnation). (R11) */
  readonly incarnation: number;
  /** Part of this epoch: false once removed, true again when admitted under a new incarnation. */
  readonly alive: boolean;
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
  /** Left out for an ordinary member, which owns its share. */
  readonly standing?: Standing | undefined;
}

export interface SlotRow {
  /** Member ids in order of preference. (slot-order.ts) */
  readonly owners: readonly number[];
  /** The subset of `owners` that holds every acknowledged write of these slots. */
  readonly complete: readonly number[];
  /** The future owners of these slots, in order of preference; left out if the owners stay. */
  readonly coming?: readonly number[] | undefined;
}

/** The identity that a PostgreSQL server reports. */
export interface RecordIdentity {
  /** System identifier: a different one means a different database. */
  readonly system: string;
  /** Increases with every failover; 0 if the server does not tell. */
  readonly timeline: number;
}

/** The PostgreSQL that the cluster writes to. (record-standing.ts, R30) */
export interface RecordStanding extends RecordIdentity {
  /** Counts how often the server was found to lack rows, or may have lost some. */
  readonly drive: number;
  /**
   * In the drive of this number, everything that the owners hold was compared with PostgreSQL, and what it lacked was
   * committed again.
   */
  readonly driven: boolean;
}

export interface Topology {
  readonly epoch: number;
  readonly clusterId: string;
  /** Counts foundings; PostgreSQL stores the same number. (R27) */
  readonly life: number;
  readonly replicaCount: number;
  readonly ownerCountMin: number;
  /** Milliseconds, and a fraction: fixed at the founding, agreed on by all. (R14) */
  readonly leaseMs: number;
  readonly clockDrift: number;
  /** Milliseconds after which the others take the place of an absent member; 0 means never. */
  readonly healAfterMs: number;
  readonly members: readonly Member[];
  /** Member ids that vote. */
  readonly council: readonly number[];
  readonly nextId: number;
  readonly rows: readonly SlotRow[];
  /** Row number of each slot, 16,384 entries. */
  readonly slotRow: Uint16Array;
  /** Ids of the members among which the slots were last shared out, ascending. */
  readonly placed: readonly number[];
  /** The counter above which all versions of this life start: the highest in PostgreSQL at the founding. (R22) */
  readonly floorCounter: number;
  /** The owners hold every row that PostgreSQL had at the founding, so a miss is final. (R23) */
  readonly loaded: boolean;
  /** Left out if none was seen yet, or there is none. */
  readonly record?: RecordStanding | undefined;
  /**
   * The member protocol version that all members speak; left out if it is the one from before versions were told.
   * (decision 19)
   */
  readonly protocol?: number | undefined;
  /** Writes complete without PostgreSQL, marked at every owner as missing there; left out if they do not. (R34) */
  readonly spooling?: boolean | undefined;
}

/**
 * Copies the topology into an object of one fixed shape. Code that reads it with every message is compiled per hidden
 * class, and again for each new one; every object spread, and every omitted field, creates another. `Required` ensures
 * that a field added later cannot be forgotten here and lost with the next epoch.
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

/** Owners that give up the slots: all owners to come are alive and complete, and these are not among them. */
export function retiring(topology: Topology, row: SlotRow): number[] {
  const { coming } = row;
  if (coming === undefined) return [];
  if (!coming.every((id) => row.complete.includes(id) && isAlive(topology, id))) return [];
  return row.owners.filter((id) => !coming.includes(id));
}

/** No complete owner is on record, because an operator has given them up. */
export function isForsaken(row: SlotRow): boolean {
  return row.complete.length === 0;
}

/** The member that makes a forsaken row whole: its first live owner; 0 if none is live, or the row is not forsaken. */
export function recovererOf(topology: Topology, row: SlotRow): number {
  return isForsaken(row) ? (row.owners.find((id) => isAlive(topology, id)) ?? 0) : 0;
}

/** Members that should share the slots, whether they are up or not. */
export function placeable(topology: Topology): Member[] {
  return topology.members.filter((member) => member.standing === undefined);
}

/** Up to this many members, a linear search is used. */
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

/** The member that does what one has to do for all: the first live member of the council; undefined if none is live. */
export function firstOfCouncil(topology: Topology): number | undefined {
  return topology.council.find((id) => isAlive(topology, id));
}

/** True if exactly this process, not merely this member, is part of the epoch. (R11) */
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
