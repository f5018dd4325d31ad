/**
 * Versions order the writes to one key. A version is one safe integer, `counter * 4096 + nodeId` (41 + 12 bits):
 * comparing versions as numbers gives the lexicographic order of (counter, node id), and the same number is used in
 * memory, on disk, on the wire and in PostgreSQL (BIGINT). No clock takes part. (PROTOCOL R8)
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
 * Counters that a node reserves on its disk ahead of its writes; a restart skips at most this many. Few, because a
 * member that comes back blank takes a counter too far above all it has seen for a fault; but enough for seconds of
 * writes to one hot key.
 */
export const COUNTERS_RESERVED_AHEAD = 2 ** 14;

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
