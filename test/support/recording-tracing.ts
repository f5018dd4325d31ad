/**
 * Traces kept in memory, for tests that look at what a node records of its operations. All nodes of a test share one
 * list.
 */
import { SPANS } from '../../src/core/observability/spans.ts';
import type { SpanName } from '../../src/core/observability/spans.ts';
import type { TraceContext } from '../../src/core/observability/trace-context.ts';
import type { Span, SpanOptions, Tracing } from '../../src/ports/tracing.ts';

export interface RecordedSpan {
  readonly node: string;
  readonly what: SpanName;
  readonly name: string;
  readonly context: TraceContext;
  readonly parentId: string | null;
  readonly attributes: Record<string, string | number>;
  readonly links: TraceContext[];
  readonly startedAt: number;
  endedAt: number | null;
  error: string | undefined;
}

export class TraceBook {
  readonly spans: RecordedSpan[] = [];
  private readonly now: () => number;
  private ids = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The tracer of one node. */
  of(node: string): Tracing {
    const tracing = {
      active: undefined as TraceContext | undefined,
      begin: (what: SpanName, parent: TraceContext | null, options?: SpanOptions) =>
        this.begin(node, what, parent, options),
      within: (trace: TraceContext | undefined, run: () => void): void => {
        const before = tracing.active;
        tracing.active = trace;
        run();
        tracing.active = before;
      },
    };
    return tracing;
  }

  get open(): RecordedSpan[] {
    return this.spans.filter(({ endedAt }) => endedAt === null);
  }

  /** As a tree: each span with its node, its children indented, in the order in which they began. */
  tree({ traceId, spanId }: TraceContext, depth = 0): string[] {
    return this.spans
      .filter((span) => span.context.traceId === traceId && span.parentId === spanId)
      .flatMap((span) => [
        `${'  '.repeat(depth)}${span.name} at ${span.node}`,
        ...this.tree(span.context, depth + 1),
      ]);
  }

  linkedTo({ spanId }: TraceContext): RecordedSpan[] {
    return this.spans.filter(({ links }) => links.some((link) => link.spanId === spanId));
  }

  private begin(
    node: string,
    what: SpanName,
    parent: TraceContext | null,
    { title, attributes = {}, links = [], startedAt = this.now() }: SpanOptions = {},
  ): Span {
    this.ids += 1;
    const spanId = this.ids.toString(16).padStart(16, '0');
    const traceId = parent?.traceId ?? this.ids.toString(16).padStart(32, '0');
    const recorded: RecordedSpan = {
      ...{ node, what, name: title ?? SPANS[what].name, parentId: parent?.spanId ?? null, startedAt },
      context: { traceId, spanId, flags: 1, state: parent?.state ?? '' },
      attributes: { ...attributes },
      links: [...links],
      endedAt: null,
      error: undefined,
    };
    this.spans.push(recorded);
    return {
      context: recorded.context,
      set: (attribute, value) => (recorded.attributes[attribute] = value),
      link: (to) => recorded.links.push(to),
      end: (error) => {
        if (recorded.endedAt !== null) throw new Error(`${recorded.name} ended twice`);
        recorded.endedAt = this.now();
        recorded.error = error;
      },
    };
  }
}
