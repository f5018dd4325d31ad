/**
 * Every limit of the Redis door, and the relations that must hold between them (asserted at the bottom, when the module
 * loads). Other limits are in `limits.ts`.
 */
import { assert } from '../../base/assert.ts';
import { LOOP_LATE_MS_MAX, VALUE_BYTES_MAX } from '../limits.ts';

/** Connections to the Redis door; as many as Redis's default `maxclients`. */
export const RESP_CONNECTIONS_MAX = 10_000;
/**
 * Arguments of one command, and bytes of one argument: a value, plus a margin so that a larger one gets a clear answer.
 */
export const RESP_ARGUMENTS_MAX = 65_536;
export const RESP_BULK_BYTES_MAX = 4 * VALUE_BYTES_MAX;
/** Bytes of one command: a hundred-odd keys with small values, or a few of the largest. */
export const RESP_REQUEST_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of an inline command, and of a command on an unauthenticated connection: Redis's own limits. */
export const RESP_INLINE_BYTES_MAX = 64 * 1024;
export const RESP_UNKNOWN_BULK_BYTES_MAX = 16 * 1024;
export const RESP_UNKNOWN_ARGUMENTS_MAX = 10;
/**
 * Bytes of incomplete commands over all connections; beyond that, a connection with more than the share below is
 * closed.
 */
export const RESP_INPUT_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const RESP_INPUT_BYTES_SHARE = 64 * 1024;
/** Commands of one connection started and not answered; at this number it is not read. */
export const RESP_UNANSWERED_MAX = 1_024;
/**
 * Bytes of values in commands of one connection that queue for their key; at this number no further command joins them.
 */
export const RESP_IN_LINE_BYTES_MAX = 1024 * 1024;
/** Bytes of one connection's answers that were not taken; at this number no further command is started. */
export const RESP_OUTPUT_BYTES_PAUSE = 1024 * 1024;
/** The same bytes at which a connection is closed: pushed messages cannot wait for their reader. */
export const RESP_OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/**
 * The same bytes over all connections; beyond that, a connection with more than the share waits, and is closed if it
 * takes nothing, or if a message is pushed to it.
 */
export const RESP_OUTPUT_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const RESP_OUTPUT_BYTES_SHARE = 64 * 1024;
/**
 * Bytes of one connection's answers queued behind one that is not ready; beyond that they are dropped and read again.
 */
export const RESP_WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Writes of one connection in progress that return a value: such an answer cannot be read again. */
export const RESP_TELLING_MAX = RESP_WAITING_BYTES_MAX / VALUE_BYTES_MAX;
/** Bytes of the values in one answer. */
export const RESP_REPLY_BYTES_MAX = 16 * 1024 * 1024;
/** Commands kept between MULTI and EXEC, and their bytes; and keys watched by one connection. */
export const RESP_TRANSACTION_COMMANDS_MAX = 10_000;
export const RESP_TRANSACTION_BYTES_MAX = RESP_REQUEST_BYTES_MAX;
/** Reads and changes of keys in one transaction; and bytes counted for each kept argument besides its own. */
export const RESP_TRANSACTION_STEPS_MAX = RESP_ARGUMENTS_MAX;
export const RESP_ARGUMENT_BYTES = 16;
export const RESP_WATCHED_KEYS_MAX = 1_000;
/**
 * Bytes kept between the commands of all connections: what stands between MULTI and EXEC or is being executed, watched
 * keys, and prefixes. Beyond it, a connection that keeps more than the share is refused.
 */
export const RESP_KEPT_BYTES_TOTAL_MAX = 128 * 1024 * 1024;
export const RESP_KEPT_BYTES_SHARE = 16 * 1024;
/** Bytes of a connection's name, of its library's name and of that one's version: CLIENT LIST tells all of them. */
export const RESP_NAME_BYTES_MAX = 256;
/** Names in one COMMAND INFO or COMMAND DOCS: some are answered with several kilobytes, all in one turn. */
export const RESP_COMMANDS_ASKED_MAX = 256;
/** Operations that one multi-key command has in progress at once. */
export const RESP_MANY_IN_FLIGHT_MAX = 256;
/**
 * Milliseconds per turn of the event loop for which a Redis door starts commands, from whichever client; and the number
 * of commands, of a few microseconds each, after which it checks the clock.
 */
