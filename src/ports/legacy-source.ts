/**
 * The system that is being left, as one call. The adapter does the whole of a polite fetch: URL, retries
 * within a budget, circuit breaker, concurrency, limits. Callbacks never come from within the call.
 *
 * Promises: exactly one answer, by `timeoutMs`; `absent` only where the healthy source said so in so many
 * words (404, 410); a `value` only where the whole body arrived, was well formed and named this key.
 */
import type { TraceContext } from '../core/trace-context.ts';

export interface LegacySource {
  /** `trace`: asked for when the source is about to be asked; what it answers is told the source. */
  fetch(
    key: string,
    timeoutMs: number,
    done: (outcome: LegacyOutcome) => void,
    trace?: () => TraceContext | undefined,
  ): void;
  health(): LegacyHealth;
  close(done: () => void): void;
}

export interface LegacyValue {
  readonly kind: 'value';
  readonly value: Uint8Array;
  /** Null: nothing is known of it. */
  readonly contentType: string | null;
}

export type LegacyOutcome =
  | LegacyValue
  | { readonly kind: 'absent' }
  /** It is not known whether the key exists. */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      /** ms; 0 = no advice */
      readonly retryAfterMs: number;
    }
  /** No request was sent: the key cannot be named in a URL without reaching another resource. */
  | { readonly kind: 'unaddressable'; readonly reason: string };

export interface LegacyHealth {
  readonly state: 'up' | 'failing' | 'open';
  readonly reason: string;
  readonly calls: number;
  readonly failures: number;
  /** Calls under way, fetches that wait for their turn, and how many may be under way at once. */
  readonly inFlight: number;
  readonly waiting: number;
  readonly concurrencyMax: number;
  /** Calls that may be repeated now. */
  readonly retriesLeft: number;
}
