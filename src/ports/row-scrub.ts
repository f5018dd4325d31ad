/**
 * Rows as a scrubber reads and repairs them: whole, because a version and a checksum say nothing about the content
 * stored with them.
 */
import type { KeyRecord } from '../core/record.ts';
import type { RecordError, RecordRow, RowVersion } from './system-of-record.ts';

/** A row with the content that should match its checksum; null if the row says that it was changed by hand. */
export interface WholeRow extends RowVersion {
  readonly record: KeyRecord | null;
}

export interface RowScrub {
  /**
   * Like `versionsOf`, with the values. A page ends when its values reach SCRUB_PAGE_BYTES_MAX bytes, but has at least
   * one row. An error with `ofRows` means that the server cannot read some row of the page, while it can read others.
   */
  readRows(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly WholeRow[]) => void,
  ): void;
  /**
   * Restores the row as it was committed, if a row of its version stands that nobody has changed by hand; otherwise
   * changes nothing and reports false. Repeating it is harmless. (R27)
   */
  restoreRow(
    life: number,
    row: RecordRow,
    done: (error: RecordError | null, isRestored: boolean) => void,
  ): void;
}
