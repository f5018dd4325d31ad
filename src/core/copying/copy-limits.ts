/** Limits of copying slots to a learner. */
import { SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from '../limits.ts';

/**
 * Consecutive slots that a learner asks one owner for together, and the bytes of them that the owner reads with one
 * scan.
 */
export const SLOT_RUN_SLOTS_MAX = 8;
export const SLOT_RUN_BYTES_MAX = 2 * SLOT_COPY_BYTES_MAX;
/**
 * Pages that may wait for pages of lower slots, and the milliseconds for which one waits: a late page must not hold up
 * the others.
 */
export const PAGES_WAITING_MAX = SLOT_COPIES_IN_FLIGHT_MAX;
export const PAGE_WAIT_MS_MAX = 100;
/**
 * Minimum and maximum length, in milliseconds, of the window over which client delay is measured, and the operations
 * that must have ended in it.
 */
export const DELAY_WINDOW_MS = 250;
export const DELAY_WINDOW_MS_MAX = 1_000;
export const DELAY_OPERATIONS_MIN = 20;
/**
 * Milliseconds for which the last report of client delay stays valid when no new one comes: when everything is late, so
 * are reports.
 */
export const DELAY_WORD_MS = 3_000;
/** Milliseconds below which an operation counts as quick, however much slower than before it is. */
export const DELAY_USUAL_MS_MIN = 2;
/** How many times as long as usual clients may wait while slots are copied; beyond that copying slows down. */
export const DELAY_FACTOR_MAX = 1.5;
/** Milliseconds between two changes of the copy rate. */
export const GIVE_WAY_EVERY_MS = 250;
/**
 * Bytes per second that are copied however long clients wait, and the milliseconds after which that rate doubles,
 * repeatedly.
 */
export const COPY_BYTES_PER_SECOND_MIN = 64 * 1024;
export const COPY_PATIENCE_MS = 600_000;
/**
 * Slots taken over in one step; a step costs an epoch or two. A write to a slot that somebody learns goes to one member
 * more than it needs to, so all learners share this number, with a minimum for each. Where copies are missing, writes
 * go to no more members than they need: there each learner may learn all slots.
 */
export const MOVE_SLOTS_MAX = 4096;
export const MOVE_SLOTS_EACH_MIN = 256;
/**
 * How many times as long as a plan of what would be copied took to make, no further one is made: a large one takes a
 * turn of some tenths of a second, and a member whose answers are late for half of the time is taken out as slow.
 */
export const PLAN_REST_FACTOR = 9;
