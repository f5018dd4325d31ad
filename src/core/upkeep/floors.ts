/**
 * The floor of a slot: every new version is taken above it, so that a deletion at or below the floor can be forgotten
 * without its key ever going back to an earlier state. A floor only rises, and all owners have it on disk before
 * anything below it is forgotten.
 *
 * Once all owners have confirmed in one epoch that they have nothing in flight at or below it, the floor is also a
 * *fence* for the rest of that epoch: a version from below that still arrives, for a key that is not held, comes too
 * late and would bring back what was deleted. (PROTOCOL R22, decision 13)
 */
import { SLOT_COUNT } from '../limits.ts';
import { counterOf } from '../version.ts';

export interface SlotFloor {
  readonly slot: number;
  /** Every new version of the slot has a higher counter than this. */
  readonly counter: number;
}

export class SlotFloors {
  private readonly counters = new Float64Array(SLOT_COUNT);
  /** Fences of the current epoch; few slots have one. */
  private readonly fences = new Map<number, number>();

  /** 0 if the floor was never raised. */
  of(slot: number): number {
    return this.counters[slot]!;
  }

  /** Returns false if the floor is already that high. */
  raise(slot: number, counter: number): boolean {
    if (counter <= this.counters[slot]!) return false;
    this.counters[slot] = counter;
    return true;
  }

  /** All owners confirmed the floor in this epoch. */
  fence(slot: number, counter: number): void {
    this.fences.set(slot, Math.max(counter, this.fences.get(slot) ?? 0));
  }

  /** The height of the fence in this epoch; 0 if there is none. */
  fenceOf(slot: number): number {
    return this.fences.get(slot) ?? 0;
  }

  /** A new epoch began: what owners confirmed in the previous one no longer counts. */
  openFences(): void {
    this.fences.clear();
  }

  /** True if a version, arriving now for a key that is not held, must have been sent before the fence stood. */
  isLate(slot: number, version: number): boolean {
    if (this.fences.size === 0) return false;
    return counterOf(version) <= (this.fences.get(slot) ?? 0);
  }
}
