/**
 * Rows of PostgreSQL in their order, for slots that are made whole. One that cannot be read there ends a statement for all rows of
 * it: one row is then asked for, and after each that comes twice as many, until that row is found or passed over, for it may stand
 * in another slot. Its version is told without the value.
 */
import type {
  RecordError,
  RecordPlace,
  RecordRow,
  RowVersion,
  SystemOfRecord,
} from '../ports/system-of-record.ts';

/** Few, for most of a page may be of other slots where those to be made whole are scattered. */
const PAGE_ROWS_MAX = 200;

/** No rows: there are no more of any slot. */
type Rows = { readonly kind: 'rows'; readonly rows: readonly RecordRow[] };

/** What cannot be read stands in a later slot. */
export interface EndOfSlot {
  readonly kind: 'endOfSlot';
}

/** The next row of the slot that was committed; or not even its version can be read, and it is not known what the slot has. */
export type Unreadable =
  | { readonly kind: 'unreadable'; readonly row: RowVersion; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

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
      // Where it stands in a later slot it is behind the next place, too.
      if (row !== undefined) this.rowsMax = PAGE_ROWS_MAX;
      if (error?.ofRows === true) return done(null, { kind: 'unknown', reason });
      if (error !== null) return done(error, NOTHING);
      done(null, row === undefined ? { kind: 'endOfSlot' } : { kind: 'unreadable', row, reason });
    });
  }
}
