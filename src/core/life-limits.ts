/** Limits of what is noted in PostgreSQL of the lives of the cluster, as those in `limits.ts`. (lives.ts) */
import { assert } from '../base/assert.ts';

/** Milliseconds after which a node asks PostgreSQL anew whether its life of the cluster is the one in force. */
export const LIFE_ASK_EVERY_MS = 2_000;
/** Milliseconds after which the next member that asks notes there that it is up: one row a second, however many ask. */
export const LIFE_SIGN_AFTER_MS = 1_000;
/** Milliseconds, by PostgreSQL's clock, for which what was noted keeps blank disks from founding another life. */
export const LIFE_FRESH_MS = 6_000;
/** Members that are named there: to be found by one of them is enough. */
export const LIVING_TOLD_MAX = 16;
assert(LIFE_SIGN_AFTER_MS < LIFE_ASK_EVERY_MS, 'who is alone notes it each time that it asks');
assert(2 * LIFE_ASK_EVERY_MS < LIFE_FRESH_MS, 'a question that fails leaves what was noted fresh');
