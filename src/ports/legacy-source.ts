/**
 * The system being replaced, as a single call. The adapter does everything that a polite fetch takes: URL, retries
 * within a budget, circuit breaker, concurrency, limits. Callbacks are never called from within the call.
 *
 * Promises: exactly one answer, by `timeoutMs`; `absent` only if the healthy source said so explicitly (404, 410); a
 * `value` only if the whole body arrived, was well formed and named this key.
 */
import type { TraceContext } from '../core/observability/trace-context.ts';

export interface LegacySource {
  /** `trace` is called when the source is about to be asked; its result is sent to the source. */
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
  /** Null if unknown. */
  readonly contentType: string | null;
}

export type LegacyOutcome =
  | LegacyValue
  | { readonly kind: 'absent' }
  /** It is unknown whether the key exists. */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      /** Milliseconds; 0 if the source gave no advice. */
      readonly retryAfterMs: number;
    }
  /** No request was sent: the key cannot be named in a URL without reaching another resource. */
  | { readonly kind: 'unaddressable'; readonly reason: string };

export interface LegacyHealth {
  readonly state: 'up' | 'failing' | 'open';
  readonly reason: string;
  readonly calls: number;
  readonly failures: number;
  /** Calls in progress, fetches waiting for their turn, and the most calls that may be in progress at once. */
  readonly inFlight: number;
  readonly waiting: number;
  readonly concurrencyMax: number;
  /** Calls that may be repeated now. */
  readonly retriesLeft: number;
}
