/**
 * Limits of HTTP traffic, at the HTTP door and towards the legacy API, and of the live page that the door serves; with
 * the relations that must hold between them (asserted at the bottom). Other limits are in `limits.ts`.
 */
import { assert } from '../../base/assert.ts';
import {
  KEY_BYTES_MAX,
  LOOP_LATE_MS_MAX,
  OPERATION_TIMEOUT_MS_MAX,
  SCAN_PAGE_RECORDS_MAX,
  VALUE_BYTES_MAX,
} from '../limits.ts';

/** Connections to the HTTP door: probes, people, and clients that speak HTTP. */
export const HTTP_CONNECTIONS_MAX = 512;
/**
 * Connections beyond HTTP_CONNECTIONS_MAX: each may ask for one probe, for which it has so many milliseconds. Some
 * probes a second come, and many clients that are refused in between.
 */
export const HTTP_CONNECTIONS_BEYOND_MAX = 128;
export const HTTP_BEYOND_MS_MAX = 1_000;
/** Requests of one connection started and not answered, or whose answer was not taken: a client waits for each. */
export const HTTP_CONNECTION_REQUESTS_MAX = 16;
/** Milliseconds after which an inactive connection is closed: longer than any operation is waited for. */
export const HTTP_STILL_MS_MAX = 150_000;
/** Bytes of requests being read, and of answers not taken, over all connections of the HTTP door. */
export const HTTP_BODY_BYTES_TOTAL_MAX = 64 * 1024 * 1024;
export const HTTP_ANSWER_BYTES_TOTAL_MAX = 64 * 1024 * 1024;
/** Operations in one HTTP batch, and bytes of its JSON: the largest value in Base64, and its key. */
export const HTTP_BATCH_OPERATIONS_MAX = 1000;
export const HTTP_BATCH_BYTES_MAX = 2 * 1024 * 1024;
/** Records on one page of an HTTP listing. */
export const HTTP_LIST_RECORDS_MAX = 500;
/** Pages searched for one page of keys with a prefix: keys are not ordered across slots. */
export const HTTP_LIST_PAGES_MAX = 20;
/** Listings in progress at one node. */
export const HTTP_LISTINGS_MAX = 8;
/**
 * Milliseconds per turn of the event loop for which the HTTP door begins requests, from whichever client; and how many
 * of those that were left over are begun in one turn at most.
 */
export const HTTP_TURN_MS = 5;
export const HTTP_TURN_REQUESTS_MAX = 64;
/** The same while connections arrive: libuv (from 1.45 on) takes one in a turn, and the next stands in line meanwhile. */
export const HTTP_ARRIVAL_TURN_MS = 1;
/**
 * Connections that are read again in one turn after reading was stopped, because it had taken its time; one while it
 * still does. Each may bring 64 KiB of requests at once. And new connections that are read in any case: one comes in a
 * turn (libuv from 1.45 on), and sends its request a turn or two later.
 */
export const HTTP_READ_AGAIN_MAX = 8;
export const HTTP_NEW_CONNECTIONS_MAX = 8;
/**
 * Requests that a connection may send after one of them was refused, before it is cut: as many as Node reads at once, or
 * fewer.
 */
export const HTTP_REQUESTS_IGNORED_MAX = 1_000;
/** How often a second the text of /metrics is made, each time in some 3 ms of a core. */
export const HTTP_SCRAPES_PER_SECOND_MAX = 10;

/** Browser pages that one node keeps informed about the cluster at the same time. */
export const LIVE_LISTENERS_MAX = 16;
/** Milliseconds between two looks at the cluster for these pages; and milliseconds that a member has to answer one. */
export const LIVE_EVERY_MS = 1_000;
export const LIVE_ANSWER_MS_MAX = 700;
/** Members that one look asks and reports on: the result is read by people, once a second. */
export const LIVE_MEMBERS_MAX = 128;
/** Looks, and their bytes, kept for a page that was away or is opened again: three minutes. */
export const LIVE_KEPT_MAX = 180;
export const LIVE_KEPT_BYTES_MAX = 1024 * 1024;
/** Bytes that may be queued for one page: everything kept, and what is added while the page takes that. */
export const LIVE_UNREAD_BYTES_MAX = 2 * LIVE_KEPT_BYTES_MAX;

/**
 * How often a write whose condition names several versions is tried when other writes overtake it, before it is given
 * up.
 */
export const CONDITION_ROUNDS_MAX = 16;
/**
 * Bytes of a secret that a setting refers to: as many as servers accept in headers, and fewer than a file named by
 * mistake is likely to have.
 */
export const SECRET_BYTES_MAX = 16 * 1024;

assert(HTTP_ARRIVAL_TURN_MS < HTTP_TURN_MS, 'connections are taken faster while they arrive');
assert(HTTP_TURN_MS < LOOP_LATE_MS_MAX / 2, 'the HTTP door alone makes no event loop late');
assert(LIVE_ANSWER_MS_MAX < LIVE_EVERY_MS, 'a look at the cluster has ended before the next one begins');
assert(LIVE_LISTENERS_MAX < HTTP_CONNECTIONS_MAX / 2, 'pages leave room for probes');
assert(
  HTTP_STILL_MS_MAX > OPERATION_TIMEOUT_MS_MAX,
  'an answer that is waited for still finds its connection',
);
assert(VALUE_BYTES_MAX * 1.4 + 8 * KEY_BYTES_MAX < HTTP_BATCH_BYTES_MAX, 'a batch carries the largest value');
assert(HTTP_LIST_RECORDS_MAX <= SCAN_PAGE_RECORDS_MAX, 'a listing is no longer than a page of a scan');
