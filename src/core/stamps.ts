/**
 * Moments of an operation as small integers. Stored in objects that exist anyway they take no memory of their own, as a
 * fractional number would. Stamps wrap around after some hours, so only differences mean anything.
 */

const PER_MS = 64;

/** `now`: monotonic milliseconds. The result is never 0, which stands for a moment that was not taken. */
export function stampOf(now: number): number {
  return (now * PER_MS) | 0 || 1;
}

/** Milliseconds between the two; 0 if either was not taken. */
export function stampedMs(from: number, to: number): number {
  return from === 0 || to === 0 ? 0 : Math.max(0, (to - from) | 0) / PER_MS;
}
