/**
 * Failures of a call in the terms of the port: was it certainly not carried out, and does the failure say anything
 * about the health of the server? When in doubt, the outcome is unknown.
 */
import { reasonOf } from '../../base/reason-of.ts';
import { withoutCredentials } from '../../base/credentials.ts';
import type { RecordError } from '../../ports/system-of-record.ts';

export class RecordFailure extends Error {
  override readonly name = 'RecordFailure';
  readonly kind: 'refused' | 'unknown';
  /** The database belongs to another founding. */
  readonly fenced: boolean;
  /** A fault of the server or of the way to it, not of this one statement. */
  readonly isOutage: boolean;
  /** A fault of some of the rows; others could be written. */
  readonly ofRows: boolean;
  /** The same statement may well succeed if repeated: it lost against a concurrent transaction. */
  readonly isRetryable: boolean;
  /** Keys of rows that somebody has locked, if known. */
  readonly heldKeys: readonly string[] | null;
  /** The statement was not refused, and did not come to its end in its time. */
  readonly isStalled: boolean;
  /** The connection must not be used again, although it works. */
  readonly isUnfit: boolean;
  /** The server's own code; null if the error did not come from the server. */
  readonly sqlState: string | null;

  constructor(kind: 'refused' | 'unknown', message: string, traits: FailureTraits = {}) {
    super(withoutCredentials(message));
    this.kind = kind;
    this.fenced = traits.fenced ?? false;
    this.isOutage = traits.isOutage ?? true;
    this.ofRows = traits.ofRows ?? false;
    this.isRetryable = traits.isRetryable ?? false;
    this.heldKeys = traits.heldKeys ?? null;
    this.isStalled = traits.isStalled ?? false;
    this.isUnfit = traits.isUnfit ?? false;
    this.sqlState = traits.sqlState ?? null;
  }
}

interface FailureTraits {
  readonly fenced?: boolean;
  readonly isOutage?: boolean;
  readonly ofRows?: boolean;
  readonly isRetryable?: boolean;
  readonly heldKeys?: readonly string[];
  readonly isStalled?: boolean;
  readonly isUnfit?: boolean;
  readonly sqlState?: string;
}

/** A refusal to start that waiting does not cure: a person has to change something. */
export class SetupError extends Error {
  override readonly name = 'SetupError';

  constructor(message: string) {
    super(withoutCredentials(message));
  }
}

export const NOT_DURABLE =
  'synchronous_commit is off: PostgreSQL would lose acknowledged writes in a crash. Set it to on for this ' +
  'server, database or role; Causeway does not write to it as it is';

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const READ_ONLY_TRANSACTION = '25006';
export const LOCK_NOT_AVAILABLE = '55P03';
/** The server's limit for a statement, or a person's order. */
const QUERY_CANCELED = '57014';
export const DISK_FULL = '53100';
/** A damaged page, value or index: other rows are not affected. */
const CORRUPTED: readonly string[] = ['XX001', 'XX002'];
/** A value is too large for something that somebody has added: an index on it, say. */
const LIMIT_EXCEEDED = '54000';
/** Where the same code has another meaning. */
const OUT_OF_NUMBERS: readonly string[] = ['GetNewTransactionId', 'GetNewMultiXactId'];
/**
 * Classes of errors that speak against what is in the rows: a value, a constraint, a trigger that somebody has made
 * (`raise exception` alone has the last class), or the condition of a view.
 */
const CLASSES_OF_ROWS: readonly string[] = ['22', '23', '09', '44', 'P0'];
/**
 * Classes of errors with which a server that is well otherwise refuses all rows alike: a right or a table is missing
 * (42), a file cannot be written (58), the table cannot be written at all (0A: a rule; 55: a publication without a
 * replica identity), a trigger of somebody else does not work (21, 2F, 38, 39, 54), or the server is out of numbers for
 * transactions (54).
 */
const CLASSES_OF_WRITES: readonly string[] = ['0A', '21', '2F', '38', '39', '42', '54', '55', '58'];
/** Errors of a prepared statement that the server does not have, or already has. */
const PREPARED_OTHERWISE: readonly string[] = ['26000', '42P05'];
/** The code has many meanings; the columns of a prepared statement having changed is told by where it was raised. */
const NOT_SUPPORTED = '0A000';
const REVALIDATING = 'RevalidateCachedQuery';

