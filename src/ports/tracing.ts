/**
 * Spans that show where the time of one operation went. A node without tracing has `null` in place of this everywhere,
 * and an operation that is not traced carries nothing.
 *
 * Synchronous; never throws, blocks or calls back. Does not promise that a span arrives anywhere.
 */
import type { SpanName } from '../core/observability/spans.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';

export interface Tracing {
  /**
   * Begins a span. With a null parent it begins a trace of its own, recorded if the sampler says so, or always if it
   * has links, because only recorded spans are linked to. Null if the span is not recorded.
   */
  begin(name: SpanName, parent: TraceContext | null, options?: SpanOptions): Span | null;
  /** Requests made to the node within `run` belong to this trace; undefined for none. */
  within(trace: TraceContext | undefined, run: () => void): void;
  /** The context to which requests made to the node now belong. */
  readonly active: TraceContext | undefined;
}

export interface SpanOptions {
  /** Replaces the name from the list where that contains `{...}`. */
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly links?: readonly TraceContext[];
  /** Milliseconds since 1970; if left out, now. */
  readonly startedAt?: number;
}

export interface Span {
  readonly context: TraceContext;
  set(attribute: string, value: string | number): void;
  /** Only while the span has not ended; links beyond the limit are dropped. */
  link(to: TraceContext): void;
  /** Call exactly once. `error`: a code of `core/errors.ts`, or another word from a small set. */
  end(error?: string): void;
}
