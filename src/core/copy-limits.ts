/** Limits of slots that are copied together. */
import { SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from './limits.ts';

/** Slots beside each other that a learner asks of one owner, and bytes that it reads of them with one scan. */
export const SLOT_RUN_SLOTS_MAX = 8;
export const SLOT_RUN_BYTES_MAX = 2 * SLOT_COPY_BYTES_MAX;
/** Pages that wait for those of lower slots, and milliseconds for which one does: who is late does not hold up the others. */
export const PAGES_WAITING_MAX = SLOT_COPIES_IN_FLIGHT_MAX;
export const PAGE_WAIT_MS_MAX = 100;
/** Milliseconds over which it is seen how long clients wait, at least and at most; and operations that must have ended. */
export const DELAY_WINDOW_MS = 250;
export const DELAY_WINDOW_MS_MAX = 1_000;
export const DELAY_OPERATIONS_MIN = 20;
/** Milliseconds for which the last word on how long clients wait holds where none comes: words are late where all is late. */
export const DELAY_WORD_MS = 3_000;
/** Milliseconds below which an operation is quick, however much longer it takes than before. */
export const DELAY_USUAL_MS_MIN = 2;
/** Times as long as usual that clients may wait while slots are copied; above it the copying slows down. */
export const DELAY_FACTOR_MAX = 1.5;
/** Milliseconds between two changes of how fast is copied. */
export const GIVE_WAY_EVERY_MS = 250;
/** Bytes a second that are copied however long clients wait; milliseconds after which it is twice as many, again and again. */
export const COPY_BYTES_PER_SECOND_MIN = 64 * 1024;
export const COPY_PATIENCE_MS = 600_000;
/**
 * Slots that are taken over in one step: a step costs an epoch or two. A write of a slot that somebody learns goes to one
 * member more than it needs, so all who learn share them, and each gets so many at least. Where copies are missing writes
 * go to no more than they need: there each may learn all of them.
 */
export const MOVE_SLOTS_MAX = 4096;
export const MOVE_SLOTS_EACH_MIN = 256;