/** The error of a statement that was sent to the server. */
export function failureOfStatement(error: unknown): RecordFailure {
  if (error instanceof RecordFailure) return error;
  const message = reasonOf(error);
  const sqlState = sqlStateOf(error);
  if (sqlState === null) return new RecordFailure('unknown', message);
  const text = `PostgreSQL answered ${sqlState}: ${message}`;
  if (sqlState === SERIALIZATION_FAILURE || sqlState === DEADLOCK_DETECTED) {
    return new RecordFailure('unknown', text, { isOutage: false, isRetryable: true, sqlState });
  }
  if (sqlState === READ_ONLY_TRANSACTION) {
    return new RecordFailure('refused', `not a primary: ${text}`, { sqlState });
  }
  if (CLASSES_OF_ROWS.includes(classOf(sqlState))) {
    const hint = 'PostgreSQL rejects the content of this batch and will do so however often it is repeated';
    return new RecordFailure('unknown', `${hint}: ${text}`, { isOutage: false, ofRows: true, sqlState });
  }
  if ((sqlState === LIMIT_EXCEEDED && !isOutOfNumbers(error)) || CORRUPTED.includes(sqlState))
    return new RecordFailure('unknown', text, { isOutage: false, ofRows: true, sqlState });
  // For a row lock the server names the row, unless others wait for it too; for a table lock it names nothing.
  // (lock-waits.ts)
  if (sqlState === LOCK_NOT_AVAILABLE && isPlaced(error)) {
    const hint = 'another transaction holds a lock on a row';
    return new RecordFailure('unknown', `${hint}: ${text}`, { isOutage: false, ofRows: true, sqlState });
  }
  const isStalled = sqlState === QUERY_CANCELED || sqlState === LOCK_NOT_AVAILABLE;
  const isUnfit = isPreparedOtherwise(sqlState, error);
  return new RecordFailure('unknown', text, { sqlState, isStalled, isUnfit });
}

/** Whether the server answered, and would refuse any other write just the same. */
export function refusesWrites({ sqlState, isUnfit }: RecordFailure): boolean {
  if (sqlState === null || isUnfit || sqlState === LOCK_NOT_AVAILABLE) return false;
  return sqlState === DISK_FULL || CLASSES_OF_WRITES.includes(classOf(sqlState));
}

/**
 * The connection is wrong about what is prepared, and would stay so however often the statement is repeated. Poolers
 * that exchange the session behind the connection cause this, and changes of the table.
 */
function isPreparedOtherwise(sqlState: string, error: unknown): boolean {
  if (PREPARED_OTHERWISE.includes(sqlState)) return true;
  const { routine, message } = error as { routine?: unknown; message?: unknown };
  // CockroachDB has routines of other names, and messages in English.
  return sqlState === NOT_SUPPORTED && (routine === REVALIDATING || /cached plan/.test(String(message)));
}

/** The server gives out no numbers of transactions any more until it has been vacuumed: it writes nothing for anybody. */
function isOutOfNumbers(error: unknown): boolean {
  const { routine, message } = error as { routine?: unknown; message?: unknown };
  return OUT_OF_NUMBERS.includes(String(routine)) || /wraparound/.test(String(message));
}

function classOf(sqlState: string): string {
  return sqlState.slice(0, 2);
}

/** The five characters of the code if the server itself answered; null for a lost connection. */
export function sqlStateOf(error: unknown): string | null {
  if (error instanceof RecordFailure) return error.sqlState;
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  // Socket errors have a code too, but no severity.
  return typeof severity === 'string' && typeof code === 'string' ? code : null;
}

function isPlaced(error: unknown): boolean {
  const { where } = error as { where?: unknown };
  return typeof where === 'string' && where !== '';
}

export function toRecordError(error: unknown): RecordError {
  const failure = failureOfStatement(error);
  const { kind, fenced, ofRows, heldKeys, message } = failure;
  return { kind, fenced, ofRows, message, ...(heldKeys === null ? {} : { heldKeys }) };
}
