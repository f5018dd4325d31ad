/**
 * Every limit, by name, of what members tell one another for the sake of clients: where their doors are, and which keys
 * clients keep copies of. `limits.ts` has those of the rest of the system.
 */

/** Characters of a door's address: the longest name of the network (253), in brackets or not, and a port. */
export const DOOR_ADDRESS_CHARACTERS_MAX = 264;
/** Milliseconds after its start for which a node waits for the others to say where their doors are: links are up long before. */
export const DOORS_AWAITED_MS = 2_000;
/** Milliseconds between two words that any key may have changed, while not all changes are heard. */
export const WATCH_UNSURE_EVERY_MS = 1_000;
/** Milliseconds between two questions to an owner that watches keys for this node. */
export const WATCH_ASK_EVERY_MS = 200;
/** Milliseconds for which an owner's answer counts: several questions fit, so that a pause of either side is no loss. */
export const WATCH_TRUST_MS = 1_000;
/** Keys that a node watches for others, each once for each of them; beyond it those that have stood there longest go, and that is told. */
export const WATCHED_FOR_PEERS_MAX = 1_000_000;
