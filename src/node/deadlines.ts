/**
 * One queue for all deadlines, checked on a coarse tick: an operation costs an insertion into a bucket instead of a
 * timer of its own (300 to 450 ns). Accurate to one bucket.
 */
const BUCKET_MS = 20;

export interface Expiring {
  /** Monotonic ms. */
  readonly deadlineAt: number;
  onDeadline(): void;
}

export class Deadlines {
  private readonly buckets = new Map<number, Set<Expiring>>();
  private next: number;

  constructor(now: number) {
    this.next = Math.floor(now / BUCKET_MS);
  }

  add(item: Expiring): void {
    const bucket = Math.max(this.next, Math.ceil(item.deadlineAt / BUCKET_MS));
    let items = this.buckets.get(bucket);
    if (items === undefined) this.buckets.set(bucket, (items = new Set()));
    items.add(item);
  }

  remove(item: Expiring): void {
    const bucket = Math.ceil(item.deadlineAt / BUCKET_MS);
    const items = this.buckets.get(bucket);
    if (items?.delete(item) === true && items.size === 0) this.buckets.delete(bucket);
  }

  tick(now: number): void {
    const last = Math.floor(now / BUCKET_MS);
    if (last - this.next > this.buckets.size + 64) {
      // Iterating over the existing buckets stays cheap even after a long pause.
      const due = [...this.buckets.keys()].filter((bucket) => bucket <= last).sort((a, b) => a - b);
      this.next = last + 1;
      for (const bucket of due) this.expire(bucket);
      return;
    }
    for (; this.next <= last;) {
      const bucket = this.next;
      this.next += 1;
      this.expire(bucket);
    }
  }

  private expire(bucket: number): void {
    const items = this.buckets.get(bucket);
    if (items === undefined) return;
    this.buckets.delete(bucket);
    for (const item of items) item.onDeadline();
  }
}
