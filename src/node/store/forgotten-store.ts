/**
 * The counter up to which deletions of each slot were forgotten on this disk, kept in its store. All owners had passed
 * that floor before, and this disk held everything at rest below it: so anything it lacks there is deleted, whatever a
 * PostgreSQL says that has lost the deletion. This makes the disk a witness when the slot is given up and made whole
 * here. (PROTOCOL R22, R28)
 *
 * The knowledge lasts only while no node that knew less has continued the slot. So it is dropped if a source has a
 * lower floor, and if the slot is given up and this disk did not hold it completely to the end.
 */
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { isNext } from '../../core/lives/life-epochs.ts';
import { isForsaken, rowOfSlot } from '../../core/membership/topology.ts';
import type { SlotRow, Topology } from '../../core/membership/topology.ts';
import { encodeFloor, forgottenKey } from '../../wire/store-codec.ts';
import type { StoreWriter } from './store-writer.ts';

export class ForgottenStore {
  private readonly writer: Pick<StoreWriter, 'putEntry'>;
  private readonly counters = new Map<number, number>();
  /** Given-up slots that this disk held completely to the end, as seen by this process. */
  private readonly kept = new Set<number>();

  /** `found`: what the store holds at the start. */
  constructor(writer: Pick<StoreWriter, 'putEntry'>, found: readonly SlotFloor[]) {
    this.writer = writer;
    for (const { slot, counter } of found) this.counters.set(slot, counter);
  }

  /** 0 if no deletion was forgotten, or it is unknown. */
  through(slot: number): number {
    return this.counters.get(slot) ?? 0;
  }

  /** Call before the deletion is removed from the store. */
  note(slot: number, counter: number): void {
    if (counter <= this.through(slot)) return;
    this.counters.set(slot, counter);
    this.writer.putEntry(forgottenKey(slot), encodeFloor(slot, counter));
  }

  /** The slot is copied from an owner that starts nothing at or below this counter. */
  onSource(slot: number, floor: number): void {
    if (this.through(slot) > floor) this.drop(slot);
  }

  drop(slot: number): void {
    this.kept.delete(slot);
    if (this.counters.delete(slot)) this.writer.putEntry(forgottenKey(slot), null);
  }

  /**
   * Call before anything acts in the new epoch. `isVerified`: what this process held of the slot in the previous epoch
   * counts, because an owner confirmed it. A process that missed epochs does not know whether the slot was given up
   * meanwhile and made whole by a node that knew less.
   */
  onTopology(
    next: Topology,
    previous: Topology | null,
    selfId: number,
    isVerified: (slot: number) => boolean,
  ): void {
    const known = previous !== null && isNext(next, previous) ? previous : null;
    for (const slot of [...this.counters.keys()]) {
      if (!isForsaken(rowOfSlot(next, slot))) this.kept.delete(slot);
      else if (known !== null && this.isKept(slot, rowOfSlot(known, slot), selfId, isVerified))
        this.kept.add(slot);
      else this.drop(slot);
    }
  }

  private isKept(
    slot: number,
    before: SlotRow,
    selfId: number,
    isVerified: (slot: number) => boolean,
  ): boolean {
    if (before.complete.includes(selfId) || isVerified(slot)) return true;
    return isForsaken(before) && this.kept.has(slot);
  }
}
