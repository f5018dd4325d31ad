/**
 * How often, and how soon, a failed request may be repeated. A budget over all requests keeps retries from
 * multiplying the load of a source that is already failing (Google SRE book, chapter 21; the shape is that of
 * linkerd's and tower's budgets); the full jitter keeps the callers from coming back together.
 */
import { RollingCount } from '../base/rolling-count.ts';

const WINDOW_MS = 10_000;

export class RetryBudget {
  private readonly requests = new RollingCount(WINDOW_MS);
  private readonly retries = new RollingCount(WINDOW_MS);
  private readonly share: number;
  private readonly perSecondMin: number;

  /** Allows `share` of the requests of ten seconds, plus `perSecondMin` for each of them. */
  constructor(share: number, perSecondMin: number) {
    this.share = share;
    this.perSecondMin = perSecondMin;
  }

  noteRequest(now: number): void {
    this.requests.add(now);
  }

  /** Takes one retry out of the budget; false where it is spent. */
  take(now: number): boolean {
    if (this.left(now) < 1) return false;
    this.retries.add(now);
    return true;
  }

  /** How many retries it holds. */
  left(now: number): number {
    const allowed = this.requests.sum(now) * this.share + (this.perSecondMin * WINDOW_MS) / 1000;
    return Math.max(0, Math.floor(allowed - this.retries.sum(now)));
  }
}

/** Milliseconds before retry `index` (from 0); `draw` is uniform in [0, 1). */
export function retryDelay(index: number, delayMs: number, delayMsMax: number, draw: number): number {
  return draw * Math.min(delayMsMax, delayMs * 2 ** index);
}
