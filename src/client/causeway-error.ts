/**
 * The client's error type. Callers act on the certainty: *definite* means that the operation did not happen and may be
 * repeated freely; *indefinite* means that it may have happened.
 */
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { isErrorCode } from '../core/errors.ts';
import type { Certainty, ErrorCode } from '../core/errors.ts';

/**
 * The code that a node reported, `transport` when the failure arose on the way to the node, or `aborted` when the
 * caller's signal ended the call; its reason is then the `cause` of the error. (docs/ERRORS.md)
 */
export type ClientErrorCode = ErrorCode | 'transport' | 'aborted';

/** The failure of a call: `code` says why it failed, `certainty` whether it may have happened. */
export class CausewayError extends Error {
  override readonly name = 'CausewayError';
  /** Codes are stable, so callers may compare them. */
  readonly code: ClientErrorCode;
  /** `definite`: the operation did not happen and may be repeated freely. `indefinite`: it may have happened. */
  readonly certainty: Certainty;
  /** Milliseconds after which an overloaded node asks to be called again; undefined if the node gave no hint. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ClientErrorCode, certainty: Certainty, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.certainty = certainty;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A call of a closed client, or one that was handed to no connection before the client was closed. */
export class ClosedError extends CausewayError {
  constructor() {
    super('transport', 'definite', 'the client is closed: nothing was sent');
  }
}

/**
 * When no node has answered, a write that was sent may have happened; a lost read is definite, because it changes
 * nothing.
 */
export function certaintyOfLoss(isWrite: boolean): Certainty {
  return isWrite ? 'indefinite' : 'definite';
}

/**
 * The message of a call that grpc-js has sent on no connection, or only on one that was refused or closed gracefully
 * meanwhile. In the latter case it retries only what the other side has not begun, and then fails with this message.
 */
const NEVER_SENT = /^No connection established/;

/** `where` names the node and the time limit, for a failure that does not mention them itself. */
export function errorOfStatus(error: ServiceError, isWrite: boolean, where = ''): CausewayError {
  const code = error.metadata?.get('causeway-code')[0]?.toString();
  const certainty = error.metadata?.get('causeway-certainty')[0]?.toString();
  if (code !== undefined && (certainty === 'definite' || certainty === 'indefinite')) {
    // A newer node may send codes that this client does not know; its word on certainty still counts.
    const retryAfterMs = Number(error.metadata.get('grpc-retry-pushback-ms')[0] ?? NaN);
    const known = isErrorCode(code) ? code : 'transport';
    return new CausewayError(known, certainty, error.details, retryAfterMs >= 0 ? retryAfterMs : undefined);
  }
  // The library's own message lists its internal stages and their times.
  const isLate = error.code === status.DEADLINE_EXCEEDED && where !== '';
  const told = isLate ? `no answer ${where}` : error.details || error.message;
  return new CausewayError('transport', NEVER_SENT.test(told) ? 'definite' : certaintyOfLoss(isWrite), told);
}

/** Whether the call may go to another node because this one definitely did not carry it out. */
export function mayTryAnother(error: unknown): error is CausewayError {
  if (!(error instanceof CausewayError) || error.certainty !== 'definite') return false;
  if (error instanceof ClosedError) return false;
  return error.code === 'transport' || error.code === 'not_ready' || error.code === 'overloaded';
}
