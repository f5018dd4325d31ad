/** Limits of batches that wait for more items, stated as in `limits.ts`. (departure.ts) */
import { assert } from '../base/assert.ts';

/** Milliseconds that a batch may wait for more items: a third of what one sync of a disk takes under load. */
export const GATHER_MS = 1;
/**
 * Milliseconds that a Validate may wait for a frame to ride in: no client's answer waits for a Validate, but readers
 * of its key do.
 */
export const VALIDATE_MS = 2;
/**
 * A batch waits only if the batch before had at least this many items. With fewer, waiting would cost more time than
 * it saves work.
 */
export const GATHER_ITEMS_MIN = 8;
/**
 * The same for a batch of the store where so many records came before that processors are short, and not time:
 * answers then take ten milliseconds and more anyway, and each batch less saves a sync, two frames and their turns of
 * event loops.
 */
export const GATHER_MANY_MS = 3;
export const GATHER_MANY_ITEMS_MIN = 48;
assert(
  GATHER_MANY_MS > GATHER_MS && GATHER_MANY_ITEMS_MIN > GATHER_ITEMS_MIN,
  'who has more to do waits longer',
);
