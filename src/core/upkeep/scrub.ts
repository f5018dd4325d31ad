/**
 * What a scrubber concludes from two copies of a key. An owner judges only its own copy, by what another complete owner
 * or PostgreSQL has reported; whatever must change is replicated like a write. Pure. (DESIGN 5, PROTOCOL R8, R10, R19,
 * R23)
 */
import { Allowance } from '../allowance.ts';
import { SCRUB_YIELD_MS_MAX } from '../limits.ts';
import { counterOf } from '../version.ts';

/** One copy of a key at rest, valid where it stands. */
export interface CopyAtRest {
  readonly version: number;
  readonly checksum: number;
}

/** A copy as another owner reports it. */
export interface ToldAtRest extends CopyAtRest {
  readonly tombstone: boolean;
}

/** What this node has of a key. inFlight: a write is under way here, or something waits for one. */
export type OwnCopy = CopyAtRest | 'absent' | 'damaged' | 'inFlight';

/** conflict: one version with two contents, between which nobody can decide. */
export type CopyVerdict = 'leave' | 'behind' | 'conflict';

/**
 * `told` was at rest at another complete owner of this epoch before `own` was looked at. At rest means valid, and valid
 * means that every complete owner holds that version or a higher one: an owner with less has lost it. The reverse
 * proves nothing, because the key may have been written in between; an owner that is behind finds that out by itself.
 * At or below the slot's floor (a counter), a deletion and its absence are equivalent. (PROTOCOL R1, R8, R22)
 */
export function judgeCopy(own: OwnCopy, told: ToldAtRest, floor: number): CopyVerdict {
  if (own === 'inFlight' || own === 'damaged') return 'leave';
  if (own === 'absent') return told.tombstone && counterOf(told.version) <= floor ? 'leave' : 'behind';
  if (own.version < told.version) return 'behind';
  if (own.version > told.version) return 'leave';
  return own.checksum === told.checksum ? 'leave' : 'conflict';
}

/** isDamaged: the row's content does not match its stored checksum, or cannot be read. */
export interface RowAtRest extends CopyAtRest {
  readonly isDamaged: boolean;
}

/**
 * - rowBehind: PostgreSQL lacks the record, or has a lower version.
 * - rowAhead: PostgreSQL has what the owners lack.
 * - rowDamaged: the row has the version that is here, but its content is damaged.
 * - debris: the row was forgotten here, or was written too late.
 */
export type RowVerdict = 'leave' | 'rowBehind' | 'rowAhead' | 'rowDamaged' | 'debris' | 'conflict';

/**
 * `before`: what was at rest here when PostgreSQL was asked; `own`: what is here now that it has answered. Whatever was
 * valid by then had been committed, and whatever PostgreSQL had by then every owner had stored, because PostgreSQL
 * comes after the owners. A row at or below the slot's floor that no owner holds would bring a deleted key back.
 * (PROTOCOL R6, R23)
 */
export function judgeRow(
  own: OwnCopy,
  before: CopyAtRest | undefined,
  row: RowAtRest | undefined,
  floor: number,
): RowVerdict {
  if (own === 'inFlight' || own === 'damaged') return 'leave';
  if (own === 'absent') {
    if (row === undefined) return 'leave';
    return counterOf(row.version) <= floor ? 'debris' : 'rowAhead';
  }
  if (row !== undefined && row.version > own.version) return 'rowAhead';
  if (row?.version === own.version) {
    if (row.isDamaged) return 'rowDamaged';
    return row.checksum === own.checksum ? 'leave' : 'conflict';
  }
  return before?.version === own.version ? 'rowBehind' : 'leave';
}

/**
 * True if a row may replace a damaged record of the last complete owner. `claimed` is what the damaged bytes say of
 * themselves: if the damage is in its version or its checksum, the other of the two identifies the record. (PROTOCOL
 * R10)
 */
export function mayStandIn(row: CopyAtRest, claimed: CopyAtRest): boolean {
  return row.checksum === claimed.checksum || row.version >= claimed.version;
}

/** In records and in bytes; 0 means no limit. */
export interface ScrubRate {
  readonly recordsPerSecondMax: number;
  readonly bytesPerSecondMax: number;
}

/** Decides when a scrubber may read on: within its rate, and yielding to other work on a busy node. */
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

  /** A busy node's scrubber waits, but not forever: under an endless load, damage would never be found. */
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
