/** The part of `traces.ts` that needs the OpenTelemetry SDK; loaded only if spans are exported. */
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  createContextKey,
  createTraceState,
  trace,
} from '@opentelemetry/api';
import type { Context, Link, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { Sampler } from '@opentelemetry/sdk-trace-node';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { TRACE_LINKS_MAX } from '../../core/limits.ts';
import { SPANS } from '../../core/observability/spans.ts';
import type { SpanName } from '../../core/observability/spans.ts';
import { isSampled } from '../../core/observability/trace-context.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Span, SpanOptions } from '../../ports/tracing.ts';
import { SpanQueue } from './span-queue.ts';
import type { TraceOptions, Traces } from './trace-options.ts';

/** How long (ms) a stopping process waits for its last spans: a collector must not hold it up. */
const CLOSE_MS_MAX = 2_000;
/**
 * Milliseconds for one batch including retries, unless the environment sets it; a stopping process waits no longer than
 * this.
 */
const EXPORT_MS_MAX = 3_000;
const EXPORT_MS_VARIABLES = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;
/** Set on a context if the decision was made already: record. */
const DECIDED = createContextKey('causeway.recorded');

export function openOtelTraces(options: TraceOptions, url: string): Traces {
  const { env, telemetry, resource } = options;
  const isTimed = EXPORT_MS_VARIABLES.some((name) => Number(env[name]) > 0);
  const exporter = new OTLPTraceExporter({ url, ...(isTimed ? {} : { timeoutMillis: EXPORT_MS_MAX }) });
  const queue = new SpanQueue(exporter, env, telemetry);
  const sampling = samplingOf(env, telemetry);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(resource).merge(detectResources({ detectors: [envDetector] })),
    sampler: below(sampling.sampler, queue),
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('causeway');
  return new OtelTraces(tracer, sampling, queue, options, () => provider.shutdown());
}

class OtelTraces implements Traces {
  active: TraceContext | undefined = undefined;
  private readonly tracer: Tracer;
  private readonly sampling: Sampling;
  private readonly queue: SpanQueue;
  private readonly alike: TraceOptions['alike'];
  private readonly shutDown: () => Promise<void>;

  constructor(
    tracer: Tracer,
    sampling: Sampling,
    queue: SpanQueue,
    { alike }: TraceOptions,
    shutDown: () => Promise<void>,
  ) {
    this.tracer = tracer;
    this.sampling = sampling;
    this.queue = queue;
    this.alike = alike;
    this.shutDown = shutDown;
  }

  begin(name: SpanName, parent: TraceContext | null, options: SpanOptions = {}): Span | null {
    const shape = SPANS[name];
    const { title = shape.name, attributes, links, startedAt } = options;
    // Only the sampler decides about spans of incoming requests; within a node, spans are begun only for what is
    // recorded.
    const isDecided = shape.kind !== 'server';
    // Checked first: creating a span with the SDK costs more than a read from memory, whether it is recorded or not.
    if (!isDecided && (!mayRecord(this.sampling, parent) || !this.queue.takesOperation())) return null;
    const above = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
    const span = this.tracer.startSpan(
      title,
      {
        kind: KINDS[shape.kind],
        attributes: { ...this.alike[name], ...attributes },
        ...(links === undefined ? {} : { links: links.map(linkTo) }),
        ...(startedAt === undefined ? {} : { startTime: startedAt }),
      },
      isDecided ? above.setValue(DECIDED, true) : above,
    );
    return span.isRecording() ? new RecordedSpan(span, links?.length ?? 0) : null;
  }

  within(trace: TraceContext | undefined, run: () => void): void {
    const before = this.active;
    this.active = trace;
    try {
      run();
    } finally {
      this.active = before;
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS_MAX);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.shutDown().then(end, end);
    });
  }
}

/**
 * The context of a span of this process. A context from another process has the same fields but is not an instance of
 * this class.
 */
