/**
 * Changes of rows by hand, as PostgreSQL has noted them: each is told until somebody has settled it, to everybody who
 * asks. Callbacks never come from within a call. Does not promise that the row still shows a change when it is told.
 */
import type { OutsideEdit } from '../core/outside-edits.ts';
import type { RecordError } from './system-of-record.ts';

/** One change that is written: what was made on the same version, or on one that it replaced, is made on this one from now on. */
export interface WrittenEdit {
  readonly edit: OutsideEdit;
  readonly version: number;
}

export interface OutsideEdits {
  /**
   * Of each key the first change that is not settled, if it was noted at least `ageMs` ago by the server's clock; in the order of
   * their ids, above `afterId`, at most so many, and fewer where they are large. None means that there are no more.
   */
  readEdits(
    afterId: number,
    editCountMax: number,
    ageMs: number,
    done: (error: RecordError | null, edits: readonly OutsideEdit[]) => void,
  ): void;
  /** Other stamps, where nobody has given one meanwhile and the change still stands. */
  stampEdits(
    life: number,
    edits: readonly OutsideEdit[],
    stampMs: number,
    done: (error: RecordError | null) => void,
  ): void;
  /** They are told no more. Of no key two at once. Repeating it is harmless. */
  settleEdits(
    life: number,
    written: readonly WrittenEdit[],
    others: readonly OutsideEdit[],
    done: (error: RecordError | null) => void,
  ): void;
}
