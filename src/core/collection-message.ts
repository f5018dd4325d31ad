/** What owners say to one another so that deletions can be forgotten. (PROTOCOL R22) */
import type { Deletion } from './collection.ts';
import type { SlotFloor } from './floors.ts';

/** "Raise these floors." Answered once they are on the disk, and asked again for what is not quiet yet. */
export interface FloorRaise {
  readonly kind: 'floorRaise';
  /** The asker's number of this collection; comes back in the answer. */
  readonly round: number;
  readonly floors: readonly SlotFloor[];
}

/**
 * Of these slots: the floor is on the disk, and nothing at or below it is in flight at the sender; or that learns the slot, and
 * takes nothing plain at or below it when it is an owner.
 */
export interface FloorRaised {
  readonly kind: 'floorRaised';
  readonly round: number;
  readonly slots: readonly number[];
}

/** "All owners are past these floors: remove exactly these versions, where they still stand." It may be none. */
export interface DeletionsForget {
  readonly kind: 'deletionsForget';
  readonly floors: readonly SlotFloor[];
  readonly deletions: readonly Deletion[];
}

/** A complete owner holds nothing of the key, not even a deletion: nobody needs to. (R10) */
export interface RepairAbsent {
  readonly kind: 'repairAbsent';
  readonly key: string;
}

export type CollectionMessage = FloorRaise | FloorRaised | DeletionsForget;
