/**
 * How late one node answers, beside the others: calls keep away from a node that is up and far slower. It is asked how
 * it is now and then, so that it has its share again once it is well; no caller waits for that.
 */

/** Milliseconds up to which no node is slow. */
const SLOW_AFTER_MS = 50;
/** A node is slow that answers so many times later than the median of the others. */
const SLOW_FACTOR = 5;
/** Milliseconds between two questions to a slow node. */
const ASK_EVERY_MS = 500;
/** Share of what was known that a new call leaves in the mean: less where it was faster, so that who is well is used. */
const MEAN_KEEPS_SLOWER = 0.75;
const MEAN_KEEPS_FASTER = 0.5;

/** `now`: monotonic milliseconds, here and below. */
export class Pace {
  #meanMs = 0;
  /** One call at a time is measured: since when, null where none is. */
  #measuredSince: number | null = null;
  #askedAt = -Infinity;

  /** A call begins; what it returns is called when it ends. */
  begin(now: number): (now: number) => void {
    if (this.#measuredSince !== null) return ignore;
    this.#measuredSince = now;
    return (endedAt) => {
      this.#measuredSince = null;
      const ms = endedAt - now;
      const keeps = ms < this.#meanMs ? MEAN_KEEPS_FASTER : MEAN_KEEPS_SLOWER;
      this.#meanMs = this.#meanMs * keeps + ms * (1 - keeps);
    };
  }

  lateMs(now: number): number {
    return this.#measuredSince === null ? this.#meanMs : Math.max(this.#meanMs, now - this.#measuredSince);
  }

  isLate(now: number): boolean {
    return this.lateMs(now) > SLOW_AFTER_MS;
  }

  /** Is it slow beside these? */
  isSlow(others: readonly Pace[], now: number): boolean {
    const lateMs = this.lateMs(now);
    if (!this.isLate(now) || others.length === 0) return false;
    const usual = others.map((each) => each.lateMs(now)).sort((a, b) => a - b);
    return lateMs > usual[usual.length >> 1]! * SLOW_FACTOR;
  }

  /** Is it time to ask it how it is? Not while a call to it is open and measured anyway. */
  shouldAsk(now: number): boolean {
    if (this.#measuredSince !== null || now - this.#askedAt < ASK_EVERY_MS) return false;
    this.#askedAt = now;
    return true;
  }
}

function ignore(): void {
  // This call is not the one that is measured.
}
