/** Sends a gRPC status directly on an HTTP/2 stream, and turns calls away before anything of them was begun. */
import { constants } from 'node:http2';
import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { Failure } from '../../core/errors.ts';

/** Converts a failure to a gRPC status that carries its code and certainty. */
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
    // `encodeURI` throws on a lone surrogate, so these are replaced first.
    'grpc-message': encodeURI(Buffer.from(details).toString()),
    ...metadata?.toHttp2Headers(),
  };
}

/**
 * Refuses a call and ends its request. The status is sent if nothing was answered yet; null means that something may
 * have been begun, which no status could express. The client need not send the rest of its request (RFC 9113, 8.1), and
 * cannot keep the stream open. All of this happens after the present turn: with some versions of Node (22.23), an
 * answer and a reset made while the connection is being read arrive in the wrong order, as a reset and nothing else.
 */
export function turnAway(stream: ServerHttp2Stream, status: Partial<StatusObject> | null): void {
  setImmediate(() => {
    if (stream.destroyed || stream.closed) return;
    if (!stream.headersSent && status !== null) tellStatus(stream, status);
    // An answer that was begun cannot be followed by our status; gRPC maps this reset to one.
    else if (!stream.writableEnded) return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/**
 * Inspects the data of a stream before the listeners that it already has (those of grpc-js). Once `look` has returned
 * false, they receive neither this piece nor anything after it, including the end of the stream, so a refused call is
 * never begun.
 */
export function lookFirst(stream: ServerHttp2Stream, look: (piece: Buffer) => boolean): void {
  const others = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.on('data', (piece: Buffer) => {
    if (look(piece)) for (const other of others) other.call(stream, piece);
    else stream.removeAllListeners('end');
  });
}
