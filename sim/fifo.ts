/**
 * A FIFO for queues that are mostly empty and never long. It reuses its memory, while an array that is emptied gives
 * its memory away each time.
 */

/** Up to this many used places may remain in front while the queue is not empty. */
const HEAD_MAX = 1024;

export class Fifo<T> {
  private readonly items: (T | undefined)[] = [];
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  push(item: T): void {
    this.items[this.tail] = item;
    this.tail += 1;
  }

  /** The next element; undefined if there is none. */
  first(): T | undefined {
    return this.head < this.tail ? this.items[this.head] : undefined;
  }

  shift(): T | undefined {
    if (this.head === this.tail) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head === this.tail) this.head = this.tail = 0;
    else if (this.head === HEAD_MAX) this.close();
    return item;
  }

  /** Keeps only the first `length` elements. */
  cut(length: number): void {
    while (this.length > length) {
      this.tail -= 1;
      this.items[this.tail] = undefined;
    }
  }

  private close(): void {
    this.items.splice(0, this.head);
    this.tail -= this.head;
    this.head = 0;
  }
}
