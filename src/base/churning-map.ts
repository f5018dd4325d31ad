/**
 * A `Map` through which thousands of entries pass a second while few are there at a time.
 *
 * V8 makes the table of a `Map` anew when as many entries were deleted as there is room for, and lets the old table point to
 * the new one, for iterators that are under way (`OrderedHashTable::Rehash`). Once one table has come into the old generation,
 * it keeps all that follow it from being collected with the young one, and with each whatever the map held at that moment: in a
 * node that takes writes of others, a sixth of all that it allocated outlived its use by seconds. So the map is replaced before
 * that.
 */

/** Entries deleted after which the map is replaced, if no more are left than were deleted: a copy costs as much as a rehash. */
const DELETED_MIN = 512;

export class ChurningMap<Key, Value> {
  private map = new Map<Key, Value>();
  private deletedCount = 0;
  /** Iterations under way, which would not see what comes into another map. */
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

  /** In the order in which they came; what comes meanwhile is seen, too, and what goes is not. */
  *values(): Generator<Value, void> {
    this.readers += 1;
    try {
      yield* this.map.values();
    } finally {
      this.readers -= 1;
    }
  }

  /** As `values`. */
  *keys(): Generator<Key, void> {
    for (const [key] of this.entries()) yield key;
  }

  /** As `values`. */
  *entries(): Generator<[Key, Value], void> {
    this.readers += 1;
    try {
      yield* this.map.entries();
    } finally {
      this.readers -= 1;
    }
  }
}