export const RESP_TURN_MS = 5;
export const RESP_SHORT_COMMANDS = 32;
/** Milliseconds for one multi-key command: operations not started by then are not started any more. */
export const RESP_MANY_MS_MAX = 30_000;
/** Keys that one command reads at once if they are in memory; with more, it yields to others in between. */
export const RESP_AT_HAND_MAX = 64;
/** Steps of pattern matching after which a door checks the clock; and patterns in one command. */
export const RESP_GLOB_STEPS_LOOK = 64 * 1024;
export const RESP_PATTERNS_MAX = 64;
/** Commands that scan the whole key space, in progress at one node: each holds a page or two. */
export const RESP_SWEEPS_MAX = 8;
/** Cells of the table that LCS computes, all in one turn of the event loop. */
export const RESP_LCS_CELLS_MAX = 4_000_000;
/**
 * Pages read by one SCAN. With more nodes than replicas, a page ends where one owner's run of consecutive slots ends,
 * after a few slots: most pages would be empty, and each would cost the client a round trip.
 */
export const RESP_SCAN_PAGES_MAX = 32;
/** Milliseconds after which a SCAN starts no further page: when pages are slow, clients that wait for many give up. */
export const RESP_SCAN_MS = 100;
/** Positions of scans that a node remembers for Redis clients, which refer to them by number. */
export const RESP_SCAN_PLACES_MAX = 4_096;
/**
 * Milliseconds for which a connection closed by this side waits for the client to take what was sent, and to close it
 * too.
 */
export const RESP_LINGER_MS = 5_000;
/**
 * Keys remembered for clients that keep copies, as many as Redis's own default; and prefixes that one client listens
 * to.
 */
export const RESP_TRACKED_KEYS_MAX = 1_000_000;
export const RESP_TRACKED_PREFIXES_MAX = 256;
/** Pairs of such a key and a client, some 25 to 100 bytes each: many clients may keep the same keys. */
export const RESP_TRACKED_PAIRS_MAX = 4_000_000;
/** Keys recently written by a client that listens to all changes, kept until it is known which changes are its own. */
export const RESP_OWN_KEYS_MAX = 1_024;
/**
 * Milliseconds per turn of the event loop for which clients that listen to all changes are told of them. After all have
 * been told, the next messages wait so many times as long as that took, so that it takes a quarter of the door's time at
 * most; but no longer than so many milliseconds.
 */
export const RESP_PUSH_TURN_MS = 2;
export const RESP_PUSH_REST_TIMES = 3;
export const RESP_PUSH_REST_MS_MAX = 250;
/** Changes that wait to be told to them, and bytes of their keys; beyond that, they are told that all may have changed. */
export const RESP_NEWS_KEYS_MAX = 16_384;
export const RESP_NEWS_BYTES_MAX = 4 * 1024 * 1024;
/** Messages kept while all are told, each for those who listen to the same prefixes; beyond that, one is made anew. */
export const RESP_AUDIENCES_MAX = 64;
/** Commands that SLOWLOG keeps, by default (as in Redis) and at most; and samples of LATENCY, as in Redis. */
export const RESP_SLOW_COMMANDS_DEFAULT = 128;
export const RESP_SLOW_COMMANDS_MAX = 1_024;
export const RESP_LATENCY_SAMPLES_MAX = 160;
/** Milliseconds between two checks for idle connections. */
export const RESP_IDLE_LOOK_MS = 1_000;

assert(
  RESP_BULK_BYTES_MAX > VALUE_BYTES_MAX && RESP_BULK_BYTES_MAX < RESP_REQUEST_BYTES_MAX,
  'a value that is too large is read to its end, and refused by name',
);
assert(RESP_OUTPUT_BYTES_PAUSE < RESP_OUTPUT_BYTES_MAX, 'a Redis connection pauses before it is cut');
assert(
  RESP_OUTPUT_BYTES_PAUSE +
    RESP_REPLY_BYTES_MAX +
    RESP_WAITING_BYTES_MAX +
    RESP_TELLING_MAX * VALUE_BYTES_MAX <
    RESP_OUTPUT_BYTES_MAX,
  'a client that reads is never cut for what it asked',
);
assert(
  RESP_CONNECTIONS_MAX * (3 * RESP_NAME_BYTES_MAX + 512) < RESP_REPLY_BYTES_MAX,
  'one answer tells of all connections, however they are named',
);
assert(
  RESP_KEPT_BYTES_TOTAL_MAX >= 4 * RESP_TRANSACTION_BYTES_MAX,
  'some of the largest transactions have room at once',
);
assert(
  RESP_TRACKED_PAIRS_MAX > RESP_TRACKED_KEYS_MAX,
  'keys with one client each are bounded by their number',
);
assert(
  RESP_NEWS_BYTES_MAX < RESP_OUTPUT_BYTES_MAX / 4,
  'a client that takes its messages is not cut for one of them',
);
assert(RESP_PUSH_TURN_MS < RESP_TURN_MS, 'commands have more of a turn than messages about changes');
assert(RESP_TURN_MS < LOOP_LATE_MS_MAX / 2, 'a door of Redis alone makes no event loop late');
