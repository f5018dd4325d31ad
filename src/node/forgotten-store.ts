/**
 * Up to which counter deletions of a slot were forgotten on this disk, as a part of its store. All owners had been past that
 * floor before, and this disk held whatever was at rest below it: what it has nothing of is deleted, whatever a PostgreSQL says
 * that has lost the deletion. So it is a witness where the slot is given up and made whole here. (PROTOCOL R22, R28)
 *
 * That is known only as long as nobody who knew less has gone on with the slot. So the note goes where a source has a lower
 * floor, and where the slot is given up and this disk did not have it completely to the end.
 */
import type { SlotFloor } from '../core/floors.ts';
import { isNext } from '../core/life-epochs.ts';
import { isForsaken, rowOfSlot } from '../core/topology.ts';
import type { SlotRow, Topology } from '../core/topology.ts';
import { encodeFloor, forgottenKey } from '../wire/store-codec.ts';
import type { StoreWriter } from './store-writer.ts';

export class ForgottenStore {
  private readonly writer: Pick<StoreWriter, 'putEntry'>;
  private readonly counters = new Map<number, number>();
  /** Given-up slots that this disk had completely to the end, by this process's own sight. */
  private readonly kept = new Set<number>();

  /** `found`: what the store holds already. */
  constructor(writer: Pick<StoreWriter, 'putEntry'>, found: readonly SlotFloor[]) {
    this.writer = writer;
    for (const { slot, counter } of found) this.counters.set(slot, counter);
  }

  /** 0: none was, or it is not known. */
  through(slot: number): number {
    return this.counters.get(slot) ?? 0;
  }

  /** Before the deletion goes from the store. */
  note(slot: number, counter: number): void {
    if (counter <= this.through(slot)) return;
    this.counters.set(slot, counter);
    this.writer.putEntry(forgottenKey(slot), encodeFloor(slot, counter));
  }

  /** The slot is copied from an owner that begins nothing at or below this counter. */
  onSource(slot: number, floor: number): void {
    if (this.through(slot) > floor) this.drop(slot);
  }

  drop(slot: number): void {
    this.kept.delete(slot);
    if (this.counters.delete(slot)) this.writer.putEntry(forgottenKey(slot), null);
  }

  /**
   * Before anything acts in the new epoch. `isVerified`: what this process held of the slot in the epoch before counts, by an owner's
   * word. Who has missed epochs does not know whether the slot was given up before, and made whole by somebody who knew less.
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
