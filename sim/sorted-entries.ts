/**
 * A map whose keys can be listed in their order. The order is kept while few keys come and go between two listings;
 * beyond that it is made anew at the next one.
 */
import { compareUtf8 } from '../src/base/utf8-order.ts';

/** After this many keys have come or gone since the last listing, the order is dropped until it is needed again. */
const CHANGES_MAX = 32;

export class SortedEntries {
  private readonly entries = new Map<string, Uint8Array>();
  /** Null if nobody has listed the keys lately. */
  private keys: string[] | null = null;
  /** Keys that came or went since the last listing. */
  private changes = 0;

  get(key: string): Uint8Array | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: Uint8Array): void {
    if (this.keys !== null && !this.entries.has(key)) this.reorder(this.keys, key, true);
    this.entries.set(key, value);
  }

  delete(key: string): void {
    if (this.entries.delete(key) && this.keys !== null) this.reorder(this.keys, key, false);
  }

  clear(): void {
    this.entries.clear();
    this.keys = null;
  }

  /** In any order. */
  all(): IterableIterator<[string, Uint8Array]> {
    return this.entries.entries();
  }

  /** Changed by the next `set` or `delete`. */
  sortedKeys(): readonly string[] {
    this.changes = 0;
    this.keys ??= [...this.entries.keys()].sort(compareUtf8);
    return this.keys;
  }

  private reorder(keys: string[], key: string, comes: boolean): void {
    this.changes += 1;
    if (this.changes > CHANGES_MAX) this.keys = null;
    else if (comes) keys.splice(placeOf(keys, key), 0, key);
    else keys.splice(placeOf(keys, key), 1);
  }
}

/** The first index at which `key` could be. */
export function placeOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
