/**
 * The queue of ended spans on their way to the collector. It is bounded; further spans are dropped and counted. A
 * failing collector is left alone for a while, longer each time, and spans are dropped meanwhile. The log gets one line
 * for each failed attempt, and one when the collector accepts spans again.
 */
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import {
  TRACE_EXPORT_SPANS_MAX,
  TRACE_OPERATIONS_MAX,
  TRACE_OPERATIONS_MS,
  TRACE_QUEUE_SPANS_MAX,
} from '../../core/limits.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 300_000;

type Exported = Parameters<SpanExporter['export']>[1];

export class SpanQueue implements SpanProcessor {
  private readonly processor: BatchSpanProcessor;
  private readonly exporter: SpanExporter;
  private readonly telemetry: Telemetry;
  private readonly now: () => number;
  private readonly spansMax: number;
  private waiting = 0;
  /** Spans dropped since the collector last accepted some. */
  private lost = 0;
  private backoffMs = 0;
  private pausedUntil = 0;
  /** Start of the present interval, and the number of recorded operations begun in it. */
  private begunFrom = -Infinity;
  private begun = 0;

  /** `now` is milliseconds on a monotonic clock. */
  constructor(
    exporter: SpanExporter,
    env: Readonly<Record<string, string | undefined>>,
    telemetry: Telemetry,
    now: () => number = () => performance.now(),
  ) {
    this.exporter = exporter;
    this.telemetry = telemetry;
    this.now = now;
    this.spansMax = countOf(env['OTEL_BSP_MAX_QUEUE_SIZE'], TRACE_QUEUE_SPANS_MAX);
    const batch = countOf(env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], TRACE_EXPORT_SPANS_MAX);
    this.processor = new BatchSpanProcessor(
      {
        export: (spans, done) => this.export(spans, done),
        shutdown: () => exporter.shutdown(),
      },
      { maxQueueSize: this.spansMax, maxExportBatchSize: Math.min(batch, this.spansMax) },
    );
  }

  /**
   * Whether one more operation may be recorded. The number per interval is limited, and none is recorded while there
   * would be no room for its spans: a span that is dropped at the end has cost the node as much as one that is sent.
   */
  takesOperation(): boolean {
    const now = this.now();
    if (now - this.begunFrom >= TRACE_OPERATIONS_MS) {
      this.begunFrom = now;
      this.begun = 0;
    }
    if (this.waiting < this.spansMax && this.begun < TRACE_OPERATIONS_MAX) return true;
    this.drop(1);
    return false;
  }

  /** Counts one operation as recorded. */
  tookOperation(): void {
    this.begun += 1;
  }

  onStart(): void {
    // Nothing to do until the span ends.
  }

  onEnd(span: Span): void {
    if (this.waiting >= this.spansMax) return this.drop(1);
    this.waiting += 1;
    this.processor.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.processor.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.processor.shutdown();
  }

  private export(spans: ReadableSpan[], done: Exported): void {
    this.waiting -= spans.length;
    if (this.now() < this.pausedUntil) {
      this.drop(spans.length);
      return done({ code: FAILED });
    }
    this.exporter.export(spans, (result) => {
      if (Number(result.code) === FAILED) this.onFailed(spans.length, result.error);
      else this.onTaken();
      done(result);
    });
  }

  private onFailed(count: number, error: Error | undefined): void {
    this.drop(count);
    this.backoffMs = Math.min(BACKOFF_MS_MAX, this.backoffMs === 0 ? BACKOFF_MS_MIN : this.backoffMs * 2);
    this.pausedUntil = this.now() + this.backoffMs;
    const fields = { reason: reasonOf(error), lost: this.lost, againInMs: this.backoffMs };
    this.telemetry.event('warn', 'traces.export_failed', fields);
  }

  private onTaken(): void {
    // Spans dropped while the collector works are counted, but say nothing about the collector.
    if (this.backoffMs !== 0) this.telemetry.event('info', 'traces.export_recovered', { lost: this.lost });
    this.backoffMs = 0;
    this.lost = 0;
  }

  private drop(count: number): void {
    this.lost += count;
    this.telemetry.count('traces.dropped', count);
  }
}

/** `ExportResultCode.FAILED` of a package that is not a direct dependency. */
const FAILED = 1;

function countOf(text: string | undefined, otherwise: number): number {
  const count = Number(text?.trim() || otherwise);
  return Number.isInteger(count) && count > 0 ? count : otherwise;
}

function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown';
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
