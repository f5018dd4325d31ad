/**
 * What a scrubber makes of two copies of a key. An owner judges its own copy only, by what another complete owner or
 * PostgreSQL has told of theirs; what has to be changed goes round as a write does. Pure. (DESIGN 5, PROTOCOL R8, R10, R19, R23)
 */
import { Allowance } from './allowance.ts';
import { SCRUB_YIELD_MS_MAX } from './limits.ts';

/** One copy of a key, at rest: valid where it stands. */
export interface CopyAtRest {
  readonly version: number;
  readonly checksum: number;
}

/** What this node has of a key. inFlight: a write is under way here, or something waits for one. */
export type OwnCopy = CopyAtRest | 'absent' | 'damaged' | 'inFlight';

/** conflict: one version with two contents, which nobody can decide between. */
export type CopyVerdict = 'leave' | 'behind' | 'conflict';

/**
 * `told` was at rest at another complete owner of this epoch before `own` was looked at. At rest means valid, and valid
 * that every complete owner holds that version or a higher one: who has less has lost it. The other way round it says
 * nothing, for the key may have been written in between; who is behind finds that out by itself. (PROTOCOL R1, R8)
 */
export function judgeCopy(own: OwnCopy, told: CopyAtRest): CopyVerdict {
  if (own === 'inFlight' || own === 'damaged') return 'leave';
  if (own === 'absent' || own.version < told.version) return 'behind';
  if (own.version > told.version) return 'leave';
  return own.checksum === told.checksum ? 'leave' : 'conflict';
}

/** In records and in bytes. 0: without limit. */
export interface ScrubRate {
  readonly recordsPerSecondMax: number;
  readonly bytesPerSecondMax: number;
}

/** When a scrubber may read on: within its rate, and after the others where there is much to do. */
export class ScrubPace {
  private records: Allowance;
  private bytes: Allowance;
  private wentAt: number;

  constructor(rate: ScrubRate, now: number) {
    this.records = new Allowance(rate.recordsPerSecondMax, now);
    this.bytes = new Allowance(rate.bytesPerSecondMax, now);
    this.wentAt = now;
  }

  setRate(rate: ScrubRate, now: number): void {
    this.records = new Allowance(rate.recordsPerSecondMax, now);
    this.bytes = new Allowance(rate.bytesPerSecondMax, now);
  }

  /** A busy node waits, but not for ever: under a load without end damage would never be found. */
  mayGo(now: number, isBusy: boolean): boolean {
    const hasRecords = this.records.has(now);
    if (!this.bytes.has(now) || !hasRecords) return false;
    if (isBusy && now - this.wentAt < SCRUB_YIELD_MS_MAX) return false;
    this.wentAt = now;
    return true;
  }

  spend(recordCount: number, byteCount: number): void {
    this.records.spend(recordCount);
    this.bytes.spend(byteCount);
  }
}
