/**
 * Pages of slots that have come before those of lower slots: they wait for these, for a moment. What reaches the store in its
 * own order lies in tables that do not overlap, and is not written again by its compactions: out of order by a few slots, all
 * of it was written twice. Several owners are asked at once, and what they answer comes in any order. (decisions/0057)
 */
import { PAGES_WAITING_MAX, PAGE_WAIT_MS_MAX } from '../core/copy-limits.ts';

interface WaitingPage {
  readonly since: number;
  readonly byteCount: number;
  readonly apply: () => void;
}

export class PagesInOrder {
  private readonly waiting = new Map<number, WaitingPage>();
  /** The lowest slot of which a page is on its way; Infinity: none is. */
  private readonly lowestAwaited: () => number;
  private isReleasing = false;

  constructor(lowestAwaited: () => number) {
    this.lowestAwaited = lowestAwaited;
  }

  /** Slots whose page waits here. */
  get size(): number {
    return this.waiting.size;
  }

  /** One page of a slot at a time. `apply` is called once, within this call or a later `release`, unless all are dropped. */
  add(slot: number, byteCount: number, now: number, apply: () => void): void {
    this.waiting.set(slot, { since: now, byteCount, apply });
    this.release(now);
  }

  /** Those whose turn it is, or that have waited long enough. */
  release(now: number): void {
    // Applying one makes room, for which others are asked, which asks for this again.
    if (this.isReleasing) return;
    this.isReleasing = true;
    while (this.waiting.size > 0) {
      const slot = Math.min(...this.waiting.keys());
      const page = this.waiting.get(slot)!;
      const isFull = this.waiting.size > PAGES_WAITING_MAX;
      const isTurn = slot < this.lowestAwaited() || now - page.since >= PAGE_WAIT_MS_MAX;
      if (!isTurn && !isFull) break;
      this.waiting.delete(slot);
      page.apply();
    }
    this.isReleasing = false;
  }

  /** None of them is applied any more; `dropped` is told the bytes of each. */
  clear(dropped: (byteCount: number) => void): void {
    for (const { byteCount } of this.waiting.values()) dropped(byteCount);
    this.waiting.clear();
  }
}
