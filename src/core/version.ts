/**
 * Versions order the writes of one key. A version is one safe integer, `counter * 4096 + nodeId`
 * (41 + 12 bits): compared as a number it is the lexicographic order (counter, node id), and the same
 * number stands in memory, on disk, on the wire and in PostgreSQL (BIGINT). No clock takes part.
 * (PROTOCOL R8)
 */

export const NODE_ID_COUNT = 4096;
/** Node id 0 is reserved for changes that come from outside (adopted tables, rows changed by SQL). */
export const NODE_ID_OUTSIDE = 0;
export const VERSION_MAX = Number.MAX_SAFE_INTEGER;
/** "This node holds nothing for the key": lower than every real version. */
export const VERSION_NONE = 0;
/** A counter this far above the highest of its slot is a fault, not progress. (PROTOCOL R8) */
export const COUNTER_JUMP_MAX = 2 ** 32;
/**
 * Counters that a node puts by on its disk ahead of its writes: so many, at most, are passed over by a restart. Few, for a
 * member that comes blank takes what lies too far above all it has seen for a fault; and enough for seconds of one hot key.
 */
export const COUNTERS_PUT_BY = 2 ** 14;

export function makeVersion(counter: number, nodeId: number): number {
  return counter * NODE_ID_COUNT + nodeId;
}

export function counterOf(version: number): number {
  return Math.floor(version / NODE_ID_COUNT);
}

export function nodeIdOf(version: number): number {
  return version % NODE_ID_COUNT;
}

export function isVersion(version: number): boolean {
  return Number.isSafeInteger(version) && version >= 0;
}
