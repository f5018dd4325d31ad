/**
 * Batches that PostgreSQL refused because of some of their rows: their content, or a lock that somebody holds. A batch
 * is halved until the row is alone; then it is tried by itself, less and less often. These attempts alternate with
 * other writes, so that one row does not hold up all others.
 */

/** Milliseconds before a single row is tried again; doubled each time. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 16_000;

export interface Part<Item> {
  readonly items: readonly Item[];
  /** Monotonic ms since when the oldest of these rows has waited. */
  readonly since: number;
  /** Milliseconds of the last pause of a single row; 0 if it was not alone yet. */
  readonly pausedMs: number;
}

export class RefusedRows<Item> {
  private parts: (Part<Item> & { readonly notBefore: number })[] = [];
  private wasTaken = false;

  get count(): number {
    return this.parts.reduce((sum, { items }) => sum + items.length, 0);
  }

  /** Monotonic ms; Infinity if there are none. */
  oldestSince(): number {
    return this.parts.reduce((oldest, { since }) => Math.min(oldest, since), Infinity);
  }

  /** Returns the milliseconds after which there is something to take. */
  add({ items, since, pausedMs }: Part<Item>, now: number): number {
    if (items.length === 1) {
      const pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, 2 * pausedMs));
      this.parts.push({ items, since, pausedMs: pauseMs, notBefore: now + pauseMs });
      return pauseMs;
    }
    const half = items.length >> 1;
    for (const each of [items.slice(0, half), items.slice(half)])
      this.parts.push({ items: each, since, pausedMs: 0, notBefore: now });
    return 0;
  }

  /** Undefined if none is due, or it is the turn of other writes, if there are any. */
  take(now: number, hasOthers: boolean): Part<Item> | undefined {
    if (this.parts.length === 0) return undefined;
    this.wasTaken = !(this.wasTaken && hasOthers);
    if (!this.wasTaken) return undefined;
    const at = this.parts.findIndex(({ notBefore }) => notBefore <= now);
    return at < 0 ? undefined : this.parts.splice(at, 1)[0];
  }

  /** Takes one of the rows that are alone. */
  takeAlone(isSought: (item: Item) => boolean): Part<Item> | undefined {
    const at = this.parts.findIndex(({ items, pausedMs }) => pausedMs > 0 && isSought(items[0]!));
    return at < 0 ? undefined : this.parts.splice(at, 1)[0];
  }

  isDue(now: number): boolean {
    return this.parts.some(({ notBefore }) => notBefore <= now);
  }

  clear(): void {
    this.parts = [];
  }
}
