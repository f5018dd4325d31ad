/** Limits of the announcements that members make before they stop; other limits are in `limits.ts`. (stop-book.ts) */
import { assert } from '../../base/assert.ts';

/**
 * Milliseconds for which a permitted stop keeps others from stopping if its member does not go: longer than the
 * receiver of the permission takes to send the signal, and short enough that a change of mind holds nobody up.
 */
export const STOP_RESERVED_MS = 60_000;
/** Milliseconds within which the voters must answer. */
export const STOP_ASK_MS = 1_500;
/**
 * Milliseconds between two announcements of a member that is about to stop, for members that missed the first one or
 * have forgotten it.
 */
export const STOP_SAID_EVERY_MS = 500;
assert(STOP_ASK_MS < STOP_RESERVED_MS / 2, 'what was granted first still stands when the last one grants');
assert(
  STOP_SAID_EVERY_MS < STOP_ASK_MS,
  'who has just come back hears of a stop before it could vote for another',
);
