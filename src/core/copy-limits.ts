/** Limits of slots that are copied together. */
import { SLOT_COPY_BYTES_MAX } from './limits.ts';

/** Slots beside each other that a learner asks of one owner, and bytes that it reads of them with one scan. */
export const SLOT_RUN_SLOTS_MAX = 8;
export const SLOT_RUN_BYTES_MAX = 2 * SLOT_COPY_BYTES_MAX;
