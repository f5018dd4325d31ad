/** A status of gRPC on a stream of HTTP/2, with nothing before it, and the end of a request that nobody waits for any more. */
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { Failure } from '../../core/errors.ts';

/** A failure as gRPC tells it: the code and its certainty go along. */
export type StatusOf = (failed: Failure) => Partial<StatusObject>;

const ONLY_HEAD = { endStream: true };

export function tellStatus(
  stream: ServerHttp2Stream,
  { code = Status.UNKNOWN, details = '', metadata }: Partial<StatusObject>,
): void {
  const head = {
    ':status': 200,
    'content-type': 'application/grpc+proto',
    'grpc-status': String(code),
    // Half a character cannot be encoded, and would throw.
    'grpc-message': encodeURI(Buffer.from(details).toString()),
    ...metadata?.toHttp2Headers(),
  };
  stream.respond(head, ONLY_HEAD);
}

/** Once it is answered: the client need not send the rest (RFC 9113, 8.1), and cannot keep the stream open. */
export function readNoMore(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** In one: where nothing was answered yet. */
export function turnAway(stream: ServerHttp2Stream, status: Partial<StatusObject>): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) tellStatus(stream, status);
  readNoMore(stream);
}