class OwnContext implements TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly state: string;

  constructor(traceId: string, spanId: string, flags: number, state: string) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.flags = flags;
    this.state = state;
  }
}

class RecordedSpan implements Span {
  readonly context: TraceContext;
  private readonly span: OtelSpan;
  private linkCount: number;

  constructor(span: OtelSpan, linkCount: number) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    this.context = new OwnContext(traceId, spanId, traceFlags, traceState?.serialize() ?? '');
    this.span = span;
    this.linkCount = linkCount;
  }

  set(attribute: string, value: string | number): void {
    this.span.setAttribute(attribute, value);
  }

  link(to: TraceContext): void {
    if (this.linkCount >= TRACE_LINKS_MAX) return;
    this.linkCount += 1;
    this.span.addLink(linkTo(to));
  }

  end(error?: string): void {
    if (error !== undefined) {
      this.span.setAttribute(ATTR_ERROR_TYPE, error);
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

function contextOf(context: TraceContext): SpanContext {
  const { traceId, spanId, flags, state } = context;
  const known = { traceId, spanId, traceFlags: flags, isRemote: !(context instanceof OwnContext) };
  return state === '' ? known : { ...known, traceState: createTraceState(state) };
}

function linkTo(to: TraceContext): Link {
  return { context: contextOf(to) };
}

/**
 * The environment's sampler decides about incoming requests; everything that follows from a recorded one is recorded.
 */
function below(inner: Sampler, queue: SpanQueue): Sampler {
  return {
    shouldSample: (context: Context, ...rest) => {
      if (context.getValue(DECIDED) === true) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      const result = inner.shouldSample(context, ...rest);
      if (result.decision !== SamplingDecision.NOT_RECORD) queue.tookOperation();
      return result;
    },
    toString: () => `recorded, or else ${inner.toString()}`,
  };
}

interface Sampling {
  readonly sampler: Sampler;
  /** False if spans without a parent are never recorded. */
  readonly recordsRoots: boolean;
  /** Whether the sampler follows the decision of a remote parent. */
  readonly obeysParents: boolean;
}

/** False if the sampler would decline in any case. */
function mayRecord({ recordsRoots, obeysParents }: Sampling, parent: TraceContext | null): boolean {
  return parent === null ? recordsRoots : !obeysParents || isSampled(parent);
}

/** From `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. */
function samplingOf(env: TraceOptions['env'], telemetry: Telemetry): Sampling {
  const alone = (sampler: Sampler, recordsRoots = true): Sampling => {
    return { sampler, recordsRoots, obeysParents: false };
  };
  const root = (sampler: Sampler, recordsRoots = true): Sampling => {
    return { sampler: new ParentBasedSampler({ root: sampler }), recordsRoots, obeysParents: true };
  };
  const name = env['OTEL_TRACES_SAMPLER']?.trim() || 'parentbased_always_on';
  switch (name) {
    case 'always_on':
      return alone(new AlwaysOnSampler());
    case 'always_off':
      return alone(new AlwaysOffSampler(), false);
    case 'traceidratio':
      return alone(new TraceIdRatioBasedSampler(ratioOf(env, telemetry)));
    case 'parentbased_always_on':
      return root(new AlwaysOnSampler());
    case 'parentbased_always_off':
      return root(new AlwaysOffSampler(), false);
    case 'parentbased_traceidratio':
      return root(new TraceIdRatioBasedSampler(ratioOf(env, telemetry)));
    default:
      telemetry.event('warn', 'traces.setting_ignored', { variable: 'OTEL_TRACES_SAMPLER' });
      return root(new AlwaysOnSampler());
  }
}

function ratioOf(env: TraceOptions['env'], telemetry: Telemetry): number {
  const text = env['OTEL_TRACES_SAMPLER_ARG']?.trim() || '1';
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  telemetry.event('warn', 'traces.setting_ignored', { variable: 'OTEL_TRACES_SAMPLER_ARG' });
  return 1;
}
