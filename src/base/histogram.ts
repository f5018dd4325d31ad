/**
 * Counts values by range in plain arrays: recording a value costs about ten nanoseconds and no memory, and what was
 * recorded since an earlier moment is the difference of two copies of the counts.
 */

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  /** The number of values behind these quantiles. */
  readonly count: number;
}

export class Histogram {
  /** Ascending upper bounds, inclusive; values above the last one have a range of their own. */
  readonly bounds: Float64Array;
  private readonly counts: Float64Array;
  /** Sum and number of the values; an array, so that adding does not allocate a number object. */
  private readonly sums = new Float64Array(2);
  /** The last copy of the counts; and the number of values at that time. */
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

  /** Records `times` values known only to be no higher than the lowest bound. */
  recordLowest(times: number): void {
    this.counts[0]! += times;
    this.sums[1]! += times;
  }

  /** The number of values up to the bound, which must be one of `bounds`. */
  countUpTo(bound: number): number {
    const last = this.rangeOf(bound);
    let count = 0;
    for (let range = 0; range <= last; range += 1) count += this.counts[range]!;
    return count;
  }

  /** For a later call of `quantiles`. Must not be changed: the same copy is returned while nothing is recorded. */
  copyCounts(): Float64Array {
    if (this.copy === null || this.copyCount !== this.count) {
      this.copy = this.counts.slice();
      this.copyCount = this.count;
    }
    return this.copy;
  }

  /** The quantiles of what was recorded since the copy was made; null if nothing was. */
  quantiles(since: Float64Array | null): Quantiles | null {
    const counts = this.counts.map((count, range) => count - (since?.[range] ?? 0));
    let count = 0;
    for (const each of counts) count += each;
    if (count === 0) return null;
    return { p50: this.quantile(counts, count * 0.5), p99: this.quantile(counts, count * 0.99), count };
  }

  /** A quantile of everything recorded, which must not be empty. */
  quantileOfAll(share: number): number {
    return this.quantile(this.counts, this.count * share);
  }

  /** Assumes that the values of a range are evenly distributed in it; for the highest range, returns its lower end. */
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

  /** The first range whose bound is not lower than the value. */
  private rangeOf(value: number): number {
    const { bounds } = this;
    let low = 0;
    // The lowest range is checked first: a loop that is never late, for example, has all its values there.
    let high = value <= bounds[0]! ? 0 : bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
