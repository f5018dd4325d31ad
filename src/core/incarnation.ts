/**
 * Numbers of process starts. Each start takes a number of its own, higher than any before it on the same
 * disk: the count of starts, and beside it a few random digits. The digits tell apart the start that a
 * cluster remembers from the start of a disk that was restored from a copy and counts its way up again.
 * (PROTOCOL R8, R11)
 */

/** Random digits below the count: a restored or emptied disk repeats a number once in so many times. */
const DRAWS = 2 ** 30;

/** `draw` is uniform in [0, 1). */
export function nextIncarnation(last: number, draw: number): number {
  return (startsOf(last) + 1) * DRAWS + Math.floor(draw * DRAWS);
}

export function startsOf(incarnation: number): number {
  return Math.floor(incarnation / DRAWS);
}
