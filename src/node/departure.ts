/**
 * When a batch leaves. What costs is the batch, not what is in it: a sync, a frame, a statement each take some hundred
 * microseconds of a core over all who are concerned. So where much is going on, a batch waits a moment for more to
 * come along; where little is, it leaves with the turn of the event loop in which it was begun.
 */
import { GATHER_ITEMS_MIN, GATHER_MANY_ITEMS_MIN, GATHER_MANY_MS, GATHER_MS } from '../core/gather-limits.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * How long a batch of so many items may wait for more, by how many were in the one before. As many as before are all that
 * will come where everybody asks for the next thing when the last one is answered.
 */
export function gatherMs(count: number, countBefore: number): number {
  return countBefore >= GATHER_ITEMS_MIN && count < countBefore ? GATHER_MS : 0;
}

/** The same for a batch of the store, which others wait for anyhow: the other owners' disks are to be heard of, too. */
export function storeGatherMs(count: number, countBefore: number): number {
  const ms = gatherMs(count, countBefore);
  return ms > 0 && countBefore >= GATHER_MANY_ITEMS_MIN ? GATHER_MANY_MS : ms;
}

export class Departure {
  private readonly clock: Clock;
  private readonly leave: () => void;
  private readonly onTurn = (): void => {
    this.turnDue = false;
    this.leave();
  };
  private readonly onTime = (): void => {
    this.cancelTime = null;
    this.leave();
  };
  private turnDue = false;
  private cancelTime: (() => void) | null = null;

  /** `leave` is called from an event of its own, at most once for what was asked for. */
  constructor(clock: Clock, leave: () => void) {
    this.clock = clock;
    this.leave = leave;
  }

  /** Something waits to leave: with this turn, or within so many milliseconds. The first of several asked for counts. */
  ask(withinMs: number): void {
    if (this.turnDue) return;
    if (withinMs > 0) {
      this.cancelTime ??= this.clock.after(withinMs, this.onTime);
      return;
    }
    this.cancelTime?.();
    this.cancelTime = null;
    this.turnDue = true;
    this.clock.defer(this.onTurn);
  }
}
