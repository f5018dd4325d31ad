/**
 * Reads that accept old answers. An owner without a lease may return what was last readable here, and says for how long
 * it could not be sure: the answer was true at some moment within that time. So the answer is never something in
 * flight, never a learner's leftover, and never older than stated. (DESIGN 1, PROTOCOL R9, R19)
 */
import { isLive, yieldsToFill } from '../record.ts';
import type { KeyRecord, SealedRecord } from '../record.ts';

/**
 * When a process last held a lease, by the clock that counts through suspension; by any other clock the lease might
 * seem more recent than it was.
 */
export class LastLease {
  private heldAt = -Infinity;

  /**
   * The lease is held now. `bootNow` was read before that was checked, because the machine may have slept in between.
   */
  held(bootNow: number): void {
    this.heldAt = bootNow;
  }

  /** Another process took this name, or the process acts in no epoch: earlier knowledge no longer counts. */
  forget(): void {
    this.heldAt = -Infinity;
  }

  /** Milliseconds; Infinity if no lease was ever held. */
  agoMs(bootNow: number): number {
    return Math.max(0, Math.ceil(bootNow - this.heldAt));
  }
}

export interface StaleFacts {
  /** The owners hold every row of PostgreSQL, so what they lack exists nowhere. (R23) */
  readonly loaded: boolean;
  /** A legacy source may have keys that nobody has asked for. */
  readonly hasLegacy: boolean;
  readonly wallNow: number;
}

/** The record, 'absent', or 'unknown' if only others can tell whether the key exists. */
export function staleWord(
  sealed: SealedRecord | undefined,
  facts: StaleFacts,
): KeyRecord | 'absent' | 'unknown' {
  const record = sealed?.record;
  if (record !== undefined && isLive(record, facts.wallNow)) return record;
  if (record === undefined && !facts.loaded) return 'unknown';
  return facts.hasLegacy && yieldsToFill(record, facts.wallNow) ? 'unknown' : 'absent';
}
