/**
 * The limits of the system by name, each with its unit and the reason for its size, and the relations that must hold
 * between them (asserted at the bottom, when the module loads). Limits that concern one subject alone (a door, copying,
 * batching) are in the files `*-limits.ts`, here and in the folders.
 */
import { assert } from '../base/assert.ts';

/** Bytes of UTF-8. Below PostgreSQL's index row limit (2,704 bytes) and comfortable in every log line. */
export const KEY_BYTES_MAX = 1024;
/** Bytes. The default; one value must fit a frame, a batch and a gRPC message with room to spare. */
export const VALUE_BYTES_MAX = 1024 * 1024;
/** Changes in one modification: a transaction on one key is short, and is judged in one turn of the event loop. */
export const MODIFY_CHANGES_MAX = 256;
/** Bytes of a modification's changes, and bytes of their results: each fits a frame together with its key. */
export const MODIFY_BYTES_MAX = VALUE_BYTES_MAX + VALUE_BYTES_MAX / 2;
/**
 * Work that judging may do per tick, in bytes produced, plus a measured amount for each change and for each digit of a
 * decimal number. The rest waits: a turn of the event loop judges for some ten milliseconds, and at most as long again
 * for the operation that exceeds the limit.
 */
export const TURN_WORK_BYTES_MAX = 64 * 1024 * 1024;
export const CHANGE_WORK_BYTES = 16 * 1024;
export const DIGIT_WORK_BYTES = 512;
/** Work counted for each byte compared, which is done one byte at a time. */
export const COMPARED_WORK_BYTES = 8;
/** Work of one modification, measured as above: as much as a whole turn. */
export const MODIFY_WORK_BYTES_MAX = TURN_WORK_BYTES_MAX;
/** Bytes of values in one operation, the expected value included: the largest value, and another to compare. */
export const OPERATION_BYTES_MAX = 2 * VALUE_BYTES_MAX;
export const OPERATION_ID_BYTES = 16;
export const CONTENT_TYPE_BYTES_MAX = 255; // longer than any registered type; a record stores the length in one byte
/** Milliseconds, 15 minutes, for which an operation id is remembered: longer than any client repeats a call. */
export const OPERATION_ID_WINDOW_MS = 15 * 60_000;
/** Milliseconds by which an operation id may be ahead of a node's wall clock: clocks differ by less. */
export const OPERATION_ID_AHEAD_MS_MAX = 60_000;
/** Bytes of remembered operations at which a node starts no more writes with an id: some 3,000 per second. */
export const OPERATION_TABLE_BYTES_MAX = 256 * 1024 * 1024;
/** Remembered operations in one frame to a learner, and checked at a time when old ones are forgotten. */
export const OPERATION_COPY_ENTRIES_MAX = 4_000;
/** Milliseconds between two scans for operations that are old enough to be forgotten. */
export const OPERATION_FORGET_EVERY_MS = 10_000;
/** Redis Cluster's slot count, so that its clients can route. */
export const SLOT_COUNT = 16_384;

export const REPLICA_COUNT_DEFAULT = 3;
export const OWNER_COUNT_MIN_DEFAULT = 2;
/** Size of the largest council: each further voter makes every epoch more expensive. (DESIGN 3) */
export const COUNCIL_COUNT_MAX = 7;

