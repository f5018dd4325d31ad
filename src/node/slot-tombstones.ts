/** How many deletions this store holds, and when the oldest of each slot was made: a store without any is never walked. */
import type { SealedRecord } from '../core/record.ts';
import { ExpiryTimes } from './expiry-times.ts';

export class SlotTombstones {
  /** Wall ms of the oldest deletion, or an earlier moment. */
  readonly times = new ExpiryTimes();
  held = 0;

  add(slot: number, deletedAt: number): void {
    this.held += 1;
    this.times.note(slot, deletedAt);
  }

  /** One record of a key goes, another comes; either may be missing. */
  replaced(slot: number, previous: SealedRecord | undefined, next: SealedRecord | null): void {
    if (previous?.record.tombstone === true) this.held -= 1;
    if (next?.record.tombstone === true) this.add(slot, next.record.updatedAt);
  }
}
