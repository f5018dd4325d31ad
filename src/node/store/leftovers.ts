/**
 * Removes records of slots that this node no longer owns from its disk, a page at a time, once nothing changes hands
 * any more: until then they would save copying if the slots came back. (DESIGN 3)
 */
import { SLOT_COUNT } from '../../core/limits.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { movesOf } from '../../core/placement/slot-moves.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import { slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { FloorStore } from './floor-store.ts';
import type { RecordShelf } from './record-shelf.ts';
import type { LeftInFlight } from './left-in-flight.ts';

/** Milliseconds for which an epoch must have been in force. */
const QUIET_MS = 5_000;
const PAGE_ENTRIES_MAX = 500;
const PAGE_BYTES_MAX = 1024 * 1024;

export interface LeftoversParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly floors: FloorStore;
  readonly replica: () => Replica | null;
}

export class Leftovers {
  private readonly parts: LeftoversParts;
  private epoch = 0;
  private epochSince = 0;
  private slotNext = 0;
  private isReading = false;

  constructor(parts: LeftoversParts) {
    this.parts = parts;
  }

  tick(): void {
    const { clock, shelf } = this.parts;
    const view = this.parts.replica()?.view;
    if (view === undefined || this.isReading) return;
    const now = clock.now();
    if (view.topology.epoch !== this.epoch) {
      this.epoch = view.topology.epoch;
      this.epochSince = now;
      this.slotNext = 0;
    }
    if (now - this.epochSince < QUIET_MS || movesOf(view.topology).slotCount > 0) return;
    while (this.slotNext < SLOT_COUNT) {
      if (this.isForeign(this.slotNext)) {
        if (shelf.digests.countOf(this.slotNext) > 0) return this.removePage(this.slotNext);
        // A process may have died after removing the last of the records and before removing the notes about them.
        this.dropNotes(this.slotNext);
      }
      this.slotNext += 1;
    }
  }

  private isForeign(slot: number): boolean {
    const row = this.parts.replica()?.view.row(slot);
    // Without a live complete owner this may be the newest copy there is.
    return row !== undefined && !row.owns && !row.learns && row.owners.length > 0;
  }

  private removePage(slot: number): void {
    const { storage, shelf } = this.parts;
    const { from, to } = slotRange(slot);
    this.isReading = true;
    storage.scan(from, to, PAGE_ENTRIES_MAX, PAGE_BYTES_MAX, (error, entries) => {
      this.isReading = false;
      if (error !== null || this.parts.replica()?.view.topology.epoch !== this.epoch) return;
      if (!this.isForeign(slot)) return;
      this.parts.floors.forgotten.drop(slot);
      for (const entry of entries) shelf.replaceAtRest(slot, splitRecordKey(entry.key).key, null);
      if (entries.length > 0 && shelf.digests.countOf(slot) > 0) return;
      this.dropNotes(slot);
      this.slotNext += 1;
    });
  }

  /**
   * With the last record, the slot's notes on writes in flight and on superseded records are removed: nobody would ask
   * for them any more.
   */
  private dropNotes(slot: number): void {
    const { shelf, leftInFlight } = this.parts;
    leftInFlight.forget(slot);
    shelf.superseded.drop(slot);
  }
}
