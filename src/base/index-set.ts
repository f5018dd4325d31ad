/**
 * A set of integers below a bound, iterated in ascending order: one byte each, so that thousands of members cost no
 * more than the bound, and adding one allocates nothing.
 */
export class IndexSet {
  private readonly flags: Uint8Array;
  private count = 0;

  constructor(bound: number) {
    this.flags = new Uint8Array(bound);
  }

  get size(): number {
    return this.count;
  }

  has(index: number): boolean {
    return this.flags[index] === 1;
  }

  add(index: number): void {
    if (this.flags[index] !== 0) return;
    this.flags[index] = 1;
    this.count += 1;
  }

  delete(index: number): void {
    if (this.flags[index] !== 1) return;
    this.flags[index] = 0;
    this.count -= 1;
  }

  clear(): void {
    if (this.count > 0) this.flags.fill(0);
    this.count = 0;
  }

  /** The first member at or after `from`; -1 if there is none. */
  next(from: number): number {
    if (this.count === 0) return -1;
    // Usually the next index is a member too; a call into the runtime costs more than checking.
    return this.flags[from] === 1 ? from : this.flags.indexOf(1, from);
  }
}

/** Visits those of the indexes at which the byte is zero; usually there are none. */
export function visitZeroes(bytes: Uint8Array, indexes: Uint16Array, visit: (index: number) => void): void {
  for (let at = 0; at < indexes.length; at += 1) {
    const index = indexes[at]!;
    if (bytes[index] === 0) visit(index);
  }
}
