/** One system relative to another, repeat by repeat of the same run: other load on the machine affects both. */
import { round, shown } from '../report.ts';
import { median } from '../statistics.ts';

export interface Ratio {
  readonly median: number;
  /** The interval that contains all repeats. */
  readonly low: number;
  readonly high: number;
  readonly repeats: number;
}

/** The ratio of the first to the second, in pairs. Undefined if there are none. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio | undefined {
  const ratios = ours.flatMap((one, at) => ((theirs[at] ?? 0) > 0 ? [one / theirs[at]!] : []));
  if (ratios.length === 0) return undefined;
  return {
    median: median(ratios),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    repeats: ratios.length,
  };
}

export function ratioText({ median: middle, low, high }: Ratio): string {
  return `${twoDigits(middle)} (${twoDigits(low)} to ${twoDigits(high)})`;
}

export function twoDigits(value: number): string {
  return value >= 100 ? shown(value) : String(round(value, value < 1 ? 3 : 2));
}
