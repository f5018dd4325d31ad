/**
 * Repeats a call that lost against another transaction, which is common under serializable isolation. Every call of the
 * port may be repeated, whether it was carried out or not, so it does not matter whether such a failure is definite.
 */
import { RecordFailure } from './record-failure.ts';

export interface RetryBounds {
  /** Not counting the first attempt. */
  readonly retriesMax: number;
  /** Milliseconds; doubled with each retry, and drawn from the upper half of that. */
  readonly firstMs: number;
  readonly pauseMsMax: number;
}

export interface RetryAround {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onRetry: () => void;
}

export async function retrying<T>(
  { retriesMax, firstMs, pauseMsMax }: RetryBounds,
  { random, onRetry }: RetryAround,
  attempt: () => Promise<T>,
): Promise<T> {
  let lost: RecordFailure | null = null;
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RecordFailure)) throw error;
      // An attempt that was not even sent says nothing about the previous one.
      if (!error.isRetryable || retry === retriesMax)
        throw lost !== null && error.kind === 'refused' && !error.fenced ? lost : error;
      lost = error;
      onRetry();
      const pauseMs = Math.min(firstMs * 2 ** retry, pauseMsMax) * (0.5 + random() / 2);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
