/** The last minutes, as charts show them: a sample for each snapshot, and a gap where there was none. */
import type { LiveQuantiles, LiveRates, LiveSnapshot } from '../src/servers/http/live-shape.ts';

export const SHOWN_MS = 180_000;
/** A page that was just opened has little data, and shows it larger. */
export const SHOWN_MS_MIN = 60_000;
/** Milliseconds without a snapshot that are shown as a gap. */
const GAP_MS = 3_500;

interface NodeSample {
  readonly rates: LiveRates | null;
  readonly readMs: LiveQuantiles | null;
  readonly writeMs: LiveQuantiles | null;
}

export interface Sample {
  readonly at: number;
  readonly nodes: ReadonlyMap<string, NodeSample>;
}

/** Columns of a chart: times in seconds, then one column for each line; null is a gap. */
export type Columns = [number[], ...(number | null)[][]];

/**
 * Ignores a snapshot that is older than the last one, which was received twice; one from an entirely different time
 * starts over.
 */
export function withSample(samples: readonly Sample[], { at, nodes }: LiveSnapshot): readonly Sample[] {
  const last = samples.at(-1)?.at ?? 0;
  if (at <= last && last - at < SHOWN_MS) return samples;
  const sample = {
    at,
    nodes: new Map(
      nodes.map(({ name, told }) => [
        name,
        { rates: told?.rates ?? null, readMs: told?.readMs ?? null, writeMs: told?.writeMs ?? null },
      ]),
    ),
  };
  return [...samples.filter((one) => one.at > at - SHOWN_MS && one.at < at), sample];
}

export type Line = (sample: Sample) => number | null;

export function columnsOf(samples: readonly Sample[], lines: readonly Line[]): Columns {
  const columns: Columns = [[], ...lines.map((): (number | null)[] => [])];
  let before = 0;
  const [times, ...values] = columns;
  for (const sample of samples) {
    if (before > 0 && sample.at - before > GAP_MS) {
      times.push((before + 1) / 1_000);
      for (const column of values) column.push(null);
    }
    before = sample.at;
    times.push(sample.at / 1_000);
    values.forEach((column, at) => column.push(lines[at]!(sample)));
  }
  return columns;
}

/** The sum over all nodes; null if no node has reported. */
export function total(rate: keyof LiveRates): Line {
  return ({ nodes }) => {
    let sum: number | null = null;
    for (const { rates } of nodes.values()) if (rates !== null) sum = (sum ?? 0) + rates[rate];
    return sum;
  };
}

export function rateOf(name: string, rate: keyof LiveRates): Line {
  return ({ nodes }) => nodes.get(name)?.rates?.[rate] ?? null;
}

/** The 99th percentile of the slowest node: percentiles of several nodes cannot be added up. */
export function slowestP99(kind: 'readMs' | 'writeMs'): Line {
  return (sample) => {
    const all = quantilesIn(sample, kind).map(({ p99 }) => p99);
    return all.length === 0 ? null : Math.max(...all);
  };
}

/** The median of the median node, weighted by the number of operations of each. */
export function typicalP50(kind: 'readMs' | 'writeMs'): Line {
  return (sample) => {
    const all = quantilesIn(sample, kind).sort((a, b) => a.p50 - b.p50);
    let left = all.reduce((sum, { count }) => sum + count, 0) / 2;
    return all.find(({ count }) => (left -= count) <= 0)?.p50 ?? null;
  };
}

function quantilesIn({ nodes }: Sample, kind: 'readMs' | 'writeMs'): LiveQuantiles[] {
  return [...nodes.values()].map((node) => node[kind]).filter((one) => one !== null);
}
