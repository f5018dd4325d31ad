/**
 * Numbers of process starts. Each start takes a number higher than any before it on the same disk: the count of starts
 * followed by a few random digits. The random digits distinguish the start that a cluster remembers from a start on a
 * disk that was restored from a copy and counts up again. (PROTOCOL R8, R11)
 */

/** Range of the random part: the odds that a restored or emptied disk repeats a number are one in this many. */
const DRAWS = 2 ** 30;

/** `draw` is uniform in [0, 1). */
export function nextIncarnation(last: number, draw: number): number {
  return (startsOf(last) + 1) * DRAWS + Math.floor(draw * DRAWS);
}

export function startsOf(incarnation: number): number {
  return Math.floor(incarnation / DRAWS);
}
