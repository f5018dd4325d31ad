/**
 * The floors of this node's slots in its store: raised in memory at once, and on disk with the next batch. (PROTOCOL
 * R22)
 */
import { SlotFloors } from '../../core/upkeep/floors.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import { encodeFloor, floorKey } from '../../wire/store-codec.ts';
import { ForgottenStore } from './forgotten-store.ts';
import type { StoreWriter } from './store-writer.ts';

/** What the store holds at the start. */
export interface FloorsFound {
  readonly floors: readonly SlotFloor[];
  /** The floors under which deletions were forgotten. */
  readonly forgotten: readonly SlotFloor[];
}

export class FloorStore {
  readonly floors = new SlotFloors();
  /** The floors under which deletions were forgotten on this disk. */
  readonly forgotten: ForgottenStore;
  private readonly writer: StoreWriter;

  constructor(writer: StoreWriter, { floors, forgotten }: FloorsFound) {
    this.writer = writer;
    this.forgotten = new ForgottenStore(writer, forgotten);
    for (const { slot, counter } of floors) this.floors.raise(slot, counter);
  }

  /** A caller that confirms the floor must first wait for the store. */
  raise({ slot, counter }: SlotFloor): void {
    if (this.floors.raise(slot, counter)) this.writer.putEntry(floorKey(slot), encodeFloor(slot, counter));
  }

  /** The floors of the given slots, for those that have one. */
  among(slots: Uint16Array): SlotFloor[] {
    const found: SlotFloor[] = [];
    for (const slot of slots) {
      const counter = slot < SLOT_COUNT ? this.floors.of(slot) : 0;
      if (counter > 0) found.push({ slot, counter });
    }
    return found;
  }
}
