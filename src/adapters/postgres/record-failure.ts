/**
 * What went wrong with a call, in the terms of the port: was it certainly not done, and does it say anything
 * about the health of the server? When in doubt the outcome is unknown.
 */
import { withoutCredentials } from '../../base/credentials.ts';
import type { RecordError } from '../../ports/system-of-record.ts';

export class RecordFailure extends Error {
  override readonly name = 'RecordFailure';
  readonly kind: 'refused' | 'unknown';
  /** The database belongs to another founding. */
  readonly fenced: boolean;
  /** Speaks against the server or the way to it, not against this one statement. */
  readonly isOutage: boolean;
  /** Speaks against some of the rows: others would be written. */
  readonly ofRows: boolean;
  /** Repeating the same statement may well succeed: it lost against another transaction. */
  readonly isRetryable: boolean;
  /** Keys of rows on which somebody holds a lock, where that is known. */
  readonly heldKeys: readonly string[] | null;
  /** The connection is not to be used again, though it works. */
  readonly isUnfit: boolean;
  /** The server's own code, null where it was not the server that answered. */
  readonly sqlState: string | null;

  constructor(kind: 'refused' | 'unknown', message: string, traits: FailureTraits = {}) {
    super(withoutCredentials(message));
    this.kind = kind;
    this.fenced = traits.fenced ?? false;
    this.isOutage = traits.isOutage ?? true;
    this.ofRows = traits.ofRows ?? false;
    this.isRetryable = traits.isRetryable ?? false;
    this.heldKeys = traits.heldKeys ?? null;
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
  readonly isUnfit?: boolean;
  readonly sqlState?: string;
}

/** A refusal to begin that waiting does not cure: a person has to change something. */
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
export const DISK_FULL = '53100';
const DATA_CORRUPTED = 'XX001';
/**
 * A prepared statement that the server does not have, has already, or whose columns have become others: what the connection takes
 * to be prepared is not, and would not be however often it is sent there. So answer poolers that exchange the session behind it.
 */
const PREPARED_OTHERWISE: readonly string[] = ['26000', '42P05', '0A000'];

/** The error of a statement that had been handed to the server. */
export function failureOfStatement(error: unknown): RecordFailure {
  if (error instanceof RecordFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  const sqlState = sqlStateOf(error);
  if (sqlState === null) return new RecordFailure('unknown', message);
  const text = `PostgreSQL answered ${sqlState}: ${message}`;
  if (sqlState === SERIALIZATION_FAILURE || sqlState === DEADLOCK_DETECTED) {
    return new RecordFailure('unknown', text, { isOutage: false, isRetryable: true, sqlState });
  }
  if (sqlState === READ_ONLY_TRANSACTION) {
    return new RecordFailure('refused', `not a primary: ${text}`, { sqlState });
  }
  if (sqlState.startsWith('22') || sqlState.startsWith('23')) {
    const hint = 'PostgreSQL rejects the content of this batch and will do so however often it is repeated';
    return new RecordFailure('unknown', `${hint}: ${text}`, { isOutage: false, ofRows: true, sqlState });
  }
  // A page or a value that is rotten: rows elsewhere are as well as ever.
  if (sqlState === DATA_CORRUPTED)
    return new RecordFailure('unknown', text, { isOutage: false, ofRows: true, sqlState });
  // Of a row it tells which one, unless others wait for it, too; of a table nothing. (lock-waits.ts)
  if (sqlState === LOCK_NOT_AVAILABLE && isPlaced(error)) {
    const hint = 'another transaction holds a lock on a row';
    return new RecordFailure('unknown', `${hint}: ${text}`, { isOutage: false, ofRows: true, sqlState });
  }
  return new RecordFailure('unknown', text, { sqlState, isUnfit: PREPARED_OTHERWISE.includes(sqlState) });
}

/** Five characters where the server itself answered, null for a lost connection. */
export function sqlStateOf(error: unknown): string | null {
  if (error instanceof RecordFailure) return error.sqlState;
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  // Errors of the socket have a code too, but no severity.
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
