/**
 * How many deletions this store holds, and when the oldest of each slot was made: a store without deletions is never
 * walked.
 */
import type { SealedRecord } from '../../core/record.ts';
import { ExpiryTimes } from './expiry-times.ts';

/** Deletions are requested in slots of which this node is the first owner, and in other slots that it owns. */
export const TOMBSTONES_OF = { first: 0, others: 1, length: 2 } as const;

export class SlotTombstones {
  /** Wall-clock ms of the oldest deletion, or an earlier time. */
  readonly times = new ExpiryTimes(TOMBSTONES_OF.length);
  held = 0;

  add(slot: number, deletedAt: number): void {
    this.held += 1;
    this.times.note(slot, deletedAt);
  }

  /** One record of a key is replaced by another; either may be missing. */
  replaced(slot: number, previous: SealedRecord | undefined, next: SealedRecord | null): void {
    if (previous?.record.tombstone === true) this.held -= 1;
    if (next?.record.tombstone === true) this.add(slot, next.record.updatedAt);
  }
}