/** Milliseconds. The coarse tick on which deadlines, leases and retries are checked. */
export const TICK_MS = 10;
/** Milliseconds. From `kill -9` to the next acknowledged write stays within 1.5 s. (PROTOCOL R14) */
export const LEASE_MS = 600;
/** Milliseconds. Several heartbeats must fit a lease, so that one lost does not end it. */
export const HEARTBEAT_MS = 100;
/** Milliseconds without a heartbeat after which a peer is suspected. */
export const SUSPECT_AFTER_MS = 500;
/** Milliseconds within which an expected acknowledgement is never slow: longer than a trip between two zones. */
export const SLOW_AFTER_MS_DEFAULT = 50;
/** A member is slow if it answers this many times later than the median of the others, and than the above. */
export const SLOW_FACTOR = 5;
/** Milliseconds for which it must be so: longer than passing pauses, short enough to serve well within 5 s. */
export const SLOW_FOR_MS = 2_000;
/** Least and most milliseconds for which a removed member must be well before it returns; doubles each time. */
export const SLOW_WELL_MS_MIN = 3_000;
export const SLOW_WELL_MS_MAX = 300_000;
/** Milliseconds after which a membership counts as steady and the doubling starts over. */
export const SLOW_STEADY_MS = 60_000;
/** A slow member may be removed while one member is away for each this many members, and otherwise only if none is. */
export const SLOW_OUT_MEMBERS = 16;
/** Fraction by which two monotonic clocks may drift apart. (PROTOCOL R14) */
export const CLOCK_DRIFT_MAX = 0.01;
/** Milliseconds. Wait for other members at a cold start before going on without them. (PROTOCOL R28) */
export const COLD_START_GRACE_MS = 10_000;

/** Milliseconds that a client waits if it names no deadline. */
export const OPERATION_TIMEOUT_MS_DEFAULT = 10_000;
export const OPERATION_TIMEOUT_MS_MAX = 120_000;
/** Client operations admitted at one node and not yet answered; further ones are definitely refused. */
export const OPERATIONS_IN_FLIGHT_MAX = 20_000;
/** Bytes of values admitted at one node and not yet answered. */
export const OPERATION_BYTES_IN_FLIGHT_MAX = 256 * 1024 * 1024;
/** The same for operations forwarded by other nodes: a separate limit, for another node has admitted them. */
export const FORWARDED_IN_FLIGHT_MAX = 40_000;
/** Bytes of OPERATION_BYTES_IN_FLIGHT_MAX that this node's own clients leave for forwarded operations. */
export const FORWARDED_BYTES_RESERVED = 64 * 1024 * 1024;
/** Milliseconds that an operation may spend in queues, beside its own work; longer queues are not tolerated. */
export const OVERLOAD_DELAY_MS_DEFAULT = 500;
/** Milliseconds of the window over which minima are taken; longer when batches are slow. */
export const OVERLOAD_WINDOW_MS = 100;
/** Milliseconds without an answer after which, at the latest, everything counts as standing still. */
export const OVERLOAD_STILL_MS_MAX = 1_000;
/** Milliseconds for which a queue must persist before anything is refused because of it. */
export const OVERLOAD_FOR_MS = 300;
/** Milliseconds without a refusal after which the load counts as fallen. */
export const OVERLOAD_CALM_MS = 500;
/** Share of the allowed queueing time that a limited queue takes up: the node stays busy, and the queue is short. */
export const OVERLOAD_HOLD_SHARE = 0.4;
/** Operations in flight that are always admitted: with fewer, batches become small and throughput falls. */
export const OVERLOAD_IN_FLIGHT_MIN = 256;
/** Milliseconds by which the event loop may repeatedly be late; heartbeats wait as long, a lease is six of them. */
export const LOOP_LATE_MS_MAX = 100;
/** Milliseconds after which a refused client may try again: by then half of the queue is done. */
export const OVERLOADED_RETRY_MS = 250;
/** Operators' commands (leave, plan, loss) in progress at one node. */
export const CLUSTER_ORDERS_MAX = 32;
/** Writes and readers that may wait on one key. */
export const KEY_WAITERS_MAX = 20_000;
/** Milliseconds after which an Invalidate without acknowledgement is sent again. */
export const RESEND_AFTER_MS = 400;
/** Milliseconds without news after which the coordinator of an invalid key is asked about it. */
export const QUERY_AFTER_MS = 500;
/** Milliseconds without a lease after which a read may get an old answer: a change of epoch is over by then. */
export const STALE_AFTER_MS = 250;
/** Milliseconds that such a read waits for another owner: an owner that has just lost its lease answers by then. */
export const STALE_PATIENCE_MS = 2 * STALE_AFTER_MS;
/** Milliseconds added per place in the owners' order before an orphan is replayed, so that one owner starts. */
export const REPLAY_STAGGER_MS = 200;

