/** Messages by which owners agree that deletions can be forgotten. (PROTOCOL R22) */
import type { Deletion } from './collection.ts';
import type { SlotFloor } from './floors.ts';

/**
 * "Raise these floors." Answered once they are on disk; sent again for slots where something below the floor is still
 * in flight.
 */
export interface FloorRaise {
  readonly kind: 'floorRaise';
  /** The sender's number of this collection, returned in the answer. */
  readonly round: number;
  readonly floors: readonly SlotFloor[];
}

/**
 * Names slots where the sender, as an owner, has the floor on disk and nothing in flight at or below it; or where the
 * sender, as a learner, promises to take no unconditional version at or below the floor once it is an owner.
 */
export interface FloorRaised {
  readonly kind: 'floorRaised';
  readonly round: number;
  readonly slots: readonly number[];
}

/**
 * "All owners have passed these floors: remove exactly these versions where they still stand." The list of versions may
 * be empty.
 */
export interface DeletionsForget {
  readonly kind: 'deletionsForget';
  readonly floors: readonly SlotFloor[];
  readonly deletions: readonly Deletion[];
}

/** "As a complete owner I hold nothing for this key, not even a deletion, so nobody has to." (R10) */
export interface RepairAbsent {
  readonly kind: 'repairAbsent';
  readonly key: string;
}

export type CollectionMessage = FloorRaise | FloorRaised | DeletionsForget;
