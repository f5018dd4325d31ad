/**
 * What a client does when nodes say that they are asked for too much: it keeps away from such a node for as long as the node
 * says, a little more or less by chance, and asks again only as often as its retries are few beside its calls. Without that,
 * clients that are refused would make up the load by themselves. (docs/decisions/0017-overload.md)
 */
import { OVERLOADED_RETRY_MS } from '../core/limits.ts';
import { RetryBudget } from '../core/retry-budget.ts';
import type { CausewayError } from './causeway-error.ts';

/** Retries for overload, as a share of the calls of late; and so many a second beside, for a client that calls seldom. */
const RETRY_SHARE = 0.1;
const RETRY_PER_SECOND_MIN = 5;
/** Milliseconds that a pause grows to, and that a node may ask for. */
const PAUSE_MS_MAX = 2_000;

/** `now`: monotonic milliseconds; `draw`: uniform in [0, 1). */
export class Patience {
  readonly #budget = new RetryBudget(RETRY_SHARE, RETRY_PER_SECOND_MIN);
  readonly #fullUntil = new Map<string, number>();

  noteCall(now: number): void {
    this.#budget.noteRequest(now);
  }

  /** Has the node said that it is asked for too much, just now? */
  isFull(address: string, now: number): boolean {
    const until = this.#fullUntil.get(address);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#fullUntil.delete(address);
    return false;
  }

  /**
   * A node refused: milliseconds after which the call may be made again, at another node at once where there is one that
   * was not asked yet; null: not at all. `attempt` counts from 0.
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
