/** How many events happened in the last stretch of time, in a fixed number of buckets: cheap, and bounded. */

const BUCKET_COUNT = 10;

export class RollingCount {
  private readonly counts: number[] = new Array<number>(BUCKET_COUNT).fill(0);
  private readonly bucketMs: number;
  /** Number of the current bucket, counted from time 0. */
  private current = 0;

  constructor(windowMs: number) {
    this.bucketMs = windowMs / BUCKET_COUNT;
  }

  add(now: number): void {
    this.advance(now);
    this.counts[this.current % BUCKET_COUNT]! += 1;
  }

  /** Events within the window up to `now`, less at most one bucket. */
  sum(now: number): number {
    this.advance(now);
    let sum = 0;
    for (const count of this.counts) sum += count;
    return sum;
  }

  clear(): void {
    this.counts.fill(0);
  }

  private advance(now: number): void {
    const target = Math.floor(now / this.bucketMs);
    const steps = Math.min(target - this.current, BUCKET_COUNT);
    for (let step = 1; step <= steps; step++) this.counts[(this.current + step) % BUCKET_COUNT] = 0;
    this.current = Math.max(this.current, target);
  }
}
