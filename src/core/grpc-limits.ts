/**
 * Limits of connections to the gRPC door and of requests that are still on their way in, as `limits.ts` has those of the rest of
 * the system, and the relations that must hold between them (asserted at the bottom, when the module loads).
 */
import { assert } from '../base/assert.ts';
import { OPERATION_BYTES_MAX } from './limits.ts';

/** Milliseconds between two looks at connections and requests. */
export const GRPC_LOOK_MS = 1_000;
/** Connections to the gRPC door, those of members among them; as many as Redis' own `maxclients`. */
export const GRPC_CONNECTIONS_MAX = 10_000;
/** Connections beyond that, which are told so at their first call, or are a member's; further ones are not taken at all. */
export const GRPC_CONNECTIONS_BEYOND_MAX = 1_024;
/** Milliseconds that one of these may take for its first call. */
export const GRPC_FIRST_CALL_MS_MAX = 5_000;
/** Milliseconds within which the request of a unary call must have come to its end: the largest one on a slow line. */
export const GRPC_REQUEST_MS_MAX = 30_000;
/** Bytes of such that have not, and of messages within streams, of all connections; beyond it whose connection holds more than the share below is refused. */
export const GRPC_REQUEST_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const GRPC_REQUEST_BYTES_SHARE = 64 * 1024;

assert(GRPC_LOOK_MS * 2 < GRPC_FIRST_CALL_MS_MAX, 'a look comes in time for what it looks at');
assert(GRPC_FIRST_CALL_MS_MAX < GRPC_REQUEST_MS_MAX, 'whoever has room has more time');
assert(
  OPERATION_BYTES_MAX * 64 < GRPC_REQUEST_BYTES_TOTAL_MAX,
  'many of the largest requests have room at once',
);
