/**
 * The span of an HTTP request about keys: below the context in its headers (`traceparent`, `tracestate`), or the first of
 * its own trace. Orders of operators, probes and pages are not traced.
 */
import { traceContextOf } from '../../core/trace-context.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { Refusal } from './problem.ts';
import type { Reply, RouteFacts } from './route.ts';

const FAULT_STATUS_MIN = 500;
const TRACED = /^\/v1\/(kv|key)\b/;

/** What `handle` asks of the node within its own call belongs to the span, which ends with the reply. */
export async function tracedReply(
  tracing: Tracing,
  { method, path }: RouteFacts,
  headers: Headers,
  handle: () => Promise<Reply>,
): Promise<Reply> {
  if (!TRACED.test(path)) return handle();
  const parent = traceContextOf(headers.get('traceparent') ?? '', headers.get('tracestate') ?? '');
  const attributes = { 'http.request.method': method, 'http.route': path };
  const span = tracing.begin('http', parent, { title: `${method} ${path}`, attributes });
  let replying: Promise<Reply> | null = null;
  tracing.within(span?.context, () => {
    replying = handle();
  });
  if (span === null) return replying!;
  const end = (status: number, code?: string): void => {
    span.set('http.response.status_code', status);
    // What a client is told of its own request is no failure of ours.
    span.end(status >= FAULT_STATUS_MIN ? code : undefined);
  };
  try {
    const reply = await replying!;
    if ('problem' in reply) end(reply.problem.status, reply.problem.code);
    else end(reply.status);
    return reply;
  } catch (error) {
    if (error instanceof Refusal) end(error.problem.status, error.problem.code);
    else end(FAULT_STATUS_MIN, 'internal');
    throw error;
  }
}
