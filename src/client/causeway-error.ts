/**
 * How the client fails. The certainty is what a caller acts on: *definite* means that it did not happen and
 * may be repeated freely, *indefinite* that it may have happened.
 */
import type { ServiceError } from '@grpc/grpc-js';
import { isErrorCode } from '../core/errors.ts';
import type { Certainty, ErrorCode } from '../core/errors.ts';

/** A node's own code, or `transport`: the failure came from the way to it. (docs/ERRORS.md) */
export type ClientErrorCode = ErrorCode | 'transport';

export class CausewayError extends Error {
  override readonly name = 'CausewayError';
  readonly code: ClientErrorCode;
  readonly certainty: Certainty;
  /** Milliseconds after which the node wants to be asked again, where it has said so: it is asked for more than it gets done. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ClientErrorCode, certainty: Certainty, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.certainty = certainty;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Without a node's word, a write that was sent may have happened; a read changes nothing. */
export function certaintyOfLoss(isWrite: boolean): Certainty {
  return isWrite ? 'indefinite' : 'definite';
}

/**
 * Of a call that the library has sent on no connection. It hands such a call to a connection that was refused or closed
 * in order meanwhile; there it tries again only what the other side has not begun, and then fails so.
 */
const NEVER_SENT = /^No connection established/;

export function errorOfStatus(error: ServiceError, isWrite: boolean): CausewayError {
  const code = error.metadata?.get('causeway-code')[0]?.toString();
  const certainty = error.metadata?.get('causeway-certainty')[0]?.toString();
  if (code !== undefined && (certainty === 'definite' || certainty === 'indefinite')) {
    // A newer node may know codes that we do not; its word on certainty stands all the same.
    const retryAfterMs = Number(error.metadata.get('grpc-retry-pushback-ms')[0] ?? NaN);
    const known = isErrorCode(code) ? code : 'transport';
    return new CausewayError(known, certainty, error.details, retryAfterMs >= 0 ? retryAfterMs : undefined);
  }
  const told = error.details || error.message;
  return new CausewayError('transport', NEVER_SENT.test(told) ? 'definite' : certaintyOfLoss(isWrite), told);
}

/** May another node do what this one definitely did not? */
export function mayTryAnother(error: unknown): error is CausewayError {
  if (!(error instanceof CausewayError) || error.certainty !== 'definite') return false;
  return error.code === 'transport' || error.code === 'not_ready' || error.code === 'overloaded';
}
