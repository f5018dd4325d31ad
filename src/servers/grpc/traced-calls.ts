/**
 * The span of a gRPC call, and of each operation in a pipeline: below the context that came in the call's metadata
 * (`traceparent`, `tracestate`), or with the operation, or the first of its own trace. A server that nobody has named a tracer
 * for calls straight through, without a further look.
 */
import type { Server } from '@grpc/grpc-js';
import { ERROR_TABLE } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { traceContextOf } from '../../core/trace-context.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import type { Span, Tracing } from '../../ports/tracing.ts';
import type { Sent } from './direct-calls.ts';
import type { Done } from './method.ts';
import type { Operate, Operations } from './operations.ts';

const tracers = new WeakMap<Server, Tracing>();
/** Probes and tools ask every few seconds for ever: not what a trace is for. */
const TRACED = /^\/(cache\.CacheService|causeway\.v1\.KeyValue)\//;
const PIPELINE = 'causeway.v1.KeyValue/Pipeline';

/** Before the services are added. */
export function traceCalls(server: Server, tracing: Tracing): void {
  tracers.set(server, tracing);
}

/** Null where calls of this method are not traced. */
export function tracingOf(server: Server, path: string): Tracing | null {
  return TRACED.test(path) ? (tracers.get(server) ?? null) : null;
}

/** What `run` begins belongs to a span of its own, which ends when `done` is called. */
export function underSpan<Answer>(
  tracing: Tracing,
  path: string,
  metadata: Sent,
  done: Done<Answer>,
  run: (done: Done<Answer>) => void,
): void {
  inside(tracing, begin(tracing, path.slice(1), contextIn(metadata)), done, run);
}

/** What an operation says of its trace. */
export interface Carrier {
  readonly traceparent: string;
  readonly tracestate: string;
}

export interface PipelineOperations {
  readonly operations: Operations;
  /** What is asked of them next is this operation. */
  readonly turnTo: (carrier: Carrier) => void;
}

/** The same operations, each under a span of its own: below its own context, or where it has none, what the pipeline was opened with. */
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

/** Of a stream that is answered in parts: its span, and how what it asks of the node is made to belong to it. */
export interface StreamSpan {
  readonly within: (run: () => void) => void;
  /** Exactly once; null: it came to its end. */
  readonly end: (failed: Failure | 'cancelled' | null) => void;
}

/** Null: it is not traced. */
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

/** What its client does not want any more has not failed, as OpenTelemetry has it for servers. */
function endOf(span: Span, failed: Failure | 'cancelled' | null): void {
  if (failed === 'cancelled') {
    span.set('rpc.status_code', 'CANCELLED');
    return span.end();
  }
  span.set('rpc.status_code', failed === null ? 'OK' : ERROR_TABLE[failed.code].status);
  span.end(failed?.code);
}
