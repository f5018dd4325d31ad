/**
 * Below a slot's floor nothing begins: every new version is taken above it, so that a deletion at or below the floor may
 * be forgotten and its key still never goes back behind its own past. A floor only rises, and all owners have it on
 * their disks before anything is forgotten under it.
 *
 * Once all have said in one epoch that nothing at or below it is in flight with them, it is a *fence* as well, for the
 * rest of that epoch: what still arrives from below, of a key that is not held, is late, and would bring back what was
 * deleted. (PROTOCOL R22, decision 13)
 */
import { SLOT_COUNT } from './limits.ts';
import { counterOf } from './version.ts';

export interface SlotFloor {
  readonly slot: number;
  /** No new version of the slot has this counter or a lower one. */
  readonly counter: number;
}

export class SlotFloors {
  private readonly counters = new Float64Array(SLOT_COUNT);
  /** Of few slots, and of one epoch. */
  private readonly fences = new Map<number, number>();

  /** 0: it has never been raised. */
  of(slot: number): number {
    return this.counters[slot]!;
  }

  /** False where it is as high already. */
  raise(slot: number, counter: number): boolean {
    if (counter <= this.counters[slot]!) return false;
    this.counters[slot] = counter;
    return true;
  }

  /** All owners said so in this epoch. */
  fence(slot: number, counter: number): void {
    this.fences.set(slot, Math.max(counter, this.fences.get(slot) ?? 0));
  }

  /** How high the fence is in this epoch; 0: there is none. */
  fenceOf(slot: number): number {
    return this.fences.get(slot) ?? 0;
  }

  /** Another epoch: what was said in the last one says nothing any more. */
  openFences(): void {
    this.fences.clear();
  }

  /** What arrives now, of a key that is not held, was sent before the fence stood. */
  isLate(slot: number, version: number): boolean {
    if (this.fences.size === 0) return false;
    return counterOf(version) <= (this.fences.get(slot) ?? 0);
  }
}
