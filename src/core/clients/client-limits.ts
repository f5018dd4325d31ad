/**
 * Limits of what members tell one another on behalf of clients: where their doors are, and which keys clients keep
 * copies of. Other limits are in `limits.ts`.
 */

/** Characters of a door's address: the longest DNS name (253), with or without brackets, and a port. */
export const DOOR_ADDRESS_CHARACTERS_MAX = 264;
/**
 * Milliseconds after its start for which a node waits for the others to announce their doors; links are up long before.
 */
export const DOORS_AWAITED_MS = 2_000;
/** Milliseconds between two notices that any key may have changed, sent while not all changes are heard of. */
export const WATCH_UNSURE_EVERY_MS = 1_000;
/** Milliseconds between two requests to an owner that watches keys for this node. */
export const WATCH_ASK_EVERY_MS = 200;
/**
 * Milliseconds for which an owner's answer stays valid: long enough for several requests, so that a pause on either
 * side does no harm.
 */
export const WATCH_TRUST_MS = 1_000;
/**
 * Keys that a node watches for other nodes, counted once per node. Beyond that the oldest are dropped, and the nodes
 * concerned are told.
 */
export const WATCHED_FOR_PEERS_MAX = 1_000_000;
