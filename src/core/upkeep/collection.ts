/**
 * The coordinator's bookkeeping for forgetting a batch of deletions. All owners of the slots raise the floor above the
 * deletions and confirm, in one epoch, that the floor is on disk and that they have nothing in flight at or below it;
 * only then does each owner remove exactly those versions. Learners, where there are any, are asked too. (PROTOCOL R22,
 * decision 13)
 */
import type { SlotFloor } from './floors.ts';
import type { Mutations } from '../mutations.ts';
import type { KeyRecord } from '../record.ts';
import { everythingDriven } from '../system-of-record/record-standing.ts';
import type { SlotView } from '../replication/slot-view.ts';
import { counterOf } from '../version.ts';

/** A deletion to forget: exactly this version. */
export interface Deletion {
  readonly slot: number;
  readonly key: string;
  readonly version: number;
  /** Only PostgreSQL still has the deletion: its row must go, and no owner has anything to forget. (R23) */
  readonly isDebris?: boolean;
}

/** Slots whose owners have all passed their floors, and the deletions that may be removed there. */
export interface Removal {
  readonly floors: readonly SlotFloor[];
  readonly deletions: readonly Deletion[];
}

interface SlotPart extends SlotFloor {
  readonly deletions: Deletion[];
  /** Owners and learners that have not confirmed yet, including this node. */
  readonly awaiting: Set<number>;
}

/**
 * True if deletions in the slot may be forgotten in this epoch. No node may come to hold the slot without having heard
 * of the floor: so every complete owner must be alive, nobody may copy the slot, it must not change hands, and a miss
 * must be final. PostgreSQL must also have everything that the owners hold, because it may otherwise have to be told of
 * the deletion again. (R22, R23, R30)
 */
export function mayForget(view: SlotView, slot: number, mutations: Mutations): boolean {
  const row = view.row(slot);
  if (!row.owns || !view.topology.loaded || !everythingDriven(view.topology)) return false;
  return row.isSteady || mutations.forgetWhileCopying === true;
}

/**
 * True if the deletion is old enough by the wall clock. Deletions are kept for a while so that people can look into
 * them.
 */
export function isOldDeletion(record: KeyRecord, wallNow: number, keepMs: number): boolean {
  return record.tombstone && record.updatedAt + keepMs <= wallNow;
}

export class Collection {
  readonly round: number;
  readonly epoch: number;
  private readonly parts = new Map<number, SlotPart>();

  /**
   * `deletions`: deletions at rest here, so that every owner holds or has outranked them. `bare`: floors that all
   * owners are to pass in slots where nothing is to be forgotten.
   */
  constructor(
    round: number,
    view: SlotView,
    deletions: readonly Deletion[],
    bare: readonly SlotFloor[] = [],
  ) {
    this.round = round;
    this.epoch = view.topology.epoch;
    const floors = new Map(bare.map(({ slot, counter }) => [slot, counter]));
    for (const { slot, version } of deletions)
      floors.set(slot, Math.max(floors.get(slot) ?? 0, counterOf(version)));
    for (const [slot, counter] of floors) {
      const { owners, all } = view.row(slot);
      const awaiting = new Set([...owners, ...all]);
      this.parts.set(slot, { slot, counter, deletions: [], awaiting });
    }
    for (const deletion of deletions) this.parts.get(deletion.slot)!.deletions.push(deletion);
  }

  get isOver(): boolean {
    return this.parts.size === 0;
  }

  /** Slots whose collection has not finished. */
  get slots(): number[] {
    return [...this.parts.keys()];
  }

  /** Which members to ask, or to ask again, for which floors. */
  questions(): Map<number, SlotFloor[]> {
    const asked = new Map<number, SlotFloor[]>();
    for (const { slot, counter, awaiting } of this.parts.values()) {
      for (const member of awaiting) {
        const floors = asked.get(member);
        if (floors === undefined) asked.set(member, [{ slot, counter }]);
        else floors.push({ slot, counter });
      }
    }
    return asked;
  }

  /**
   * The member has confirmed: as an owner, that it has passed these floors; as a learner, that it will take nothing
   * from below them.
   */
  raised(member: number, slots: readonly number[]): void {
    for (const slot of slots) this.parts.get(slot)?.awaiting.delete(member);
  }

  /** Returns what has become removable since the last call. */
  takeReady(): Removal {
    const floors: SlotFloor[] = [];
    const deletions: Deletion[] = [];
    for (const part of this.parts.values()) {
      if (part.awaiting.size > 0) continue;
      floors.push({ slot: part.slot, counter: part.counter });
      deletions.push(...part.deletions);
      this.parts.delete(part.slot);
    }
    return { floors, deletions };
  }
}