/** One synced batch of the store: entries and bytes. */
export const STORE_BATCH_ENTRIES_MAX = 4096;
export const STORE_BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** One frame between peers: messages and bytes. */
export const FRAME_MESSAGES_MAX = 1024;
export const FRAME_BYTES_MAX = 2 * 1024 * 1024;
/** Bytes queued for one peer; beyond this the link is cut and its traffic sent again after reconnecting. */
export const PEER_QUEUE_BYTES_MAX = 128 * 1024 * 1024;
/** Bytes of frames kept until this node knows their epoch: what a few turns of all event loops produce. */
export const EARLY_BYTES_MAX = 16 * 1024 * 1024;
/** One statement to PostgreSQL: rows and bytes. */
export const RECORD_BATCH_ROWS_MAX = 1000;
export const RECORD_BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Records of one slot, and their bytes, that a drive compares with PostgreSQL at a time. */
export const DRIVE_PAGE_RECORDS_MAX = 500;
export const DRIVE_PAGE_BYTES_MAX = 1024 * 1024;
/** Slots that a node compares, or sweeps after a loss, at once: clients' statements need connections too. */
export const DRIVE_SLOTS_IN_FLIGHT_MAX = 2;
/** Bytes of records per second that a node compares: clients keep their share of the disk and of PostgreSQL. */
export const DRIVE_BYTES_PER_SECOND_MAX = 16 * 1024 * 1024;
/** Latest keys that a node looks up in PostgreSQL now and then: a server set back has lost the newest first. */
export const RECORD_WITNESS_COUNT = 16;
/** Bytes of a record above which it is not looked up, because the row comes with its value. */
export const RECORD_WITNESS_BYTES_MAX = 64 * 1024;
/** Milliseconds between two such lookups while the connections stand. */
export const RECORD_WITNESS_EVERY_MS = 10_000;
/** Milliseconds without PostgreSQL at all members after which writes complete without it. (PROTOCOL R34) */
export const SPOOL_AFTER_MS = 1_500;
/** Milliseconds for which PostgreSQL must have answered most members before writes wait for it again. */
export const SPOOL_END_AFTER_MS = 1_000;
/** Milliseconds for which a member's report on PostgreSQL stays valid. */
export const SPOOL_WORD_MS_MAX = 1_000;
/** What a node may hold marked for PostgreSQL: bytes of records, and keys. Beyond either, writes are refused. */
export const SPOOL_BYTES_DEFAULT = 1024 * 1024 * 1024;
export const SPOOL_ENTRIES_DEFAULT = 1_000_000;
/** Records handed to the record writer at once while marks are drained: clients' writes share its statements. */
export const SPOOL_DRAIN_ROWS_MAX = 250;
/** Keys asked of PostgreSQL in one statement. */
export const RECORD_READ_KEYS_MAX = 1000;
/** Records and bytes in one frame of a slot copy. */
export const SLOT_COPY_RECORDS_MAX = 500;
export const SLOT_COPY_BYTES_MAX = 1024 * 1024;
/** Records, and bytes of keys and values, on one page of a scan (which may exceed the bytes by one record). */
export const SCAN_PAGE_RECORDS_MAX = 500;
export const SCAN_PAGE_BYTES_MAX = 512 * 1024;
/** Milliseconds (15 minutes) for which a deletion is kept at least: time to look into what was deleted. */
export const TOMBSTONE_KEEP_MS_DEFAULT = 15 * 60_000;
/** Milliseconds between two searches for deletions to forget, and for which one attempt is pursued. */
export const COLLECTION_EVERY_MS = 100;
export const COLLECTION_PATIENCE_MS = 5_000;
/** One such search: slots, store entries read, and deletions forgotten together. */
export const COLLECTION_SLOTS_MAX = 64;
export const COLLECTION_ENTRIES_MAX = 2_000;
export const COLLECTION_DELETIONS_MAX = 1_000;
/** Deletions in one message: even with the longest keys it fits a frame. */
export const FORGET_DELETIONS_MAX = 500;
/**
 * Statement timeouts that must pass, once the floors were raised in PostgreSQL, before rows are removed: by a node's
 * clock; and by PostgreSQL's own. One for the raising statement, one for what began before its end.
 */
