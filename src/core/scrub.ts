/**
 * What a scrubber makes of two copies of a key. An owner judges its own copy only, by what another complete owner or
 * PostgreSQL has told of theirs; what has to be changed goes round as a write does. Pure. (DESIGN 5, PROTOCOL R8, R10, R19, R23)
 */
import { Allowance } from './allowance.ts';
import { SCRUB_YIELD_MS_MAX } from './limits.ts';
import { counterOf } from './version.ts';

/** One copy of a key, at rest: valid where it stands. */
export interface CopyAtRest {
  readonly version: number;
  readonly checksum: number;
}

/** As another owner tells it. */
export interface ToldAtRest extends CopyAtRest {
  readonly tombstone: boolean;
}

/** What this node has of a key. inFlight: a write is under way here, or something waits for one. */
export type OwnCopy = CopyAtRest | 'absent' | 'damaged' | 'inFlight';

/** conflict: one version with two contents, which nobody can decide between. */
export type CopyVerdict = 'leave' | 'behind' | 'conflict';

/**
 * `told` was at rest at another complete owner of this epoch before `own` was looked at. At rest means valid, and valid
 * that every complete owner holds that version or a higher one: who has less has lost it. The other way round it says
 * nothing, for the key may have been written in between; who is behind finds that out by itself. At or below the slot's
 * floor, a counter, a deletion and its absence are the same. (PROTOCOL R1, R8, R22)
 */
export function judgeCopy(own: OwnCopy, told: ToldAtRest, floor: number): CopyVerdict {
  if (own === 'inFlight' || own === 'damaged') return 'leave';
  if (own === 'absent') return told.tombstone && counterOf(told.version) <= floor ? 'leave' : 'behind';
  if (own.version < told.version) return 'behind';
  if (own.version > told.version) return 'leave';
  return own.checksum === told.checksum ? 'leave' : 'conflict';
}

/** isDamaged: what stands in it does not fit the checksum that it tells, or cannot be read. */
export interface RowAtRest extends CopyAtRest {
  readonly isDamaged: boolean;
}

/**
 * rowBehind: PostgreSQL lacks it, or has less. rowAhead: PostgreSQL has what the owners lack. rowDamaged: it has the version that
 * is here, and has lost what belongs to it. debris: it has what was forgotten here, or came late.
 */
export type RowVerdict = 'leave' | 'rowBehind' | 'rowAhead' | 'rowDamaged' | 'debris' | 'conflict';

/**
 * `before`: what was at rest here when PostgreSQL was asked, `own`: what is here now that it has answered. What was valid
 * by then had been committed; what PostgreSQL had by then every owner had stored, for it comes after them. What no owner
 * holds and stands at or below the slot's floor would come back from the dead. (PROTOCOL R6, R23)
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
 * May a row take the place of a damaged record of the last complete owner? `claimed` is what the damaged bytes say of
 * themselves: where the damage is in one of the two, the other tells. (PROTOCOL R10)
 */
export function mayStandIn(row: CopyAtRest, claimed: CopyAtRest): boolean {
  return row.checksum === claimed.checksum || row.version >= claimed.version;
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
