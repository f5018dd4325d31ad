/** Rows as a scrubber reads them, and puts them right: whole, for a version and a checksum say nothing of what stands below them. */
import type { KeyRecord } from '../core/record.ts';
import type { RecordError, RecordRow, RowVersion } from './system-of-record.ts';

/** A row with what is to fit its checksum; null: it was changed by hand, and says so. */
export interface WholeRow extends RowVersion {
  readonly record: KeyRecord | null;
}

export interface RowScrub {
  /**
   * As `versionsOf`, with the values: a page ends where SCRUB_PAGE_BYTES_MAX bytes of them are full, with one row at least. An
   * error `ofRows`: a row of the page cannot be read at the server; others of it can.
   */
  readRows(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly WholeRow[]) => void,
  ): void;
  /**
   * Puts the row back as it was committed, if one of its version stands that nobody has changed by hand. Otherwise nothing is
   * changed: false. Repeating it is harmless. (R27)
   */
  restoreRow(
    life: number,
    row: RecordRow,
    done: (error: RecordError | null, isRestored: boolean) => void,
  ): void;
}
