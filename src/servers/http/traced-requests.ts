/**
 * The spans of HTTP requests about keys. The parent is the context in the headers (`traceparent`, `tracestate`);
 * without one the span starts a trace of its own. An operation of a batch that carries a context gets its own span
 * below that. Administration, probes and pages are not traced.
 */
import { traceContextOf } from '../../core/observability/trace-context.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Span, Tracing } from '../../ports/tracing.ts';
import { Refusal } from './problem.ts';
import type { Reply, RouteFacts } from './route.ts';

const FAULT_STATUS_MIN = 500;
const TRACED = /^\/v1\/(kv\b|key\b|admin\/count$)/;

/** The trace of one request, for a route that asks the node several times, in sequence or concurrently. */
export interface RequestTrace {
  /** Everything that `run` asks of the node synchronously belongs to the request. */
  within<Result>(run: () => Result): Result;
  /** Like `within`, for one operation of many: if it carries a context of its own, it gets its own span below that. */
  operation<Result>(
    sent: SentContext,
    run: () => Promise<Result>,
    endOf: (result: Result) => End,
  ): Promise<Result>;
}

export interface SentContext {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** How an operation ended: the status that a single request would have had, and the error code if it failed. */
export interface End {
  readonly status: number;
  readonly code?: string | undefined;
}

export const UNTRACED: RequestTrace = { within: (run) => run(), operation: (_sent, run) => run() };

class SpannedRequest implements RequestTrace {
  private readonly tracing: Tracing;
  private readonly facts: RouteFacts;
  private readonly span: Span | null;

  constructor(tracing: Tracing, facts: RouteFacts, span: Span | null) {
    this.tracing = tracing;
    this.facts = facts;
    this.span = span;
  }

  within<Result>(run: () => Result): Result {
    return resultWithin(this.tracing, this.span?.context, run);
  }

  async operation<Result>(
    { traceparent = '', tracestate = '' }: SentContext,
    run: () => Promise<Result>,
    endOf: (result: Result) => End,
  ): Promise<Result> {
    const parent = traceparent === '' ? null : traceContextOf(traceparent, tracestate);
    if (parent === null) return this.within(run);
    const span = begin(this.tracing, this.facts, parent);
    if (span !== null && this.span !== null) span.link(this.span.context);
    const running = resultWithin(this.tracing, span?.context, run);
    return span === null ? running : endedWith(span, running, endOf);
  }
}

function resultWithin<Result>(
  tracing: Tracing,
  context: TraceContext | undefined,
  run: () => Result,
): Result {
  let result: { readonly is: Result } | null = null;
  tracing.within(context, () => {
    result = { is: run() };
  });
  return result!.is;
}

/** Everything that `handle` asks of the node synchronously belongs to the span, which ends with the reply. */
export async function tracedReply(
  tracing: Tracing,
  facts: RouteFacts,
  headers: Headers,
  handle: (trace: RequestTrace) => Promise<Reply>,
): Promise<Reply> {
  if (!TRACED.test(facts.path)) return handle(UNTRACED);
  const parent = traceContextOf(headers.get('traceparent') ?? '', headers.get('tracestate') ?? '');
  const span = begin(tracing, facts, parent);
  const trace = new SpannedRequest(tracing, facts, span);
  const replying = trace.within(() => handle(trace));
  if (span === null) return replying;
  return endedWith(span, replying, (reply) => ('problem' in reply ? reply.problem : reply));
}

async function endedWith<Result>(
  span: Span,
  running: Promise<Result>,
  endOf: (result: Result) => End,
): Promise<Result> {
  try {
    const result = await running;
    ended(span, endOf(result));
    return result;
  } catch (error) {
    ended(span, error instanceof Refusal ? error.problem : { status: FAULT_STATUS_MIN, code: 'internal' });
    throw error;
  }
}

function begin(tracing: Tracing, { method, path }: RouteFacts, parent: TraceContext | null): Span | null {
  const attributes = { 'http.request.method': method, 'http.route': path };
  return tracing.begin('http', parent, { title: `${method} ${path}`, attributes });
}

/** An error that is due to the client's own request is not a failure of the server. */
function ended(span: Span, { status, code }: End): void {
  span.set('http.response.status_code', status);
  span.end(status >= FAULT_STATUS_MIN ? code : undefined);
}
