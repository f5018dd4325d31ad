/** Limits of the notes in PostgreSQL about the lives of the cluster; other limits are in `limits.ts`. (lives.ts) */
import { assert } from '../../base/assert.ts';

/** Milliseconds after which a node asks PostgreSQL again whether its life of the cluster is the one in force. */
export const LIFE_ASK_EVERY_MS = 2_000;
/** The same if a server other than the node's own is to be asked, and the node is connected to it at the moment. */
export const LIFE_ASK_CHOSEN_MS = 200;
/**
 * Milliseconds after which the next member that asks notes in PostgreSQL that it is up: one row per second, however
 * many members ask.
 */
export const LIFE_SIGN_AFTER_MS = 1_000;
/**
 * Milliseconds for which a note counts as fresh, by PostgreSQL's clock; and milliseconds, by their own clocks, for
 * which blank nodes must see no new note before they found another life.
 */
export const LIFE_FRESH_MS = 6_000;
/** Milliseconds between two checks beyond which it is unknown whether PostgreSQL was reachable all the time. */
export const LIFE_LOOK_GAP_MS_MAX = 3_000;
/** Milliseconds between two checks by a member where an operator wants to continue beside a later life. */
export const LIFE_LOOK_AGAIN_MS = 1_000;
/**
 * Milliseconds that a process which finds a foreign life in PostgreSQL waits, before it ends, for members that can tell
 * it how that life came from its own.
 */
export const LIFE_FOREIGN_MS = 6_000;
/** Milliseconds after which a process that the living have not admitted says so. */
export const LIFE_OUTSIDE_MS = 15_000;
/** Earlier lives recorded in PostgreSQL as ancestors of the one in force. */
export const LIVES_BEFORE_MAX = 64;
/** Members named in a note: finding one of them is enough. */
export const LIVING_TOLD_MAX = 16;
assert(LIFE_SIGN_AFTER_MS < LIFE_ASK_EVERY_MS, 'who is alone notes it each time that it asks');
assert(2 * LIFE_ASK_EVERY_MS < LIFE_FRESH_MS, 'a question that fails leaves what was noted fresh');
assert(
  LIFE_ASK_EVERY_MS + LIFE_LOOK_GAP_MS_MAX < LIFE_FRESH_MS,
  'who lives asks while blank disks look, wherever between two looks PostgreSQL was away',
);
