/**
 * How a client backs off from overloaded nodes. It avoids such a node for the time that the node asked for, with some
 * jitter, and limits retries to a share of its calls. Without that limit, the retries of refused clients would keep up
 * the overload by themselves. (docs/decisions/0017-overload.md)
 */
import { OVERLOADED_RETRY_MS } from '../core/limits.ts';
import { RetryBudget } from '../core/legacy/retry-budget.ts';
import type { CausewayError } from './causeway-error.ts';

/**
 * Retries after `overloaded`, as a share of recent calls, plus a fixed number per second for a client that calls
 * seldom.
 */
const RETRY_SHARE = 0.1;
const RETRY_PER_SECOND_MIN = 5;
/** Upper bound in milliseconds, both for a pause and for the delay that a node may ask for. */
const PAUSE_MS_MAX = 2_000;

/** `now` is monotonic milliseconds; `draw` is uniform in [0, 1). */
export class Patience {
  readonly #budget = new RetryBudget(RETRY_SHARE, RETRY_PER_SECOND_MIN);
  readonly #fullUntil = new Map<string, number>();

  noteCall(now: number): void {
    this.#budget.noteRequest(now);
  }

  /** Whether the node has said that it is overloaded and the pause it asked for is not over. */
  isFull(address: string, now: number): boolean {
    return now < (this.#fullUntil.get(address) ?? 0);
  }

  /**
   * Milliseconds after which a refused call may be retried: 0 if there is another node that was not asked yet; null if
   * the call must not be retried. `attempt` counts from 0.
   */
  afterRefusal(
    address: string,
    error: CausewayError,
    attempt: number,
    hasOther: boolean,
    now: number,
    draw: number,
  ): number | null {
    const askedMs = Math.min(error.retryAfterMs ?? OVERLOADED_RETRY_MS, PAUSE_MS_MAX);
    this.#fullUntil.set(address, now + askedMs * (0.5 + draw));
    if (!this.#budget.take(now)) return null;
    return hasOther ? 0 : Math.min(PAUSE_MS_MAX, askedMs * 2 ** attempt) * (0.5 + draw);
  }
}
