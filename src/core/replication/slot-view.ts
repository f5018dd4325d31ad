/**
 * What one node needs to know about a slot's row in the current epoch: who must acknowledge, whether this node may
 * coordinate, who comes first. Computed once per epoch, not per operation.
 */
import { rowPairs } from '../placement/slot-index.ts';
import {
  isAlive,
  learners,
  liveOwners,
  memberById,
  ownersNeeded,
  recovererOf,
  retiring,
} from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';

export interface RowView {
  /** Live complete owners, in the order of preference. */
  readonly owners: readonly number[];
  /** Everyone else who must acknowledge a write: live owners and learners, without this node. */
  readonly others: readonly number[];
  /** `others` plus this node, whose own disk must have a write too. */
  readonly all: readonly number[];
  /** This node is a live, complete owner. */
  readonly owns: boolean;
  /** This node is an owner that is still copying (a learner). */
  readonly learns: boolean;
  /** No complete owner is on record, and this node has to make the slots whole from PostgreSQL. */
  readonly recovers: boolean;
  /** This node is giving up the slots: it finishes what it coordinates and starts nothing. */
  readonly retires: boolean;
  /** Every complete owner is live, nobody copies, and nothing changes hands. */
  readonly isSteady: boolean;
  /** The owner that handles conditional writes and misses, one that keeps the slots; 0 if no owner is live. */
  readonly first: number;
  /** This node's position among the live owners, which decides whose turn it is; -1 if it is not one of them. */
  readonly place: number;
}

export class SlotView {
  readonly topology: Topology;
  readonly selfId: number;
  readonly ownersNeeded: number;
  /** Writes complete without PostgreSQL. (R34) */
  readonly spools: boolean;
  /** In the order of the topology's rows. */
  readonly rows: readonly RowView[];

  /**
   * `bystander`: this process owns nothing in this view, because it is not the member that the epoch knows under its
   * id, or is about to be removed; requests go to the other members.
   */
  constructor(topology: Topology, selfId: number, bystander = false) {
    this.topology = topology;
    this.selfId = selfId;
    this.ownersNeeded = ownersNeeded(topology);
    this.spools = topology.spooling === true;
    this.rows = topology.rows.map((row) => {
      const owners = liveOwners(topology, row);
      const copying = learners(topology, row);
      const leaving = retiring(topology, row);
      const others = (copying.length === 0 ? owners : [...owners, ...copying]).filter((id) => id !== selfId);
      const able = bystander ? owners.filter((id) => id !== selfId) : owners;
      return {
        owners,
        others,
        all: [...others, selfId],
        owns: !bystander && owners.includes(selfId),
        learns: !bystander && copying.includes(selfId),
        recovers: !bystander && recovererOf(topology, row) === selfId,
        retires: !bystander && owners.includes(selfId) && leaving.includes(selfId),
        isSteady:
          row.coming === undefined &&
          copying.length === 0 &&
          row.complete.every((id) => isAlive(topology, id)),
        first: able.find((id) => !leaving.includes(id)) ?? able[0] ?? 0,
        place: owners.indexOf(selfId),
      };
    });
  }

  /** True if this node is giving up any slots in this epoch. */
  get retiresAnywhere(): boolean {
    return this.rows.some((row) => row.retires);
  }

  row(slot: number): RowView {
    return this.rows[this.topology.slotRow[slot]!]!;
  }

  /** By row number: whether this node and the other member are both complete owners. */
  rowsSharedWith(member: number): readonly boolean[] {
    return this.rows.map((row) => row.owns && row.owners.includes(member));
  }

  /** True if the process that took a version is still a live member under that incarnation. (PROTOCOL R11, R13) */
  coordinatorLives(id: number, incarnation: number): boolean {
    const member = memberById(this.topology, id);
    return member !== undefined && member.alive && member.incarnation === incarnation;
  }
}

/** Slots in which this node has the same role. */
export interface HeldSlots {
  readonly row: RowView;
  readonly slots: Uint16Array;
}

/**
 * The slots to look at when an epoch begins: those that this node owns and did not own in the previous view, and all
 * that it learns. `before`: the view in which the same replica acted last; null if the replica is new.
 */
export function slotsToLookAt(before: SlotView | null, now: SlotView): HeldSlots[] {
  const found: HeldSlots[] = [];
  for (const pair of rowPairs((before ?? now).topology, now.topology)) {
    const row = now.rows[pair.after]!;
    const isNew = before === null || !before.rows[pair.before]!.owns;
    if (row.learns || (row.owns && isNew)) found.push({ row, slots: pair.slots });
  }
  return found;
}
