/**
 * Spans, for whoever looks at where the time of one operation went. A node without tracing has none of this: `null`
 * stands in its place everywhere, and an operation whose trace is not recorded carries nothing.
 *
 * Synchronous; never throws, blocks or calls back. Does not promise that a span arrives anywhere.
 */
import type { SpanName } from '../core/spans.ts';
import type { TraceContext } from '../core/trace-context.ts';

export interface Tracing {
  /**
   * Begins a span. A parent that is null makes it the first of a trace of its own: recorded as the sampler says, or
   * always where it has links, for only recorded spans are linked to. Null: it is not recorded.
   */
  begin(name: SpanName, parent: TraceContext | null, options?: SpanOptions): Span | null;
  /** What is asked of the node within `run` is part of this span; undefined: of none. */
  within(trace: TraceContext | undefined, run: () => void): void;
  /** Of the span that what is asked of the node now is part of. */
  readonly active: TraceContext | undefined;
}

export interface SpanOptions {
  /** In the place of the name in the list, where that says `{...}`. */
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly links?: readonly TraceContext[];
  /** Milliseconds since 1970; left out: now. */
  readonly startedAt?: number;
}

export interface Span {
  readonly context: TraceContext;
  set(attribute: string, value: string | number): void;
  /** As long as it has not ended; beyond a bound nothing. */
  link(to: TraceContext): void;
  /** Exactly once. `error`: a code of `core/errors.ts`, or another word from a small set. */
  end(error?: string): void;
}
