/**
 * How much longer clients wait for one kind of operation while slots are copied than they did before: what those who copy give
 * way to. The mean comes from what is in flight and how many end (Little's law), so that no operation is timed for it; what is
 * usual is what was seen while nobody copied. (DESIGN 3)
 */
import {
  DELAY_FACTOR_MAX,
  DELAY_OPERATIONS_MIN,
  DELAY_USUAL_MS_MIN,
  DELAY_WINDOW_MS,
  DELAY_WINDOW_MS_MAX,
} from './copy-limits.ts';

/** Share of what was usual that a new window leaves: some ten seconds are remembered. */
const USUAL_KEEPS = 0.95;

export interface DelaySight {
  /** Monotonic ms. */
  readonly now: number;
  readonly inFlight: number;
  /** Operations that have ended since the start. */
  readonly ended: number;
  /** Somebody copies slots. */
  readonly isCopying: boolean;
}

export class ClientDelay {
  /** Times as long as usual; 0: nobody copies, or there are too few operations to tell. */
  factor = 0;
  private usualMs: number | null = null;
  private lookedAt: number | null = null;
  private windowSince = 0;
  private endedBefore = 0;
  /** Operations times milliseconds for which they were in flight. */
  private area = 0;
  private wasCopying = false;

  look({ now, inFlight, ended, isCopying }: DelaySight): void {
    const sinceMs = this.lookedAt === null ? Infinity : now - this.lookedAt;
    this.lookedAt = now;
    // Whoever did not run for so long does not know what happened meanwhile.
    if (sinceMs > DELAY_WINDOW_MS_MAX) this.begin(now, ended);
    else this.area += inFlight * sinceMs;
    // A window is of one kind: what was usual holds nothing of what copying has done.
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
    // Where few have ended it is what they take at the least: as if as many had ended as it takes to tell.
    const meanMs = Math.max(this.area / Math.max(count, DELAY_OPERATIONS_MIN), DELAY_USUAL_MS_MIN);
    if (isCopying) {
      const times = this.usualMs === null ? 0 : meanMs / this.usualMs;
      // Hardly any ends although many are in flight: they wait longest then.
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
