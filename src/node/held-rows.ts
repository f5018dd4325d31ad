/**
 * Rows on which somebody holds a lock in PostgreSQL, as it has told: they are looked at together every second, which waits for nobody.
 * What is written of their keys meanwhile waits with them, so that no statement with rows of others comes upon them.
 */
import { ChurningMap } from '../base/churning-map.ts';

/** Milliseconds between two looks. */
export const HELD_PAUSE_MS = 1_000;

export class HeldRows<Item> {
  /** By key. */
  readonly rows = new ChurningMap<string, Item>();
  private since = Infinity;
  private notBefore = -Infinity;

  /** They were looked at just now. `since`: monotonic ms since when the oldest of them waits. */
  wait(since: number, now: number): void {
    this.since = Math.min(this.since, since);
    this.notBefore = now + HELD_PAUSE_MS;
  }

  /** Monotonic ms; Infinity where there is none. Never later than it is, as long as there is one. */
  oldestSince(): number {
    return this.rows.size === 0 ? Infinity : this.since;
  }

  isDue(now: number): boolean {
    return this.rows.size > 0 && now >= this.notBefore;
  }

  /** Of what was taken out nothing is left here. */
  forgetSince(): void {
    if (this.rows.size === 0) this.since = Infinity;
  }

  clear(): void {
    this.rows.clear();
    this.forgetSince();
  }
}
