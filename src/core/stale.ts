/**
 * Reads that take an old answer. Where no lease is held, an owner may tell what was readable here last, and says for how
 * long it could not be sure: the answer was the truth at some moment within that time. So it is never what is still
 * in flight, never what a learner has left over, and never older than it says. (DESIGN 1, PROTOCOL R9, R19)
 */
import { isLive, yieldsToFill } from './record.ts';
import type { KeyRecord, SealedRecord } from './record.ts';

/** When a process last held a lease, by the clock that counts through suspension: by any other it might seem younger. */
export class LastLease {
  private heldAt = -Infinity;

  /** It is held now. `bootNow` was read before that was found out: the machine may have slept in between. */
  held(bootNow: number): void {
    this.heldAt = bootNow;
  }

  /** Another process under the same name, or none at all: what it knew before counts no more. */
  forget(): void {
    this.heldAt = -Infinity;
  }

  /** Milliseconds, Infinity where none was ever held. */
  agoMs(bootNow: number): number {
    return Math.max(0, Math.ceil(bootNow - this.heldAt));
  }
}

export interface StaleFacts {
  /** Every row of PostgreSQL is held by the owners: what they lack is nowhere. (R23) */
  readonly loaded: boolean;
  /** A legacy source may know keys that nobody has asked for. */
  readonly hasLegacy: boolean;
  readonly wallNow: number;
}

/** The record, 'absent', or 'unknown' where only others can tell whether the key exists. */
export function staleWord(
  sealed: SealedRecord | undefined,
  facts: StaleFacts,
): KeyRecord | 'absent' | 'unknown' {
  const record = sealed?.record;
  if (record !== undefined && isLive(record, facts.wallNow)) return record;
  if (record === undefined && !facts.loaded) return 'unknown';
  return facts.hasLegacy && yieldsToFill(record, facts.wallNow) ? 'unknown' : 'absent';
}
