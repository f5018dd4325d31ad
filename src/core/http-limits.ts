/** Limits of HTTP traffic, at the HTTP door and towards the legacy API. Other limits are in `limits.ts`. */
import { assert } from '../base/assert.ts';
import { LOOP_LATE_MS_MAX } from './limits.ts';

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
/**
 * Milliseconds per turn of the event loop for which the HTTP door begins requests, from whichever client; and how many
 * of those that were left over are begun in one turn at most.
 */
export const HTTP_TURN_MS = 5;
export const HTTP_TURN_REQUESTS_MAX = 64;
/** The same while connections arrive: libuv (from 1.45 on) takes one in a turn, and the next stands in line meanwhile. */
export const HTTP_ARRIVAL_TURN_MS = 1;
/**
 * Requests that a connection may send after one of them was refused, before it is cut: as many as Node reads at once, or
 * fewer.
 */
export const HTTP_REQUESTS_IGNORED_MAX = 1_000;
/**
 * Connections beyond HTTP_CONNECTIONS_MAX: each may ask for one probe, for which it has so many milliseconds. Some
 * probes a second come, and many clients that are refused in between.
 */
export const HTTP_CONNECTIONS_BEYOND_MAX = 128;
export const HTTP_BEYOND_MS_MAX = 1_000;
/** How often a second the text of /metrics is made, each time in some 3 ms of a core. */
export const HTTP_SCRAPES_PER_SECOND_MAX = 10;

assert(HTTP_ARRIVAL_TURN_MS < HTTP_TURN_MS, 'connections are taken faster while they arrive');
assert(HTTP_TURN_MS < LOOP_LATE_MS_MAX / 2, 'the HTTP door alone makes no event loop late');
