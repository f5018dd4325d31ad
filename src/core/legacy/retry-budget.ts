/**
 * How often, and how soon, a failed request may be retried. A budget over all requests keeps retries from multiplying
 * the load on a source that is already failing (Google SRE book, chapter 21; designed like linkerd's and tower's
 * budgets); full jitter keeps callers from retrying at the same moment.
 */
import { RollingCount } from '../../base/rolling-count.ts';

const WINDOW_MS = 10_000;

export class RetryBudget {
  private readonly requests = new RollingCount(WINDOW_MS);
  private readonly retries = new RollingCount(WINDOW_MS);
  private readonly share: number;
  private readonly perSecondMin: number;

  /** Allows `share` of the requests of the last ten seconds, plus `perSecondMin` for each of those seconds. */
  constructor(share: number, perSecondMin: number) {
    this.share = share;
    this.perSecondMin = perSecondMin;
  }

  noteRequest(now: number): void {
    this.requests.add(now);
  }

  /** Takes one retry from the budget; false if it is used up. */
  take(now: number): boolean {
    if (this.left(now) < 1) return false;
    this.retries.add(now);
    return true;
  }

  /** The retries that the budget still holds. */
  left(now: number): number {
    const allowed = this.requests.sum(now) * this.share + (this.perSecondMin * WINDOW_MS) / 1000;
    return Math.max(0, Math.floor(allowed - this.retries.sum(now)));
  }
}

/** Milliseconds before retry `index` (from 0); `draw` is uniform in [0, 1). */
export function retryDelay(index: number, delayMs: number, delayMsMax: number, draw: number): number {
  return draw * Math.min(delayMsMax, delayMs * 2 ** index);
}
