/**
 * Holds back pages of slots that arrived before those of lower slots, for a moment. Data that reaches the store in its
 * own order lands in tables that do not overlap, so compaction does not rewrite it: when it was out of order by just a
 * few slots, all of it was written twice. Several owners are asked at once, and their answers come in any order.
 * (decisions/0057)
 */
import { PAGES_WAITING_MAX, PAGE_WAIT_MS_MAX } from '../../core/copying/copy-limits.ts';

interface WaitingPage {
  readonly since: number;
  readonly byteCount: number;
  readonly apply: () => void;
}

export class PagesInOrder {
  private readonly waiting = new Map<number, WaitingPage>();
  /** The lowest slot with a page on its way; Infinity if there is none. */
  private readonly lowestAwaited: () => number;
  private isReleasing = false;

  constructor(lowestAwaited: () => number) {
    this.lowestAwaited = lowestAwaited;
  }

  /** Number of slots with a page waiting here. */
  get size(): number {
    return this.waiting.size;
  }

  /**
   * Adds a slot's page; a slot has only one at a time. `apply` is called once, within this call or a later `release`,
   * unless all pages are dropped.
   */
  add(slot: number, byteCount: number, now: number, apply: () => void): void {
    this.waiting.set(slot, { since: now, byteCount, apply });
    this.release(now);
  }

  /** Applies pages whose turn it is, or that have waited long enough. */
  release(now: number): void {
    // Applying a page makes room, for which further ones are requested, which calls `release` again.
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

  /** Drops all pages; `dropped` is called with the bytes of each. */
  clear(dropped: (byteCount: number) => void): void {
    for (const { byteCount } of this.waiting.values()) dropped(byteCount);
    this.waiting.clear();
  }
}
