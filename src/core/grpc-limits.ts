/**
 * Limits of connections to the gRPC door and of requests still arriving, and the relations that must hold between them
 * (asserted at the bottom, when the module loads). Other limits are in `limits.ts`.
 */
import { assert } from '../base/assert.ts';
import { OPERATION_BYTES_MAX } from './limits.ts';

/** Milliseconds between two checks of connections and requests. */
export const GRPC_LOOK_MS = 1_000;
/** Connections to the gRPC door, including those of members; as many as Redis's default `maxclients`. */
export const GRPC_CONNECTIONS_MAX = 10_000;
/**
 * Further connections that are accepted only for members, or to refuse the client at its first call; beyond these no
 * connection is accepted at all.
 */
export const GRPC_CONNECTIONS_BEYOND_MAX = 1_024;
/** Milliseconds within which such a connection must make its first call. */
export const GRPC_FIRST_CALL_MS_MAX = 5_000;
/**
 * Milliseconds within which the request of a unary call must have arrived completely: the largest request on a slow
 * link.
 */
export const GRPC_REQUEST_MS_MAX = 30_000;
/**
 * Bytes of incomplete requests, and of incomplete messages within streams, over all connections. Beyond that, a
 * connection that holds more than the share below is refused.
 */
export const GRPC_REQUEST_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const GRPC_REQUEST_BYTES_SHARE = 64 * 1024;

assert(GRPC_LOOK_MS * 2 < GRPC_FIRST_CALL_MS_MAX, 'a look comes in time for what it looks at');
assert(GRPC_FIRST_CALL_MS_MAX < GRPC_REQUEST_MS_MAX, 'whoever has room has more time');
assert(
  OPERATION_BYTES_MAX * 64 < GRPC_REQUEST_BYTES_TOTAL_MAX,
  'many of the largest requests have room at once',
);
