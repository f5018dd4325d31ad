/**
 * A rate limit as a token bucket: the allowance fills with time and is spent by what was done, so that background work
 * leaves capacity to everything else.
 */

/** Milliseconds of allowance that may accumulate, so that a pause is not made up for by a burst. */
const BURST_MS = 200;

export class Allowance {
  private perSecondMax: number;
  private left: number;
  private filledAt: number;

  /** A rate of 0 means no limit. */
  constructor(perSecondMax: number, now: number) {
    this.perSecondMax = perSecondMax;
    this.left = this.burst;
    this.filledAt = now;
  }

  /** Changes the rate. What has accumulated stays, up to the new maximum. */
  setRate(perSecondMax: number, now: number): void {
    this.has(now);
    this.perSecondMax = perSecondMax;
    this.left = Math.min(this.left, this.burst);
  }

  /** True if more may be done now. Its cost is known only afterwards, and is spent then. */
  has(now: number): boolean {
    if (this.perSecondMax === 0) return true;
    const filled = this.left + (this.perSecondMax * (now - this.filledAt)) / 1_000;
    this.left = Math.min(filled, this.burst);
    this.filledAt = now;
    return this.left > 0;
  }

  /** Milliseconds until more may be done if nothing is spent meanwhile; 0 if it may be done now. */
  waitMs(now: number): number {
    return this.has(now) ? 0 : 1 + Math.ceil((-this.left * 1_000) / this.perSecondMax);
  }

  spend(amount: number): void {
    this.left -= amount;
  }

  private get burst(): number {
    return (this.perSecondMax * BURST_MS) / 1_000;
  }
}
