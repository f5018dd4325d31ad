/**
 * Reads PostgreSQL's rows in order, for slots that are made whole. An unreadable row makes a statement fail for all its
 * rows: then one row is requested at a time, and twice as many after each success, until that row is found, or passed
 * because it is in another slot. The version of an unreadable row is read without its value.
 */
import { valueFault } from '../../core/clients/check-key.ts';
import { VALUE_BYTES_MAX } from '../../core/limits.ts';
import type {
  RecordError,
  RecordPlace,
  RecordRow,
  RowVersion,
  SystemOfRecord,
} from '../../ports/system-of-record.ts';

/** Few, because most rows of a page may belong to other slots if the slots to be made whole are scattered. */
const PAGE_ROWS_MAX = 200;

/** An empty list means that there are no more rows of any slot. */
type Rows = { readonly kind: 'rows'; readonly rows: readonly RecordRow[] };

/** The unreadable row is in a later slot. */
export interface EndOfSlot {
  readonly kind: 'endOfSlot';
}

/**
 * The next committed row of the slot cannot be read. If not even its version can be, it is unknown what the slot has.
 */
export type Unreadable =
  | { readonly kind: 'unreadable'; readonly row: RowVersion; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A value above the limit was put there by hand: no door, link or cache is made for it, so it is never taken. */
export function tooLargeRow({ record, checksum }: RecordRow): Unreadable | null {
  const reason = valueFault(record.value.length, VALUE_BYTES_MAX);
  return reason === undefined ? null : { kind: 'unreadable', row: { ...record, checksum }, reason };
}

type RowsBehind = Rows | EndOfSlot | Unreadable;

type Done = (error: RecordError | null, behind: RowsBehind) => void;

const NOTHING: RowsBehind = { kind: 'rows', rows: [] };

export class RecoveryRows {
  private readonly systemOfRecord: SystemOfRecord;
  private rowsMax = PAGE_ROWS_MAX;

  constructor(systemOfRecord: SystemOfRecord) {
    this.systemOfRecord = systemOfRecord;
  }

  read(place: RecordPlace, done: Done): void {
    const { rowsMax } = this;
    this.systemOfRecord.scan(place, rowsMax, (error, rows) => {
      if (error?.ofRows !== true) {
        if (error === null) this.rowsMax = Math.min(2 * rowsMax, PAGE_ROWS_MAX);
        return done(error, { kind: 'rows', rows });
      }
      if (rowsMax === 1) return this.readVersion(place, error, done);
      this.rowsMax = 1;
      this.read(place, done);
    });
  }

  private readVersion({ slot, key }: RecordPlace, { message: reason }: RecordError, done: Done): void {
    this.systemOfRecord.versionsOf(slot, key, 1, (error, rows) => {
      const [row] = rows;
      // If it is in a later slot, it also comes after the next place.
      if (row !== undefined) this.rowsMax = PAGE_ROWS_MAX;
      if (error?.ofRows === true) return done(null, { kind: 'unknown', reason });
      if (error !== null) return done(error, NOTHING);
      done(null, row === undefined ? { kind: 'endOfSlot' } : { kind: 'unreadable', row, reason });
    });
  }
}
