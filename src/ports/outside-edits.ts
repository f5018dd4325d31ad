/**
 * Rows changed by hand, as PostgreSQL has noted them. Each change is reported, to everyone who asks, until somebody
 * settles it. Callbacks are never called from within a call. Does not promise that the row still shows a change when it
 * is reported.
 */
import type { OutsideEdit } from '../core/system-of-record/outside-edits.ts';
import type { RecordError } from './system-of-record.ts';

/**
 * A change that was written: other changes based on the same version, or on one that it replaced, are based on this
 * version from now on.
 */
export interface WrittenEdit {
  readonly edit: OutsideEdit;
  readonly version: number;
}

export interface OutsideEdits {
  /**
   * For each key the first unsettled change, if it was noted at least `ageMs` ago by the server's clock; ordered by id,
   * above `afterId`, at most `countMax`, and fewer if they are large. None means that there are no more.
   */
  readEdits(
    afterId: number,
    editCountMax: number,
    ageMs: number,
    done: (error: RecordError | null, edits: readonly OutsideEdit[]) => void,
  ): void;
  /** Gives changes another stamp, if nobody has done so meanwhile and the change still stands. */
  stampEdits(
    life: number,
    edits: readonly OutsideEdit[],
    stampMs: number,
    done: (error: RecordError | null) => void,
  ): void;
  /**
   * The changes are not reported any more. Must not contain two of the same key. Repeating it is harmless.
   *
   * `others`: changes that seem to have come to nothing. `done` is told which of them stand in their rows after all,
   * because the cluster has written what the row showed, or does not remember that it wrote the change; they are
   * settled as written.
   */
  settleEdits(
    life: number,
    written: readonly WrittenEdit[],
    others: readonly OutsideEdit[],
    done: (error: RecordError | null, found: readonly WrittenEdit[]) => void,
  ): void;
}
