/**
 * Rows whose locks somebody holds in PostgreSQL, as it has reported. They are probed together every second, without
 * waiting for the locks. New writes of their keys wait with them, so that no statement with other rows runs into the
 * locks.
 */
import { ChurningMap } from '../../base/churning-map.ts';

/** Milliseconds between two probes. */
export const HELD_PAUSE_MS = 1_000;

export class HeldRows<Item> {
  /** By key. */
  readonly rows = new ChurningMap<string, Item>();
  private since = Infinity;
  private notBefore = -Infinity;

  /** The rows were probed just now. `since`: monotonic ms since when the oldest of them has waited. */
  wait(since: number, now: number): void {
    this.since = Math.min(this.since, since);
    this.notBefore = now + HELD_PAUSE_MS;
  }

  /** Monotonic ms; Infinity if there are none. A lower bound while there are some. */
  oldestSince(): number {
    return this.rows.size === 0 ? Infinity : this.since;
  }

  isDue(now: number): boolean {
    return this.rows.size > 0 && now >= this.notBefore;
  }

  /** All rows were taken out. */
  forgetSince(): void {
    if (this.rows.size === 0) this.since = Infinity;
  }

  clear(): void {
    this.rows.clear();
    this.forgetSince();
  }
}
