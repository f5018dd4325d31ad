/** Limits of slots that are copied together. */
import { SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from './limits.ts';

/** Slots beside each other that a learner asks of one owner, and bytes that it reads of them with one scan. */
export const SLOT_RUN_SLOTS_MAX = 8;
export const SLOT_RUN_BYTES_MAX = 2 * SLOT_COPY_BYTES_MAX;
/** Pages that wait for those of lower slots, and milliseconds for which one does: who is late does not hold up the others. */
export const PAGES_WAITING_MAX = SLOT_COPIES_IN_FLIGHT_MAX;
export const PAGE_WAIT_MS_MAX = 100;
