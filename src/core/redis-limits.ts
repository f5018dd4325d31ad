/**
 * Every limit of the Redis door by name, as `limits.ts` has those of the rest of the system, and the relations that must
 * hold between them (asserted at the bottom, when the module loads).
 */
import { assert } from '../base/assert.ts';
import { LOOP_LATE_MS_MAX, VALUE_BYTES_MAX } from './limits.ts';

/** Connections to the Redis door; as Redis' own `maxclients`. */
export const RESP_CONNECTIONS_MAX = 10_000;
/** Arguments of one command of a Redis client, and bytes of one of them: a value, and some beyond for a clear answer. */
export const RESP_ARGUMENTS_MAX = 65_536;
export const RESP_BULK_BYTES_MAX = 4 * VALUE_BYTES_MAX;
/** Bytes of one command: a hundred-odd keys with small values, or a few of the largest. */
export const RESP_REQUEST_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of a command on one line, and of one that is not authenticated: as Redis has them. */
export const RESP_INLINE_BYTES_MAX = 64 * 1024;
export const RESP_UNKNOWN_BULK_BYTES_MAX = 16 * 1024;
export const RESP_UNKNOWN_ARGUMENTS_MAX = 10;
/** Bytes of commands begun and not whole, of all connections; beyond it who holds more than the share below is cut. */
export const RESP_INPUT_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const RESP_INPUT_BYTES_SHARE = 64 * 1024;
/** Commands of one connection begun and not answered; with as many, it is not read. */
export const RESP_UNANSWERED_MAX = 1_024;
/** Bytes of values that commands of one connection bring and that stand in line for their key; with as many, none joins them. */
export const RESP_IN_LINE_BYTES_MAX = 1024 * 1024;
/** Bytes of one connection's answers that were not taken; with as many, no further command is begun. */
export const RESP_OUTPUT_BYTES_PAUSE = 1024 * 1024;
/** Bytes of such at which a connection is cut: what is pushed cannot wait for its reader. */
export const RESP_OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of such of all connections; beyond it who holds more than the share waits, and is cut if it takes nothing of it. */
export const RESP_OUTPUT_BYTES_TOTAL_MAX = 256 * 1024 * 1024;
export const RESP_OUTPUT_BYTES_SHARE = 64 * 1024;
/** Bytes of answers of one connection that wait behind one that is still to come; beyond it they are given up and asked for anew. */
export const RESP_WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Writes of one connection under way that tell a value: it cannot be asked for anew. */
export const RESP_TELLING_MAX = RESP_WAITING_BYTES_MAX / VALUE_BYTES_MAX;
/** Bytes of the values in one answer. */
export const RESP_REPLY_BYTES_MAX = 16 * 1024 * 1024;
/** Commands kept between MULTI and EXEC, and their bytes; and keys watched by one connection. */
export const RESP_TRANSACTION_COMMANDS_MAX = 10_000;
export const RESP_TRANSACTION_BYTES_MAX = RESP_REQUEST_BYTES_MAX;
/** Reads and changes of keys between them; and bytes counted for each argument kept, beside its own. */
export const RESP_TRANSACTION_STEPS_MAX = RESP_ARGUMENTS_MAX;
export const RESP_ARGUMENT_BYTES = 16;
export const RESP_WATCHED_KEYS_MAX = 1_000;
/** Operations that one command with many keys has under way at once. */
export const RESP_MANY_IN_FLIGHT_MAX = 256;
/**
 * Milliseconds for which a Redis door begins commands in one turn of the event loop, whoever asked; and commands of some
 * microseconds after which it looks at its clock.
 */
export const RESP_TURN_MS = 5;
export const RESP_SHORT_COMMANDS = 32;
/** Milliseconds for one command with many keys: what was not begun by then is not begun any more. */
export const RESP_MANY_MS_MAX = 30_000;
/** Keys that one command reads at once where they are at hand; with more it gives way to others in between. */
export const RESP_AT_HAND_MAX = 64;
/** Steps of matching patterns after which a door looks at its clock; and patterns that one command may give. */
export const RESP_GLOB_STEPS_LOOK = 64 * 1024;
export const RESP_PATTERNS_MAX = 64;
/** Commands that look at the whole key space, under way at one node: each holds a page or two. */
export const RESP_SWEEPS_MAX = 8;
/** Cells of the table that LCS makes: they are filled in one turn. */
export const RESP_LCS_CELLS_MAX = 4_000_000;
/**
 * Pages that one SCAN reads. Where there are more nodes than replicas a page ends with the slots beside each other that
 * one owner has, a few: most of them would be empty, and each an exchange with the client.
 */
export const RESP_SCAN_PAGES_MAX = 32;
/** Milliseconds after which a SCAN begins no further page: where a page takes long, clients that wait for many give up. */
export const RESP_SCAN_MS = 100;
/** Places of scans that a node remembers for Redis clients, who know them by a number. */
export const RESP_SCAN_PLACES_MAX = 4_096;
/** Milliseconds for which a Redis connection that was ended here waits for its client to take what was said, and to end it. */
export const RESP_LINGER_MS = 5_000;
/** Keys that a node remembers for clients that keep copies, as Redis' own default; prefixes that one of them listens to. */
export const RESP_TRACKED_KEYS_MAX = 1_000_000;
export const RESP_TRACKED_PREFIXES_MAX = 256;
/** Keys that a client which listens to all changes has written of late, until it is known which of these are its own. */
export const RESP_OWN_KEYS_MAX = 1_024;
/** Commands that SLOWLOG keeps, as Redis' own default, and what may be asked for; samples of LATENCY, as Redis has them. */
export const RESP_SLOW_COMMANDS_DEFAULT = 128;
export const RESP_SLOW_COMMANDS_MAX = 1_024;
export const RESP_LATENCY_SAMPLES_MAX = 160;
/** Milliseconds between two looks for connections that are idle. */
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
assert(RESP_TURN_MS < LOOP_LATE_MS_MAX / 2, 'a door of Redis alone makes no event loop late');
