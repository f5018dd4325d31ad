/** A histogram of latencies with buckets 2 % wide: enough for quantiles, in a few kilobytes for any number of them. */

const WIDTH = Math.log(1.02);
/** From a microsecond to a hundred seconds. */
const BUCKETS = Math.ceil(Math.log(1e8) / WIDTH);

export class Histogram {
  private readonly counts = new Float64Array(BUCKETS);
  private count = 0;

  add(ms: number): void {
    const bucket = (Math.log(ms * 1000) / WIDTH) | 0;
    this.counts[bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket]! += 1;
    this.count += 1;
  }

  /** Milliseconds, the middle of the bucket; 0 if nothing was added. */
  quantile(share: number): number {
    let left = Math.ceil(this.count * share);
    if (this.count === 0) return 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      left -= this.counts[bucket]!;
      if (left <= 0) return Math.exp((bucket + 0.5) * WIDTH) / 1000;
    }
    return Infinity;
  }
}
