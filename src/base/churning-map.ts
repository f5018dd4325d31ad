/**
 * A `Map` for thousands of entries per second of which few are present at a time.
 *
 * V8 builds a new table for a `Map` when as many entries were deleted as it has room for, and keeps a pointer from the
 * old table to the new one for active iterators (`OrderedHashTable::Rehash`). Once one table has reached the old
 * generation, it keeps all its successors from being collected with the young generation, and with each everything that
 * the map held at that moment: in a node that takes writes from others, a sixth of all allocations outlived their use
 * by seconds. So the map is replaced before that happens.
 */

/** Entries deleted after which the map is replaced, if no more are left than were deleted: a copy costs as much as a rehash. */
const DELETED_MIN = 512;

export class ChurningMap<Key, Value> {
  private map = new Map<Key, Value>();
  private deletedCount = 0;
  /** Active iterations, which would not see entries added to a replacement map. */
  private readers = 0;

  get size(): number {
    return this.map.size;
  }

  get(key: Key): Value | undefined {
    return this.map.get(key);
  }

  has(key: Key): boolean {
    return this.map.has(key);
  }

  set(key: Key, value: Value): void {
    if (this.deletedCount >= DELETED_MIN && this.deletedCount >= this.map.size && this.readers === 0) {
      this.deletedCount = 0;
      this.map = new Map(this.map);
    }
    this.map.set(key, value);
  }

  delete(key: Key): boolean {
    const wasThere = this.map.delete(key);
    if (wasThere) this.deletedCount += 1;
    return wasThere;
  }

  clear(): void {
    if (this.readers > 0) this.map.clear();
    else this.map = new Map();
    this.deletedCount = 0;
  }

  /** In insertion order. Entries added meanwhile are visited too, and removed ones are not. */
  *values(): Generator<Value, void> {
    this.readers += 1;
    try {
      yield* this.map.values();
    } finally {
      this.readers -= 1;
    }
  }

  /** In the same order as `values`. */
  *keys(): Generator<Key, void> {
    for (const [key] of this.entries()) yield key;
  }

  /** In the same order as `values`. */
  *entries(): Generator<[Key, Value], void> {
    this.readers += 1;
    try {
      yield* this.map.entries();
    } finally {
      this.readers -= 1;
    }
  }
}
