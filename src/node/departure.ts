/**
 * When a batch is sent. The cost is per batch and not per item: a sync, a frame or a statement each take some hundred
 * microseconds of a core, summed over all nodes involved. Under load, therefore, a batch waits a moment for more
 * items. Otherwise it is sent at the end of the turn of the event loop in which it was begun.
 */
import { GATHER_ITEMS_MIN, GATHER_MANY_ITEMS_MIN, GATHER_MANY_MS, GATHER_MS } from '../core/gather-limits.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * How long (ms) a batch of `count` items may wait for more, given how many items the batch before had. Where all
 * clients ask for the next thing once the last one is answered, no more items will come than came before.
 */
export function gatherMs(count: number, countBefore: number): number {
  return countBefore >= GATHER_ITEMS_MIN && count < countBefore ? GATHER_MS : 0;
}

/** The same for a batch of the store, which may wait longer: its writes wait for the other owners' disks anyway. */
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

  /** `leave` is called in an event of its own, at most once for all calls of `ask` before it. */
  constructor(clock: Clock, leave: () => void) {
    this.clock = clock;
    this.leave = leave;
  }

  /**
   * Asks for `leave` at the end of this turn (0), or within `withinMs` milliseconds. Of several calls with a delay
   * the first one counts; a call without a delay replaces it.
   */
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
