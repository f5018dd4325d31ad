/**
 * What one node needs to know of a slot's row in the epoch it acts in, worked out once per epoch and not per
 * operation: who must acknowledge, whether this node may coordinate, who comes first.
 */
import { rowPairs } from '../slot-index.ts';
import {
  isAlive,
  learners,
  liveOwners,
  memberById,
  ownersNeeded,
  recovererOf,
  retiring,
} from '../topology.ts';
import type { Topology } from '../topology.ts';

export interface RowView {
  /** Live complete owners, in the order of preference. */
  readonly owners: readonly number[];
  /** Everyone but this node who must acknowledge a write: live owners and learners. */
  readonly others: readonly number[];
  /** The same and this node, whose own disk is one of those that a write must be on. */
  readonly all: readonly number[];
  /** This node is a live complete owner. */
  readonly owns: boolean;
  /** This node is an owner that is still copying. */
  readonly learns: boolean;
  /** No complete owner is on record, and this node is the one to make the slots whole from PostgreSQL. */
  readonly recovers: boolean;
  /** This node is an owner that gives the slots up: it finishes what it coordinates and begins nothing. */
  readonly retires: boolean;
  /** Every complete owner lives, nobody copies and nothing changes hands. */
  readonly isSteady: boolean;
  /** The owner to whom conditional writes and misses go, one that stays; 0 where none lives. */
  readonly first: number;
  /** This node's place among the live owners, for taking turns; -1 where it is none. */
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
   * `bystander`: this process is not the member that the epoch knows under its id, and owns nothing; or it is, and is
   * about to be none: what is asked of it is for the others.
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

  /** This node gives some slots up in this epoch. */
  get retiresAnywhere(): boolean {
    return this.rows.some((row) => row.retires);
  }

  row(slot: number): RowView {
    return this.rows[this.topology.slotRow[slot]!]!;
  }

  /** By the number of a row: this node and the other are both complete owners. */
  rowsSharedWith(member: number): readonly boolean[] {
    return this.rows.map((row) => row.owns && row.owners.includes(member));
  }

  /** Does the process that took a version still live under that incarnation? (PROTOCOL R11, R13) */
  coordinatorLives(id: number, incarnation: number): boolean {
    const member = memberById(this.topology, id);
    return member !== undefined && member.alive && member.incarnation === incarnation;
  }
}

/** Slots in which this node has the same part. */
export interface HeldSlots {
  readonly row: RowView;
  readonly slots: Uint16Array;
}

/**
 * What has to be looked at when an epoch comes: the slots that this node owns and did not own in the view before, and
 * all that it learns. `before`: the view in which the same replica acted last; null where it is new.
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
