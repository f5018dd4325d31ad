/**
 * How much longer clients wait for one kind of operation while slots are copied than they did before. Copying slows
 * down by this measure. The mean is derived from the number of operations in flight and of those ended (Little's law),
 * so that no operation has to be timed for it; the baseline is what was seen while nobody copied. (DESIGN 3)
 */
import {
  DELAY_FACTOR_MAX,
  DELAY_OPERATIONS_MIN,
  DELAY_USUAL_MS_MIN,
  DELAY_WINDOW_MS,
  DELAY_WINDOW_MS_MAX,
} from './copy-limits.ts';

/** The weight that the baseline keeps when a new window is added: it covers about ten seconds. */
const USUAL_KEEPS = 0.95;

export interface DelaySight {
  /** Monotonic ms. */
  readonly now: number;
  readonly inFlight: number;
  /** Operations that have ended since the start. */
  readonly ended: number;
  /** Some node is copying slots. */
  readonly isCopying: boolean;
}

export class ClientDelay {
  /** How many times as long as usual clients wait; 0 if nobody copies, or there are too few operations to tell. */
  factor = 0;
  private usualMs: number | null = null;
  private lookedAt: number | null = null;
  private windowSince = 0;
  private endedBefore = 0;
  /** The sum over operations of the milliseconds in which they were in flight. */
  private area = 0;
  private wasCopying = false;

  look({ now, inFlight, ended, isCopying }: DelaySight): void {
    const sinceMs = this.lookedAt === null ? Infinity : now - this.lookedAt;
    this.lookedAt = now;
    // If this process did not run for that long, it does not know what happened meanwhile.
    if (sinceMs > DELAY_WINDOW_MS_MAX) this.begin(now, ended);
    else this.area += inFlight * sinceMs;
    // A window never mixes copying and not copying, so that the baseline contains no effect of copying.
    if (isCopying !== this.wasCopying) {
      this.wasCopying = isCopying;
      this.factor = 0;
      return this.begin(now, ended);
    }
    const ms = now - this.windowSince;
    const count = ended - this.endedBefore;
    if (ms < DELAY_WINDOW_MS || (count < DELAY_OPERATIONS_MIN && ms < DELAY_WINDOW_MS_MAX)) return;
    this.judge(count, inFlight, isCopying);
    this.begin(now, ended);
  }

  private judge(count: number, inFlight: number, isCopying: boolean): void {
    const isFew = count < DELAY_OPERATIONS_MIN;
    // If too few operations have ended, this is a lower bound: it is computed as if as many had ended as a measurement
    // needs.
    const meanMs = Math.max(this.area / Math.max(count, DELAY_OPERATIONS_MIN), DELAY_USUAL_MS_MIN);
    if (isCopying) {
      const times = this.usualMs === null ? 0 : meanMs / this.usualMs;
      // Few operations ended although many are in flight: that is when clients wait longest.
      const isTold = !isFew || (times > DELAY_FACTOR_MAX && count + inFlight >= DELAY_OPERATIONS_MIN);
      this.factor = isTold ? times : 0;
    } else if (!isFew)
      this.usualMs = this.usualMs === null ? meanMs : this.usualMs * USUAL_KEEPS + meanMs * (1 - USUAL_KEEPS);
  }

  private begin(now: number, ended: number): void {
    this.windowSince = now;
    this.endedBefore = ended;
    this.area = 0;
  }
}