export const ROW_WAIT_STATEMENTS = 3;
export const ROW_SETTLED_STATEMENTS = 2;
/** Rows of deletions that wait for that; with as many, no new search is begun. Rows removed by one statement. */
export const ROWS_SETTLING_MAX = 30_000;
export const ROWS_REMOVED_AT_ONCE_MAX = 500;
/** Slots that a learner copies at the same time; and bytes under way until they are on its disk. */
export const SLOT_COPIES_IN_FLIGHT_MAX = 32;
export const SLOT_COPIES_BYTES_MAX = 8 * SLOT_COPY_BYTES_MAX;
/** Bytes of records per second that a learner requests, so that clients keep their share of disks and links. */
export const COPY_BYTES_PER_SECOND_DEFAULT = 16 * 1024 * 1024;
/** Milliseconds after which an absent member is healed around: longer than a machine takes to restart. (DESIGN 3) */
export const HEAL_AFTER_MS_DEFAULT = 600_000;
/** Pages of PostgreSQL's rows searched to count the rows of lost slots; beyond that there are "more". */
export const LOSS_PAGES_COUNTED_MAX = 50;
/** Processes that ask to join and are not members yet; further ones are ignored. */
export const JOINERS_MAX = 64;
/** Lines in the log about peers that are refused, and about frames that do not decode: strangers can cause them. */
export const PEER_LINES_PER_SECOND_MAX = 20;
/** Joins, and leaves, of one plan: it is made in one turn, and no more than that many may ask to join. */
export const PLAN_MEMBERS_MAX = JOINERS_MAX;
/** Bytes to keep free: what a busy node writes, with compactions, until it has left the write path. */
export const DISK_RESERVE_BYTES_DEFAULT = 512 * 1024 * 1024;
/** Fraction of a small disk that the reserve may take. */
export const DISK_RESERVE_SHARE_DEFAULT = 0.1;
/** A node returns with this many times the reserve free: with less it would come and go at each compaction. */
export const DISK_RETURN_FACTOR = 1.5;
/** Milliseconds between two checks of the free space. */
export const DISK_LOOK_MS = 1_000;
/** Milliseconds that a node with too little room waits for its own writes before it leaves without their end. */
export const DISK_RETREAT_MS_MAX = 3_000;
/** Records and bytes per second that a scrubber reads: 1 % of what a store gives, a million records in 17 min. */
export const SCRUB_RECORDS_PER_SECOND_DEFAULT = 1_000;
export const SCRUB_BYTES_PER_SECOND_DEFAULT = 4 * 1024 * 1024;
/** Milliseconds from the end of one round over all slots to the start of the next. */
export const SCRUB_PAUSE_MS_DEFAULT = 3_600_000;
/** Keys in flight from which a node counts as busy and its scrubber waits; and milliseconds that it waits at most. */
export const SCRUB_YIELD_KEYS = 64;
export const SCRUB_YIELD_MS_MAX = 2_000;
/** Slots that are read and compared at a time: a change of epoch restarts the current piece. */
export const SCRUB_RUN_SLOTS = 2_048;
/** A page that a scrubber reads from its own disk; and a page of versions that an owner tells another. */
export const SCRUB_PAGE_RECORDS_MAX = 500;
export const SCRUB_PAGE_BYTES_MAX = 1024 * 1024;
export const SCRUB_TOLD_RECORDS_MAX = 200;
/** Records that a scrubber requests from other owners at a time. */
export const SCRUB_FETCHES_MAX = 8;
/** Repairs by a scrubber that are watched until they complete. */
export const SCRUB_HEALING_MAX = 1_000;
/** Bytes of hot records kept in front of the store. */
export const CACHE_BYTES_DEFAULT = 64 * 1024 * 1024;

