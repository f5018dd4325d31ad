/**
 * Moments of an operation as small integers: kept in the objects that it has anyway, they cost no memory of their own,
 * which a fraction of a millisecond would. They come round after some hours; only differences mean anything.
 */

const PER_MS = 64;

/** `now`: monotonic milliseconds. Never 0, which stands for a moment that was not taken. */
export function stampOf(now: number): number {
  return (now * PER_MS) | 0 || 1;
}

/** Milliseconds between the two; 0 where either was not taken. */
export function stampedMs(from: number, to: number): number {
  return from === 0 || to === 0 ? 0 : Math.max(0, (to - from) | 0) / PER_MS;
}
