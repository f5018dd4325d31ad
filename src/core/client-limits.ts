/**
 * Every limit, by name, of what members tell one another for the sake of clients: where their doors are, and which keys
 * clients keep copies of. `limits.ts` has those of the rest of the system.
 */

/** Characters of a door's address: the longest name of the network (253), in brackets or not, and a port. */
export const DOOR_ADDRESS_CHARACTERS_MAX = 264;
/** Milliseconds after its start for which a node waits for the others to say where their doors are: links are up long before. */
export const DOORS_AWAITED_MS = 2_000;
