/**
 * Data for LATENCY: for each kind of event the slowest one of each second, as many as Redis keeps; and for each command
 * a histogram of its times. Events come from commands only; slow work of the node itself is in its metrics.
 */
import { Histogram } from '../../base/histogram.ts';
import { RESP_LATENCY_SAMPLES_MAX } from '../../core/clients/redis-limits.ts';

export type LatencyEvent = 'command' | 'fast-command';

export interface LatencySample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly ms: number;
}

interface Series {
  samples: LatencySample[];
  highest: number;
}

/** Bucket bounds in microseconds, doubling at each step as in Redis' own histograms. */
const BOUNDS_MICROS = Array.from({ length: 26 }, (_, at) => 1.024 * 2 ** at);

export class LatencyEvents {
  /** An event is kept if it takes at least this many milliseconds; 0 keeps none. */
  thresholdMs = 0;
  private readonly series = new Map<LatencyEvent, Series>();
  private readonly times = new Map<string, Histogram>();

  add(event: LatencyEvent, ms: number): void {
    const whole = Math.floor(ms);
    if (this.thresholdMs === 0 || whole < this.thresholdMs) return;
    const at = Math.floor(Date.now() / 1_000);
    let series = this.series.get(event);
    if (series === undefined) this.series.set(event, (series = { samples: [], highest: 0 }));
    series.highest = Math.max(series.highest, whole);
    const { samples } = series;
    const last = samples.at(-1);
    if (last?.at === at) samples[samples.length - 1] = { at, ms: Math.max(last.ms, whole) };
    else samples.push({ at, ms: whole });
    if (samples.length > RESP_LATENCY_SAMPLES_MAX) samples.shift();
  }

  names(): LatencyEvent[] {
    return [...this.series.keys()].sort();
  }

  samplesOf(name: string): readonly LatencySample[] {
    return this.series.get(name as LatencyEvent)?.samples ?? [];
  }

  highestOf(name: LatencyEvent): number {
    return this.series.get(name)?.highest ?? 0;
  }

  /** Returns whether there was such an event. */
  forget(name: string): boolean {
    return this.series.delete(name as LatencyEvent);
  }

  timed(command: string, ms: number): void {
    let histogram = this.times.get(command);
    if (histogram === undefined) this.times.set(command, (histogram = new Histogram(BOUNDS_MICROS)));
    histogram.record(ms * 1_000);
  }

  /** Names of the commands that have been timed. */
  timedNames(): string[] {
    return [...this.times.keys()].sort();
  }

  /** Cumulative counts per bucket bound in microseconds, without the bounds at which the count does not grow. */
  stepsOf(command: string): { readonly micros: number; readonly count: number }[] {
    const histogram = this.times.get(command);
    if (histogram === undefined) return [];
    const steps: { micros: number; count: number }[] = [];
    let before = 0;
    for (const bound of histogram.bounds) {
      const count = histogram.countUpTo(bound);
      if (count > before) steps.push({ micros: Math.floor(bound), count });
      before = count;
    }
    return steps;
  }

  /** The given quantile (0..1) of the command's times, in microseconds. */
  microsOf(command: string, share: number): number {
    return this.times.get(command)?.quantileOfAll(share) ?? 0;
  }

  callsOf(command: string): number {
    return this.times.get(command)?.count ?? 0;
  }

  /** For CONFIG RESETSTAT. */
  forgetTimes(): void {
    this.times.clear();
  }
}
