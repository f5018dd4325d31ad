/** Limits of what is noted in PostgreSQL of the lives of the cluster, as those in `limits.ts`. (lives.ts) */
import { assert } from '../base/assert.ts';

/** Milliseconds after which a node asks PostgreSQL anew whether its life of the cluster is the one in force. */
export const LIFE_ASK_EVERY_MS = 2_000;
/** The same where another server than its own is to be asked, and is connected to at this moment. */
export const LIFE_ASK_CHOSEN_MS = 200;
/** Milliseconds after which the next member that asks notes there that it is up: one row a second, however many ask. */
export const LIFE_SIGN_AFTER_MS = 1_000;
/**
 * Milliseconds, by PostgreSQL's clock, for which what was noted counts as new; and, by their own, for which blank disks have seen
 * that nothing was noted anew before they found another life.
 */
export const LIFE_FRESH_MS = 6_000;
/** Milliseconds between two looks beyond which it is not known that PostgreSQL could be reached all the while. */
export const LIFE_LOOK_GAP_MS_MAX = 3_000;
/** Milliseconds between two looks of a member at which an operator would go on beside a later life. */
export const LIFE_LOOK_AGAIN_MS = 1_000;
/** Milliseconds for which members may tell who finds a foreign life in PostgreSQL how it came of his, before his process ends. */
export const LIFE_FOREIGN_MS = 6_000;
/** Milliseconds after which somebody whom the living have not let in says so. */
export const LIFE_OUTSIDE_MS = 15_000;
/** Lives of which PostgreSQL keeps that the one in force came of them. */
export const LIVES_BEFORE_MAX = 64;
/** Members that are named there: to be found by one of them is enough. */
export const LIVING_TOLD_MAX = 16;
assert(LIFE_SIGN_AFTER_MS < LIFE_ASK_EVERY_MS, 'who is alone notes it each time that it asks');
assert(2 * LIFE_ASK_EVERY_MS < LIFE_FRESH_MS, 'a question that fails leaves what was noted fresh');
assert(
  LIFE_ASK_EVERY_MS + LIFE_LOOK_GAP_MS_MAX < LIFE_FRESH_MS,
  'who lives asks while blank disks look, wherever between two looks PostgreSQL was away',
);
