/**
 * When the first record of each slot expires, at the earliest: so that nobody looks for expired records where there
 * are none, and a cluster that uses no expiry is never walked. A time too early costs one look at its slot.
 */
import { SLOT_COUNT } from '../core/limits.ts';

export class ExpiryTimes {
  /** Wall ms per slot. */
  private readonly times = new Float64Array(SLOT_COUNT).fill(Infinity);
  /** Nothing is due before this. */
  private earliest = Infinity;
  private cursor = 0;

  note(slot: number, expiresAt: number): void {
    if (expiresAt < this.times[slot]!) this.times[slot] = expiresAt;
    if (expiresAt < this.earliest) this.earliest = expiresAt;
  }

  /**
   * The next slot in turn in which something is due, or -1. Its time is forgotten: whoever takes it notes what
   * stays behind.
   */
  take(wallNow: number, isOurs: (slot: number) => boolean): number {
    if (this.earliest > wallNow) return -1;
    let earliest = Infinity;
    for (let step = 0; step < SLOT_COUNT; step += 1) {
      const slot = (this.cursor + step) % SLOT_COUNT;
      const time = this.times[slot]!;
      if (time <= wallNow && isOurs(slot)) {
        this.times[slot] = Infinity;
        this.cursor = (slot + 1) % SLOT_COUNT;
        return slot;
      }
      if (time < earliest) earliest = time;
    }
    this.earliest = earliest;
    return -1;
  }
}
