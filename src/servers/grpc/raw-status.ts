/** A status of gRPC on a stream of HTTP/2, with nothing before it, and who is told it before anything of his was begun. */
import { constants } from 'node:http2';
import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { Failure } from '../../core/errors.ts';

/** A failure as gRPC tells it: the code and its certainty go along. */
export type StatusOf = (failed: Failure) => Partial<StatusObject>;

const ONLY_HEAD = { endStream: true };

export function tellStatus(stream: ServerHttp2Stream, status: Partial<StatusObject>): void {
  const head = { ':status': 200, 'content-type': 'application/grpc+proto', ...statusHeaders(status) };
  stream.respond(head, ONLY_HEAD);
}

export function statusHeaders({
  code = Status.UNKNOWN,
  details = '',
  metadata,
}: Partial<StatusObject>): OutgoingHttpHeaders {
  return {
    'grpc-status': String(code),
    // Half a character cannot be encoded, and would throw.
    'grpc-message': encodeURI(Buffer.from(details).toString()),
    ...metadata?.toHttp2Headers(),
  };
}

/**
 * The status, where nothing was answered yet (null: something may have been begun, which no status tells), and the end of a
 * request that nobody waits for any more: the client need not send the rest (RFC 9113, 8.1), and cannot keep the stream open.
 * Not before this turn is over: what is answered and reset while its connection is being read from goes out in the wrong order
 * with some versions of Node (22.23), as a reset and nothing else.
 */
export function turnAway(stream: ServerHttp2Stream, status: Partial<StatusObject> | null): void {
  setImmediate(() => {
    if (stream.destroyed || stream.closed) return;
    if (!stream.headersSent && status !== null) tellStatus(stream, status);
    // What was begun to be answered cannot be followed by a status of ours: a reset of this kind is one to gRPC.
    else if (!stream.writableEnded) return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/**
 * Sees what comes on a stream before those who listen to it so far (grpc-js). Once `look` has said no they hear nothing more of
 * it, neither the piece at hand nor that it has ended: nothing is begun of what is turned away.
 */
export function lookFirst(stream: ServerHttp2Stream, look: (piece: Buffer) => boolean): void {
  const others = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.on('data', (piece: Buffer) => {
    if (look(piece)) for (const other of others) other.call(stream, piece);
    else stream.removeAllListeners('end');
  });
}
