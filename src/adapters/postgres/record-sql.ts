/** Which statement of the catalogue is sent for what, by the kind of database (`postgres.compat`). */
import type { Statement } from '../../base/sql-statement.ts';
import type { RecordCompat } from '../../core/record-dialect.ts';
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
import { limitLockInTransaction } from './server-statements.ts';
import {
  COMMIT,
  COMMIT_PAST,
  LOCK_FOUNDING,
  PROBE,
  RAISE_FLOORS,
  READ,
  REMOVE_ROWS,
  SCAN,
} from './statements.ts';

/** What is sent alike to all of them is not in here. */
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
  /** Before it: a founding waits for locks as long as its transaction may last. Null: nothing limits that. */
  readonly unlimitLocks: Statement | null;
  /** Answers true or `on` where the server takes no writes; in a third column true where its commits are not durable. */
  readonly probe: Statement;
  /** What becomes of rows beside an array that is none is told by PostgreSQL alone. */
  readonly needsWholeArrays: boolean;
  /** Times that a commit which lost against another transaction is sent again by itself; 0: all calls are made again. */
  readonly commitRetriesMax: number;
  /**
   * What a founding reads is read in its own transaction, under the lock that holds all writers back. Otherwise in one that is
   * begun when the founding has been committed: where the lock does not renew the snapshot it would be older than what it
   * waited for.
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
  needsWholeArrays: true,
  commitRetriesMax: 0,
  foundsAndReadsAtOnce: false,
};

export function recordSql(compat: RecordCompat): RecordSql {
  return compat === 'none' ? POSTGRES : RELATIVES;
}
