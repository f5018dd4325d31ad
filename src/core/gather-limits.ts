/** Limits of batches that wait for more to come along, as those in `limits.ts`. (departure.ts) */
import { assert } from '../base/assert.ts';

/** Milliseconds that a batch may wait for more to come along: a third of what one sync of a disk takes under load. */
export const GATHER_MS = 1;
/** Milliseconds that a Validate may wait for a frame to ride in: no answer to a client waits for one, readers of its key do. */
export const VALIDATE_MS = 2;
/** Items of the batch before from which the next one waits: below it a wait would cost more time than it saves work. */
export const GATHER_ITEMS_MIN = 8;
/**
 * The same for a batch of the store where so many came before that processors are what is short, and not time: who is asked
 * answers after ten milliseconds and more, and each batch left out is a sync, two frames and their turns of event loops less.
 */
export const GATHER_MANY_MS = 3;
export const GATHER_MANY_ITEMS_MIN = 48;
assert(
  GATHER_MANY_MS > GATHER_MS && GATHER_MANY_ITEMS_MIN > GATHER_ITEMS_MIN,
  'who has more to do waits longer',
);