/** Bytes of an answer from legacy: JSON may write each byte of a value as six (`\u0001`), and adds a frame. */
export const LEGACY_BODY_BYTES_MAX = 6 * VALUE_BYTES_MAX + 64 * 1024;
/** Callers that may wait for one fetch from legacy. */
export const FLIGHT_WAITERS_MAX = 20_000;
/**
 * Bytes of values read from legacy that are being stored: legacy may be faster than PostgreSQL and the disks. At most
 * this much of each is kept in the several places that a write needs.
 */
export const FILL_BYTES_IN_FLIGHT_MAX = 64 * 1024 * 1024;
/** Milliseconds for which an absence reported by the legacy source is remembered (plus or minus a fifth). */
export const LEGACY_ABSENT_MS = 30_000;
export const LEGACY_ABSENT_COUNT_MAX = 100_000;
/** Milliseconds before a failed fetch of a key is tried again; meanwhile, callers get the failure. */
export const LEGACY_ERROR_BACKOFF_MS = 1_000;

/** Bytes of answers kept for one unreachable peer; beyond that the oldest are dropped. */
export const KEPT_ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of values in the answer to one many-key read: within the 4 MiB that gRPC clients accept by default. */
export const MANY_ANSWER_BYTES_MAX = 2 * 1024 * 1024;
/** Milliseconds (1,000 years): an expiry time must remain a safe integer. */
export const TTL_MS_MAX = 1000 * 365 * 24 * 3600 * 1000;
/** Open spans of one node that wait for something, per kind; beyond that the oldest are ended. */
export const TRACE_OPEN_SPANS_MAX = 1024;
/** Milliseconds after which an open span is ended in any case: no operation lives that long. */
export const TRACE_OPEN_MS_MAX = 150_000;
/** Requests to which the span of a batch, or of a fetch, is linked. */
export const TRACE_LINKS_MAX = 32;
/** Ended spans waiting for the collector, and spans sent at once. */
export const TRACE_QUEUE_SPANS_MAX = 2048;
export const TRACE_EXPORT_SPANS_MAX = 512;
/** Client operations that one node traces within the given number of milliseconds; further ones are served untraced. */
export const TRACE_OPERATIONS_MAX = 200;
export const TRACE_OPERATIONS_MS = 100;
/** Characters of a `tracestate`, as its standard requires. */
export const TRACE_STATE_CHARACTERS_MAX = 512;

/** Milliseconds after which an operation is logged as slow, and how many such lines may be logged per second. */
export const SLOW_LOG_MS_DEFAULT = 500;
export const SLOW_LOG_LINES_DEFAULT = 10;

/** Milliseconds without a tick, or within one store batch, after which a process should be restarted. */
export const HEALTH_TICK_MS_MAX = 10_000;
export const HEALTH_STORE_MS_MAX = 60_000;

/** Milliseconds over which the live view shows rates and quantiles, and between two snapshots of their sources. */
export const RECENT_WINDOW_MS = 5_000;
export const RECENT_COPY_MS = 1_000;

/** Epochs that another life skips above the last one known: more than the lost can have chosen since. */
export const EPOCHS_PASSED_OVER = 1_000_000;

