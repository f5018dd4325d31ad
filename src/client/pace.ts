/**
 * How late one node answers, beside the others: calls keep away from a node that is up and far slower. It is asked how
 * it is now and then, and has its share again once it has answered well many times in a row; no caller waits for that.
 */

/** Milliseconds up to which no node is slow. */
const SLOW_AFTER_MS = 50;
/** A node is slow that answers so many times later than the median of the others. */
const SLOW_FACTOR = 5;
/** Milliseconds for which it must have been so: one late answer is no reason. */
const SLOW_FOR_MS = 300;
/** Milliseconds between two questions to a slow node. */
const ASK_EVERY_MS = 500;
/** Good answers in a row after which it is used again; twice as many each time that it is slow again soon after. */
const WELL_COUNT_MIN = 8;
const WELL_COUNT_MAX = 128;
const SOON_MS = 60_000;
/** Share of what was known that a new call leaves in the mean. */
const MEAN_KEEPS = 0.75;

/** `now`: monotonic milliseconds, here and below. */
export class Pace {
  #meanMs = 0;
  #lastMs = 0;
  /** One call at a time is measured: since when, null where none is. */
  #measuredSince: number | null = null;
  #slowSince: number | null = null;
  #isAvoided = false;
  /** Answers in a row that were good, of those needed; none of them counts twice. */
  #wellCount = 0;
  #wellNeeded = WELL_COUNT_MIN;
  #isCounted = true;
  #askedAt = -Infinity;
  #usedAgainAt = -Infinity;

  /** A call begins; what it returns is called when it ends. */
  begin(now: number): (now: number) => void {
    if (this.#measuredSince !== null) return ignore;
    this.#measuredSince = now;
    return (endedAt) => {
      this.#measuredSince = null;
      this.#lastMs = endedAt - now;
      this.#meanMs = this.#meanMs * MEAN_KEEPS + this.#lastMs * (1 - MEAN_KEEPS);
      this.#isCounted = false;
    };
  }

  lateMs(now: number): number {
    return this.#measuredSince === null ? this.#meanMs : Math.max(this.#meanMs, now - this.#measuredSince);
  }

  /** Need the others be looked at, to tell whether it is to be avoided? Mostly not. */
  isInDoubt(now: number): boolean {
    return this.#isAvoided || this.#slowSince !== null || this.lateMs(now) > SLOW_AFTER_MS;
  }

  /** Is it slow beside these, or not yet well again for long enough? */
  isAvoided(others: readonly Pace[], now: number): boolean {
    if (others.length === 0) return false;
    const usual = others.map((each) => each.lateMs(now)).sort((a, b) => a - b);
    const limitMs = Math.max(SLOW_AFTER_MS, usual[usual.length >> 1]! * SLOW_FACTOR);
    if (!this.#isAvoided) {
      if (this.lateMs(now) <= limitMs) this.#slowSince = null;
      else if (now - (this.#slowSince ??= now) >= SLOW_FOR_MS) this.#avoid(now);
    } else if (!this.#isCounted) {
      this.#isCounted = true;
      this.#wellCount = this.#lastMs > limitMs ? 0 : this.#wellCount + 1;
      if (this.#wellCount >= this.#wellNeeded) this.#useAgain(now);
    }
    return this.#isAvoided;
  }

  /** Is it time to ask it how it is? Not while a call to it is open and measured anyway. */
  shouldAsk(now: number): boolean {
    if (this.#measuredSince !== null || now - this.#askedAt < ASK_EVERY_MS) return false;
    this.#askedAt = now;
    return true;
  }

  #avoid(now: number): void {
    const isSoon = now - this.#usedAgainAt < SOON_MS;
    this.#wellNeeded = isSoon ? Math.min(this.#wellNeeded * 2, WELL_COUNT_MAX) : WELL_COUNT_MIN;
    this.#isAvoided = true;
    this.#slowSince = null;
    this.#wellCount = 0;
    this.#isCounted = true;
  }

  #useAgain(now: number): void {
    this.#isAvoided = false;
    this.#usedAgainAt = now;
    this.#meanMs = this.#lastMs;
  }
}

function ignore(): void {
  // This call is not the one that is measured.
}
