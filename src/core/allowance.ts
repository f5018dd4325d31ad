/**
 * So much a second of anything: an allowance that fills with time and is spent by what was done, so that work in the
 * background leaves the rest to others.
 */

/** Milliseconds of allowance that may gather: a pause is not made up for by a burst. */
const BURST_MS = 200;

export class Allowance {
  private perSecondMax: number;
  private left: number;
  private filledAt: number;

  /** 0: without limit. */
  constructor(perSecondMax: number, now: number) {
    this.perSecondMax = perSecondMax;
    this.left = this.burst;
    this.filledAt = now;
  }

  /** From now on: what has gathered stays, up to what may gather. */
  setRate(perSecondMax: number, now: number): void {
    this.has(now);
    this.perSecondMax = perSecondMax;
    this.left = Math.min(this.left, this.burst);
  }

  /** May more be done now? What it comes to is known afterwards only, and is spent then. */
  has(now: number): boolean {
    if (this.perSecondMax === 0) return true;
    const filled = this.left + (this.perSecondMax * (now - this.filledAt)) / 1_000;
    this.left = Math.min(filled, this.burst);
    this.filledAt = now;
    return this.left > 0;
  }

  /** Milliseconds until more may be done, if nothing is spent meanwhile; 0: now. */
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
