/**
 * Calls that grpc-js refuses by itself (a message that is too large, an unknown method) get only a status, without our
 * code and certainty. Both are added on the way out, so that a client knows of such a call, too, whether it happened.
 */
import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { statusHeaders } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

/** The messages with which grpc-js refuses a malformed request, of which nothing was begun. */
const ILL_FORMED = /^(Failed to decompress|Invalid grpc-timeout)/;

export interface Telling {
  readonly statusOf: StatusOf;
  readonly tooLarge: Failure;
}

/** Must be called before grpc-js takes the stream. */
export function tellCodes(stream: ServerHttp2Stream, telling: Telling): void {
  const respond = stream.respond.bind(stream);
  const sendTrailers = stream.sendTrailers.bind(stream);
  stream.respond = (headers, options) => respond(withCode(headers as OutgoingHttpHeaders, telling), options);
  stream.sendTrailers = (trailers) => sendTrailers(withCode(trailers, telling));
}

function withCode<Headers extends OutgoingHttpHeaders | undefined>(
  headers: Headers,
  telling: Telling,
): Headers {
  if (headers?.['grpc-status'] === undefined || headers['causeway-code'] !== undefined) return headers;
  const details = decodeURI(String(headers['grpc-message'] ?? ''));
  const failed = failureOf(Number(headers['grpc-status']), details, telling.tooLarge);
  return failed === null ? headers : { ...headers, ...statusHeaders(telling.statusOf(failed)) };
}

/** Null for statuses that need no code: success, and what the health service reports about services. */
function failureOf(code: Status, details: string, tooLarge: Failure): Failure | null {
  switch (code) {
    case Status.RESOURCE_EXHAUSTED:
      return tooLarge;
    case Status.UNIMPLEMENTED:
      return failure('not_supported', details);
    case Status.DEADLINE_EXCEEDED:
      return failure('outcome_unknown');
    case Status.INTERNAL:
    case Status.UNKNOWN:
      return failure(ILL_FORMED.test(details) ? 'invalid_argument' : 'internal', details);
    default:
      return null;
  }
}