assert(SPOOL_WORD_MS_MAX > 3 * HEARTBEAT_MS, 'a word on PostgreSQL outlives two lost heartbeats');
assert(
  SPOOL_WORD_MS_MAX < SPOOL_AFTER_MS,
  'who fell silent has no say in whether writes do without PostgreSQL',
);
assert(SPOOL_DRAIN_ROWS_MAX < RECORD_BATCH_ROWS_MAX, 'a statement has room beside what is drained');
assert(HEARTBEAT_MS * 3 < LEASE_MS, 'a lease must outlive two lost heartbeats');
assert(SUSPECT_AFTER_MS < LEASE_MS, 'a silent node is suspected before its lease could be renewed twice');
assert(SLOW_FOR_MS > 2 * SUSPECT_AFTER_MS, 'silence is told from slowness before anyone goes for being slow');
assert(SLOW_WELL_MS_MIN > SLOW_FOR_MS, 'who comes back was well for longer than it takes to be found slow');
assert(OVERLOAD_FOR_MS >= 2 * OVERLOAD_WINDOW_MS, 'a queue that stands is seen more than once');
assert(OVERLOADED_RETRY_MS < OVERLOAD_CALM_MS, 'who keeps asking shows that the load has not fallen');
assert(LOOP_LATE_MS_MAX < SUSPECT_AFTER_MS / 2, 'a busy node is not taken for a dead one');
assert(FORWARDED_BYTES_RESERVED < OPERATION_BYTES_IN_FLIGHT_MAX, 'clients have room of their own');
assert(KEY_BYTES_MAX < 2704, 'a key must fit an index row of PostgreSQL');
assert(VALUE_BYTES_MAX + KEY_BYTES_MAX + 4096 < FRAME_BYTES_MAX, 'one record must fit a frame');
assert(
  SCAN_PAGE_BYTES_MAX + SCAN_PAGE_RECORDS_MAX * 384 + VALUE_BYTES_MAX + KEY_BYTES_MAX < FRAME_BYTES_MAX,
  'a page of a scan must fit a frame',
);
assert(FILL_BYTES_IN_FLIGHT_MAX >= VALUE_BYTES_MAX, 'a value of the largest size can be filled');
assert(MODIFY_BYTES_MAX >= VALUE_BYTES_MAX, 'a modification can set, and tell, the largest value');
assert(
  MODIFY_BYTES_MAX + MODIFY_CHANGES_MAX * 1024 + VALUE_BYTES_MAX / 8 < FRAME_BYTES_MAX,
  'a modification, and its answer, must fit a frame',
);
assert(
  OPERATION_BYTES_MAX + MODIFY_CHANGES_MAX * 1024 + KEY_BYTES_MAX < FRAME_BYTES_MAX + VALUE_BYTES_MAX / 2,
  'an operation that is forwarded fits what a link takes, behind half a frame',
);
assert(FORGET_DELETIONS_MAX * (KEY_BYTES_MAX + 16) < FRAME_BYTES_MAX, 'deletions to forget must fit a frame');
assert(
  ROW_SETTLED_STATEMENTS >= 2 && ROW_WAIT_STATEMENTS > ROW_SETTLED_STATEMENTS,
  'no statement lives any more that did not see the floor, and a node does not ask before PostgreSQL grants it',
);
assert(VALUE_BYTES_MAX < RECORD_BATCH_BYTES_MAX, 'one record must fit a statement');
assert(
  DRIVE_PAGE_BYTES_MAX + VALUE_BYTES_MAX < RECORD_BATCH_BYTES_MAX &&
    DRIVE_PAGE_RECORDS_MAX <= RECORD_BATCH_ROWS_MAX,
  'a piece of a slot fits one statement',
);
assert(VALUE_BYTES_MAX < STORE_BATCH_BYTES_MAX, 'one record must fit a store batch');
assert(
  MANY_ANSWER_BYTES_MAX + VALUE_BYTES_MAX < 4 * 1024 * 1024,
  'an answer fits a client with default limits',
);
assert(OPERATION_TIMEOUT_MS_MAX <= TRACE_OPEN_MS_MAX, 'no span is ended while its operation goes on');
assert(FRAME_BYTES_MAX < PEER_QUEUE_BYTES_MAX, 'a frame must fit the queue it waits in');
assert(RECENT_COPY_MS < RECENT_WINDOW_MS, 'a window holds several copies');
