/**
 * The node's recent activity: once a second its counters and histograms are copied, and what is shown is the difference
 * from the oldest copy. No operation pays for this.
 */
import type { Histogram } from '../base/histogram.ts';
import { RECENT_COPY_MS, RECENT_WINDOW_MS } from '../core/limits.ts';
import type { Instruments } from '../core/observability/instruments.ts';
import { NO_ACTIVITY, NO_MEMORY_USE, WRITE_STAGES } from '../core/observability/recent-activity.ts';
import type { RecentActivity, WriteStage } from '../core/observability/recent-activity.ts';
import type { LegacySource } from '../ports/legacy-source.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProcessUse } from '../ports/process-use.ts';
import type { Admission } from './admission.ts';
import type { NodeStatus } from './status.ts';
import type { RecordWriter } from './system-of-record/record-writer.ts';

export interface RecentParts {
  readonly clock: Clock;
  readonly instruments: Instruments;
  readonly counts: NodeStatus['operations'];
  readonly admission: Admission;
  readonly recordWriter: RecordWriter | null;
  readonly legacySource: LegacySource | null;
  readonly processUse?: ProcessUse | undefined;
}

/** Histograms whose quantiles are shown. */
const NAMES = ['read', 'write', 'storeSync', 'recordCommit', 'loopDelay'] as const;
type Name = (typeof NAMES)[number];

/** Everything cumulative, at one moment. */
interface Copy {
  readonly at: number;
  readonly counts: Readonly<Record<Name | WriteStage, Float64Array>>;
  readonly totals: Totals;
}

type Totals = ReturnType<RecentWindow['totals']>;

export class RecentWindow {
  private readonly parts: RecentParts;
  private readonly startedAt: number;
  /** Oldest first. */
  private readonly copies: Copy[] = [];
  private hitsTaken = 0;

  constructor(parts: RecentParts) {
    this.parts = parts;
    this.startedAt = parts.clock.now();
  }

  /** Called often; makes a copy when it is due. */
  tick(now: number): void {
    const last = this.copies.at(-1);
    if (last !== undefined && now - last.at < RECENT_COPY_MS) return;
    this.takeHits();
    this.copies.push({ at: now, counts: this.countsNow(), totals: this.totals() });
    while (this.copies.length > 1 && now - this.copies[1]!.at >= RECENT_WINDOW_MS) this.copies.shift();
  }

  /** Reads that were answered at once are only counted as they happen: their times are added to the histogram here. */
  takeHits(): void {
    const { instruments } = this.parts;
    if (instruments.isOn) instruments.read.recordLowest(instruments.readHits - this.hitsTaken);
    this.hitsTaken = instruments.readHits;
  }

  activity(): RecentActivity {
    const { clock, instruments, recordWriter, legacySource, processUse } = this.parts;
    const { inFlight, waiting, concurrencyMax, retriesLeft } = legacySource?.health() ?? NO_ACTIVITY.legacy;
    this.takeHits();
    const now = clock.now();
    const first = this.copies[0];
    const windowMs = first === undefined ? 0 : now - first.at;
    const totals = this.totals();
    const before = first?.totals ?? totals;
    const rate = (name: keyof Totals): number =>
      windowMs === 0 ? 0 : ((totals[name] - before[name]) * 1000) / windowMs;
    const of = (name: Name): ReturnType<Histogram['quantiles']> =>
      instruments[name].quantiles(first?.counts[name] ?? null);
    const looked = totals.cacheHits - before.cacheHits + totals.cacheMisses - before.cacheMisses;
    return {
      windowMs,
      perSecond: {
        reads: rate('reads'),
        writes: rate('writes'),
        failures: rate('failures'),
        staleReads: rate('staleReads'),
        refused: rate('refused'),
        forwardedHere: rate('forwardedHere'),
      },
      readMs: of('read'),
      writeMs: of('write'),
      stagesMs: this.stages(first),
      record: {
        commitMs: of('recordCommit'),
        rowsPerSecond: rate('rows'),
        rowsWaiting: recordWriter?.backlog ?? 0,
        oldestUnflushedMs: recordWriter?.oldestMs(now) ?? 0,
        whyWaiting: recordWriter?.whyWaiting ?? '',
      },
      store: {
        syncMs: of('storeSync'),
        batchesPerSecond: rate('batches'),
        entriesPerSecond: rate('entries'),
        cacheHitShare: looked === 0 ? null : (totals.cacheHits - before.cacheHits) / looked,
      },
      legacy: {
        callsPerSecond: rate('legacyCalls'),
        failuresPerSecond: rate('legacyFailures'),
        coalescedPerSecond: rate('legacyCoalesced'),
        ...{ inFlight, waiting, concurrencyMax, retriesLeft },
      },
      eventLoopDelayMs: of('loopDelay'),
      memory: processUse?.memory() ?? NO_MEMORY_USE,
      cpuShare: processUse?.cpuShare() ?? 0,
      uptimeMs: now - this.startedAt,
    };
  }

  private stages(first: Copy | undefined): RecentActivity['stagesMs'] {
    const { stages } = this.parts.instruments;
    const of = (stage: WriteStage): ReturnType<Histogram['quantiles']> =>
      stages[stage].quantiles(first?.counts[stage] ?? null);
    return {
      ...{ door: of('door'), queue: of('queue'), store: of('store') },
      ...{ peers: of('peers'), record: of('record'), forwarded: of('forwarded') },
    };
  }

  private countsNow(): Copy['counts'] {
    const { instruments } = this.parts;
    const counts: Partial<Record<Name | WriteStage, Float64Array>> = {};
    for (const name of NAMES) counts[name] = instruments[name].copyCounts();
    for (const stage of WRITE_STAGES) counts[stage] = instruments.stages[stage].copyCounts();
    return counts as Copy['counts'];
  }

  private totals() {
    const { instruments, counts, admission, legacySource } = this.parts;
    const health = legacySource?.health();
    return {
      reads: counts.reads,
      writes: counts.writes,
      failures: counts.failures,
      staleReads: counts.staleReads,
      forwardedHere: admission.forwardedHere,
      refused: admission.read.refused + admission.write.refused,
      rows: instruments.rowsCommitted,
      batches: instruments.storeSync.count,
      entries: instruments.storeBatchEntries.sum,
      cacheHits: instruments.cacheHits,
      cacheMisses: instruments.cacheMisses,
      legacyCalls: health?.calls ?? 0,
      legacyFailures: health?.failures ?? 0,
      legacyCoalesced: instruments.legacyCoalesced,
    };
  }
}
