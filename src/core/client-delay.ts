/**
 * How much longer clients wait for one kind of operation while slots are copied than they did before: what those who copy give
 * way to. The mean comes from what is in flight and how many end (Little's law), so that no operation is timed for it; what is
 * usual is what was seen while nobody copied. (DESIGN 3)
 */
import {
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
  /** Times as long as usual; 0: nobody copies, or too few operations end to tell. */
  factor = 0;
  private usualMs: number | null = null;
  private lookedAt: number | null = null;
  private windowSince = 0;
  private endedBefore = 0;
  /** Operations times milliseconds for which they were in flight. */
  private area = 0;
  private wasCopying = false;

  look({ now, inFlight, ended, isCopying }: DelaySight): void {
    if (this.lookedAt === null) this.begin(now, ended);
    else this.area += inFlight * (now - this.lookedAt);
    this.lookedAt = now;
    // A window is of one kind: what was usual holds nothing of what copying has done.
    if (isCopying !== this.wasCopying) {
      this.wasCopying = isCopying;
      this.factor = 0;
      return this.begin(now, ended);
    }
    const ms = now - this.windowSince;
    if (ms < DELAY_WINDOW_MS) return;
    const count = ended - this.endedBefore;
    if (count < DELAY_OPERATIONS_MIN) {
      if (ms >= DELAY_WINDOW_MS_MAX) {
        this.factor = 0;
        this.begin(now, ended);
      }
      return;
    }
    const meanMs = Math.max(this.area / count, DELAY_USUAL_MS_MIN);
    if (!isCopying)
      this.usualMs = this.usualMs === null ? meanMs : this.usualMs * USUAL_KEEPS + meanMs * (1 - USUAL_KEEPS);
    else this.factor = this.usualMs === null ? 0 : meanMs / this.usualMs;
    this.begin(now, ended);
  }

  private begin(now: number, ended: number): void {
    this.windowSince = now;
    this.endedBefore = ended;
    this.area = 0;
  }
}
