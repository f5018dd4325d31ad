/**
 * Measures how slowly one node answers compared with the others, so that calls avoid a node that is up but far slower.
 * A slow node is probed now and then, and gets its share of calls back after many good answers in a row. No caller
 * waits for a probe.
 */

/** A node that answers within this many milliseconds is never slow. */
const SLOW_AFTER_MS = 50;
/** A node is slow if its answers take this many times the median of the others. */
const SLOW_FACTOR = 5;
/** How long (ms) a node must have been slow before it is avoided; a single late answer is not enough. */
const SLOW_FOR_MS = 300;
/** Milliseconds between two probes of a slow node. */
const ASK_EVERY_MS = 500;
/** How many good answers in a row end the avoidance; doubled each time the node is slow again soon afterwards. */
const WELL_COUNT_MIN = 8;
const WELL_COUNT_MAX = 128;
const SOON_MS = 60_000;
/** Weight of the old mean when a new measurement is added. */
const MEAN_KEEPS = 0.75;

/** `now` is monotonic milliseconds in all methods. */
export class Pace {
  #meanMs = 0;
  #lastMs = 0;
  /** When the call that is being measured began; null if none is. Only one call at a time is measured. */
  #measuredSince: number | null = null;
  #slowSince: number | null = null;
  #isAvoided = false;
  /** How many good answers in a row there were. Each answer counts only once. */
  #wellCount = 0;
  #wellNeeded = WELL_COUNT_MIN;
  #isCounted = true;
  #askedAt = -Infinity;
  #usedAgainAt = -Infinity;

  /** Notes that a call begins; the caller calls the returned function when it ends. */
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

  /** Whether `isAvoided` has to compare this node with the others at all; mostly not. */
  isInDoubt(now: number): boolean {
    return this.#isAvoided || this.#slowSince !== null || this.lateMs(now) > SLOW_AFTER_MS;
  }

  /** Whether this node is slow compared with the others, or has not been well for long enough yet. */
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

  /** Whether it is time for a probe. None is needed while a call to the node is being measured anyway. */
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
  // Another call is already being measured.
}
