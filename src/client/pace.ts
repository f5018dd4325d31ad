/**
 * How late one node answers, beside the others: calls keep away from a node that is up and far slower, and try it now
 * and then, so that it has its share again once it is well.
 */

/** Milliseconds up to which no node is slow. */
const SLOW_AFTER_MS = 50;
/** A node is slow that answers so many times later than the median of the others. */
const SLOW_FACTOR = 5;
/** Milliseconds between two calls that try a slow node. */
const TRY_EVERY_MS = 1_000;
/** Share of what was known that a new call leaves in the mean. */
const MEAN_KEEPS = 0.75;

/** `now`: monotonic milliseconds, here and below. */
export class Pace {
  #meanMs = 0;
  /** One call at a time is measured: since when, null where none is. */
  #measuredSince: number | null = null;
  #triedAt = -Infinity;

  /** A call begins; what it returns is called when it ends. */
  begin(now: number): (now: number) => void {
    if (this.#measuredSince !== null) return ignore;
    this.#measuredSince = now;
    return (endedAt) => {
      this.#measuredSince = null;
      this.#meanMs = this.#meanMs * MEAN_KEEPS + (endedAt - now) * (1 - MEAN_KEEPS);
    };
  }

  lateMs(now: number): number {
    return this.#measuredSince === null ? this.#meanMs : Math.max(this.#meanMs, now - this.#measuredSince);
  }

  isLate(now: number): boolean {
    return this.lateMs(now) > SLOW_AFTER_MS;
  }

  /** Is it slow beside these, and not to be tried now? */
  isAvoided(others: readonly Pace[], now: number): boolean {
    const lateMs = this.lateMs(now);
    if (!this.isLate(now) || others.length === 0) return false;
    const usual = others.map((each) => each.lateMs(now)).sort((a, b) => a - b);
    if (lateMs <= usual[usual.length >> 1]! * SLOW_FACTOR) return false;
    if (now - this.#triedAt < TRY_EVERY_MS) return true;
    this.#triedAt = now;
    return false;
  }
}

function ignore(): void {
  // This call is not the one that is measured.
}
