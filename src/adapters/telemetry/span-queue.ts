/**
 * Ended spans on their way to the collector. So many wait and no more; what comes on top is dropped and counted. A
 * collector that fails is left alone for a while, longer each time, and what would have gone to it meanwhile is dropped,
 * too: one line in the log says so each time it was tried in vain, and one when it takes spans again.
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
  /** Since the collector took something last. */
  private lost = 0;
  private backoffMs = 0;
  private pausedUntil = 0;
  /** Operations begun to be recorded since then. */
  private begunFrom = -Infinity;
  private begun = 0;

  /** `now`: milliseconds on a clock that nobody sets. */
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
   * May one more operation be recorded? So many in a stretch of time and no more, and none while its spans would find no
   * room: what is dropped in the end has cost the node as much as what is sent.
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

  /** One is recorded. */
  tookOperation(): void {
    this.begun += 1;
  }

  onStart(): void {
    // Nothing is to be done before it ends.
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
    // What found no room at a collector that is well is counted, and no news of the collector.
    if (this.backoffMs !== 0) this.telemetry.event('info', 'traces.export_recovered', { lost: this.lost });
    this.backoffMs = 0;
    this.lost = 0;
  }

  private drop(count: number): void {
    this.lost += count;
    this.telemetry.count('traces.dropped', count);
  }
}

/** `ExportResultCode.FAILED` of a package that is not ours to import. */
const FAILED = 1;

function countOf(text: string | undefined, otherwise: number): number {
  const count = Number(text?.trim() || otherwise);
  return Number.isInteger(count) && count > 0 ? count : otherwise;
}

function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown';
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
