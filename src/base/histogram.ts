/**
 * How often values fell into which range, in plain arrays: recording one costs some ten nanoseconds and no memory, and
 * what was recorded since an earlier moment is the difference of two copies of the counts.
 */

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  /** Values that these stand on. */
  readonly count: number;
}

export class Histogram {
  /** Ascending upper ends, each within its range; what lies above the last one has a range of its own. */
  readonly bounds: Float64Array;
  private readonly counts: Float64Array;
  /** Their sum and their number; an array, so that adding to it makes no number object. */
  private readonly sums = new Float64Array(2);
  /** The last copy of the counts, and how many values there were then. */
  private copy: Float64Array | null = null;
  private copyCount = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  get sum(): number {
    return this.sums[0]!;
  }

  get count(): number {
    return this.sums[1]!;
  }

  record(value: number): void {
    this.counts[this.rangeOf(value)]! += 1;
    this.sums[0]! += value;
    this.sums[1]! += 1;
  }

  /** `times` values of which nothing is known but that they are no higher than the lowest bound. */
  recordLowest(times: number): void {
    this.counts[0]! += times;
    this.sums[1]! += times;
  }

  /** Of values up to the bound, which must be one of `bounds`. */
  countUpTo(bound: number): number {
    const last = this.rangeOf(bound);
    let count = 0;
    for (let range = 0; range <= last; range += 1) count += this.counts[range]!;
    return count;
  }

  /** For `quantiles` later on; not to be changed: it is the same again while nothing is recorded. */
  copyCounts(): Float64Array {
    if (this.copy === null || this.copyCount !== this.count) {
      this.copy = this.counts.slice();
      this.copyCount = this.count;
    }
    return this.copy;
  }

  /** Of what was recorded since the copy was made; null where nothing was. */
  quantiles(since: Float64Array | null): Quantiles | null {
    const counts = this.counts.map((count, range) => count - (since?.[range] ?? 0));
    let count = 0;
    for (const each of counts) count += each;
    if (count === 0) return null;
    return { p50: this.quantile(counts, count * 0.5), p99: this.quantile(counts, count * 0.99), count };
  }

  /** Of all that was recorded, of which there must be something. */
  quantileOfAll(share: number): number {
    return this.quantile(this.counts, this.count * share);
  }

  /** As if the values of one range lay evenly in it; the highest range tells its lower end. */
  private quantile(counts: Float64Array, rank: number): number {
    let below = 0;
    for (let range = 0; range < this.bounds.length; range += 1) {
      const here = counts[range]!;
      if (here > 0 && below + here >= rank) {
        const from = range === 0 ? 0 : this.bounds[range - 1]!;
        return from + ((this.bounds[range]! - from) * (rank - below)) / here;
      }
      below += here;
    }
    return this.bounds.at(-1) ?? 0;
  }

  /** The first range whose bound is no lower than the value. */
  private rangeOf(value: number): number {
    const { bounds } = this;
    let low = 0;
    // Of a loop that is never late, say, all values lie in the lowest range.
    let high = value <= bounds[0]! ? 0 : bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
