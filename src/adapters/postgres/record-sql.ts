/** Which statement is sent for which purpose, by the kind of database (`postgres.compat`). */
import type { Statement } from '../../base/sql-statement.ts';
import type { RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import {
  COMPAT_COMMIT,
  COMPAT_COMMIT_PAST,
  COMPAT_LOCK_FOUNDING,
  COMPAT_PROBE,
  COMPAT_RAISE_FLOORS,
  COMPAT_READ,
  COMPAT_REMOVE_ROWS,
  COMPAT_SCAN,
} from './compat-statements.ts';
import { COMPAT_RESTORE_ROW, COMPAT_SLOT_ROWS, RESTORE_ROW, SLOT_ROWS } from './scrub-statements.ts';
import { END_OVERDUE, limitLockInTransaction } from './server-statements.ts';
import {
  COMMIT,
  COMMIT_PAST,
  LOCK_FOUNDING,
  PROBE,
  RAISE_FLOORS,
  READ,
  REMOVE_ROWS,
  SCAN,
  TRY_WRITING,
} from './statements.ts';

/** Only the statements that differ between databases. */
export interface RecordSql {
  readonly commit: Statement;
  readonly commitPast: Statement;
  readonly raiseFloors: Statement;
  readonly removeRows: Statement;
  readonly read: Statement;
  readonly scan: Statement;
  readonly slotRows: Statement;
  readonly restoreRow: Statement;
  readonly lockFounding: Statement;
  /**
   * Sent before `lockFounding`, so that a founding may wait for locks as long as its transaction may last. Null if
   * nothing limits that.
   */
  readonly unlimitLocks: Statement | null;
  /** Returns true or `on` if the server takes no writes; a third column is true if its commits are not durable. */
  readonly probe: Statement;
  /** Ends only when the server finishes writes. Null: there is no such statement. */
  readonly tryWriting: Statement | null;
  /** Null: processes of the server cannot be ended. */
  readonly endOverdue: Statement | null;
  /** Only PostgreSQL itself accepts null in place of an array; others need every array in full. */
  readonly needsWholeArrays: boolean;
  /** How often a commit that lost against another transaction is repeated within a call; 0 repeats the whole call. */
  readonly commitRetriesMax: number;
  /**
   * Whether a founding reads the highest version in its own transaction, under the lock that blocks all writers. If
   * not, it reads in a separate transaction after its commit: where waiting for a lock does not renew the snapshot, the
   * snapshot would be older than the writes that were waited for.
   */
  readonly foundsAndReadsAtOnce: boolean;
}

const POSTGRES: RecordSql = {
  commit: COMMIT,
  commitPast: COMMIT_PAST,
  raiseFloors: RAISE_FLOORS,
  removeRows: REMOVE_ROWS,
  read: READ,
  scan: SCAN,
  slotRows: SLOT_ROWS,
  restoreRow: RESTORE_ROW,
  lockFounding: LOCK_FOUNDING,
  unlimitLocks: limitLockInTransaction(0),
  probe: PROBE,
  tryWriting: TRY_WRITING,
  endOverdue: END_OVERDUE,
  needsWholeArrays: false,
  commitRetriesMax: 4,
  foundsAndReadsAtOnce: true,
};

const RELATIVES: RecordSql = {
  commit: COMPAT_COMMIT,
  commitPast: COMPAT_COMMIT_PAST,
  raiseFloors: COMPAT_RAISE_FLOORS,
  removeRows: COMPAT_REMOVE_ROWS,
  read: COMPAT_READ,
  scan: COMPAT_SCAN,
  slotRows: COMPAT_SLOT_ROWS,
  restoreRow: COMPAT_RESTORE_ROW,
  lockFounding: COMPAT_LOCK_FOUNDING,
  unlimitLocks: null,
  probe: COMPAT_PROBE,
  tryWriting: null,
  endOverdue: null,
  needsWholeArrays: true,
  commitRetriesMax: 0,
  foundsAndReadsAtOnce: false,
};

export function recordSql(compat: RecordCompat): RecordSql {
  return compat === 'none' ? POSTGRES : RELATIVES;
}
