/**
 * Limits of the gRPC door: connections, requests that are still arriving, streams, and answers that clients have not
 * taken; with the relations that must hold between them (asserted at the bottom, when the module loads). Other limits
 * are in `limits.ts`.
 */
import { assert } from '../../base/assert.ts';
import { OPERATION_BYTES_MAX } from '../limits.ts';

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

/** Operations and bytes in one frame of a client's pipeline. */
export const PIPELINE_OPERATIONS_MAX = 1000;
export const PIPELINE_BYTES_MAX = 1024 * 1024;
/** Operations of one pipeline that were started and not yet answered; at this number its stream is not read. */
export const PIPELINE_UNANSWERED_MAX = 4000;
/** Bytes of one pipeline's answers that its client has not taken; at this number no further operation is started. */
export const PIPELINE_ANSWER_BYTES_PAUSE = 8 * 1024 * 1024;
/** The same bytes at which values just read are dropped and answered with `overloaded`. */
export const PIPELINE_ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes from which an answer to a single call is counted until its client has taken it. */
export const ANSWER_BYTES_COUNTED = 16 * 1024;
/** Bytes of answers to single calls that one connection has not taken; at this number further calls are refused. */
export const CONNECTION_ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes of answers that all clients have not taken; beyond it those with more than the share below wait. */
export const ANSWER_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const ANSWER_BYTES_SHARE = 1024 * 1024;
/** Bytes of large answers produced in one turn of the event loop: some milliseconds of reading and copying. */
export const TURN_ANSWER_BYTES_MAX = 1024 * 1024;
/** Calls open on one connection; a client library queues further ones. */
export const CONNECTION_CALLS_MAX = 4096;
/** Pipelines open at one node. */
export const PIPELINE_STREAMS_MAX = 256;
/** Exports open at one node: each holds a page or two in memory. */
export const EXPORT_STREAMS_MAX = 8;
/** Streams that watch the health of one node. */
export const HEALTH_WATCHERS_MAX = 256;

/**
 * Calls that clients cancel on one connection, per second and in reserve, before it is closed: each costs some 50 µs.
 * Where deadlines pass under overload, a client cancels hundreds in a second.
 */
export const GRPC_RESETS_PER_SECOND_MAX = 1_000;
export const GRPC_RESETS_BURST = 10_000;

assert(GRPC_LOOK_MS * 2 < GRPC_FIRST_CALL_MS_MAX, 'a look comes in time for what it looks at');
assert(GRPC_FIRST_CALL_MS_MAX < GRPC_REQUEST_MS_MAX, 'whoever has room has more time');
assert(
  OPERATION_BYTES_MAX * 64 < GRPC_REQUEST_BYTES_TOTAL_MAX,
  'many of the largest requests have room at once',
);
assert(PIPELINE_OPERATIONS_MAX <= PIPELINE_UNANSWERED_MAX, 'a whole frame of a pipeline may be unanswered');
assert(PIPELINE_ANSWER_BYTES_PAUSE < PIPELINE_ANSWER_BYTES_MAX, 'a pipeline pauses before it drops values');
assert(PIPELINE_ANSWER_BYTES_MAX < ANSWER_BYTES_TOTAL_MAX, 'one pipeline cannot use up what all have');
assert(
  ANSWER_BYTES_COUNTED * CONNECTION_CALLS_MAX <= ANSWER_BYTES_TOTAL_MAX,
  'answers that are too small to be counted are bounded by the number of calls',
);
