/**
 * The spans of gRPC calls and of the operations in a pipeline. The parent is the context in the call's metadata
 * (`traceparent`, `tracestate`) or the one sent with the operation; without a context the span starts a trace of its
 * own. On a server without a tracer, calls pass straight through without any check per call.
 */
import type { Server } from '@grpc/grpc-js';
import { ERROR_TABLE } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { traceContextOf } from '../../core/observability/trace-context.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Span, Tracing } from '../../ports/tracing.ts';
import type { Sent } from './direct-calls.ts';
import type { Done } from './method.ts';
import type { Operate, Operations } from './operations.ts';

const tracers = new WeakMap<Server, Tracing>();
/** Calls of probes and tools are not traced: they recur every few seconds for ever. */
const TRACED = /^\/(cache\.CacheService|causeway\.v1\.KeyValue)\//;
const PIPELINE = 'causeway.v1.KeyValue/Pipeline';

/** Must be called before the services are added. */
export function traceCalls(server: Server, tracing: Tracing): void {
  tracers.set(server, tracing);
}

/** Null if calls of this method are not traced. */
export function tracingOf(server: Server, path: string): Tracing | null {
  return TRACED.test(path) ? (tracers.get(server) ?? null) : null;
}

/** Runs `run` under a span of its own, which ends when `done` is called. */
export function underSpan<Answer>(
  tracing: Tracing,
  path: string,
  metadata: Sent,
  done: Done<Answer>,
  run: (done: Done<Answer>) => void,
): void {
  inside(tracing, begin(tracing, path.slice(1), contextIn(metadata)), done, run);
}

/** The trace context of an operation. */
export interface Carrier {
  readonly traceparent: string;
  readonly tracestate: string;
}

export interface PipelineOperations {
  readonly operations: Operations;
  /** Makes the context of this operation the parent of the next call. */
  readonly turnTo: (carrier: Carrier) => void;
}

/**
 * Wraps the operations so that each gets its own span. The parent is the operation's own context or, if it has none,
 * the context that the pipeline was opened with.
 */
export function tracedOperations(server: Server, operations: Operations, metadata: Sent): PipelineOperations {
  const tracing = tracingOf(server, `/${PIPELINE}`);
  if (tracing === null) return { operations, turnTo: () => undefined };
  const ofCall = contextIn(metadata);
  let parent = ofCall;
  const traced =
    <Request, Answer>(operate: Operate<Request, Answer>): Operate<Request, Answer> =>
    (request, timeoutMs, done) => {
      const run = (told: Done<Answer>): void => operate(request, timeoutMs, told);
      inside(tracing, begin(tracing, PIPELINE, parent), done, run);
    };
  return {
    operations: {
      isFull: operations.isFull,
      get: traced(operations.get),
      put: traced(operations.put),
      delete: traced(operations.delete),
      compareAndPut: traced(operations.compareAndPut),
      compareAndDelete: traced(operations.compareAndDelete),
      increment: traced(operations.increment),
    },
    turnTo: ({ traceparent, tracestate }) => {
      parent = traceparent === '' ? ofCall : (traceContextOf(traceparent, tracestate) ?? ofCall);
    },
  };
}

/** The span of a streaming call. Calls to the node made inside `within` belong to it. */
export interface StreamSpan {
  readonly within: (run: () => void) => void;
  /** To be called exactly once; null means that the stream completed. */
  readonly end: (failed: Failure | 'cancelled' | null) => void;
}

/** Null if this method is not traced. */
export function spanOfStream(server: Server, path: string, metadata: Sent): StreamSpan | null {
  const tracing = tracingOf(server, path);
  if (tracing === null) return null;
  const span = begin(tracing, path.slice(1), contextIn(metadata));
  return {
    within: (run) => tracing.within(span?.context, run),
    end: (failed) => (span === null ? undefined : endOf(span, failed)),
  };
}

function begin(tracing: Tracing, title: string, parent: TraceContext | null): Span | null {
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': title };
  return tracing.begin('rpc', parent, { title, attributes });
}

function inside<Answer>(
  tracing: Tracing,
  span: Span | null,
  done: Done<Answer>,
  run: (done: Done<Answer>) => void,
): void {
  if (span === null) return tracing.within(undefined, () => run(done));
  tracing.within(span.context, () =>
    run((failed, answer) => {
      endOf(span, failed);
      done(failed, answer);
    }),
  );
}

function contextIn(metadata: Sent): TraceContext | null {
  const [traceparent, more] = metadata.get('traceparent');
  if (typeof traceparent !== 'string' || more !== undefined) return null;
  return traceContextOf(traceparent, metadata.get('tracestate').join(','));
}

/** A call that its client cancelled has not failed, by OpenTelemetry's rules for servers. */
function endOf(span: Span, failed: Failure | 'cancelled' | null): void {
  if (failed === 'cancelled') {
    span.set('rpc.status_code', 'CANCELLED');
    return span.end();
  }
  span.set('rpc.status_code', failed === null ? 'OK' : ERROR_TABLE[failed.code].status);
  span.end(failed?.code);
}
