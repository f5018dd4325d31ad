/**
 * Keys that clients of this node keep copies of, and what they are owed for it: word of every change. An owner hears of
 * each write before it is acknowledged, and of each version that becomes readable; who owns nothing of a slot hears
 * nothing, and neither does who was left out. What cannot be known is told as changed: a copy that is dropped for
 * nothing costs a read, one that is kept too long is a lie. (decision 23)
 */
import { LEASE_MS, WATCH_UNSURE_EVERY_MS } from './limits.ts';
import type { Mutations } from './mutations.ts';
import type { SlotView } from './replication/slot-view.ts';
import { slotOf } from './slots.ts';

/** Called in the midst of an event: whoever listens notes what is to be done, and asks this node for nothing. */
export interface WatchListener {
  /** What was read of this key is not to be kept, nor what is being read. It is not watched any more. */
  changed(key: string): void;
  /** The same of every key; none is watched any more. */
  allChanged(): void;
  /** Only while changes of all keys are listened to: another version of this one can be read. */
  settled(key: string): void;
  /** Only then: any key may have changed unheard. */
  unsure(): void;
}

/** What a node offers to those of its clients that keep what they read. */
export interface KeyWatching {
  /** There is one listener: the Redis door. */
  listen(listener: WatchListener): void;
  /**
   * Before a read of the key is begun: from now on `changed` is called once, as soon as the key changes, or may have. What
   * is being read then is not to be kept either.
   */
  watch(key: string): void;
  /** Whether changes of all keys are listened to. */
  watchAll(isWanted: boolean): void;
}

export const NOBODY: WatchListener = {
  changed: () => undefined,
  allChanged: () => undefined,
  settled: () => undefined,
  unsure: () => undefined,
};

export class KeyWatch implements KeyWatching {
  private readonly mutations: Mutations;
  private listener = NOBODY;
  private readonly watched = new Set<string>();
  private wantsAll = false;
  /** While all changes are listened to: keys that are being changed, and monotonic ms of the last word of them. */
  private readonly unsettled = new Map<string, number>();
  /** The epoch in which this process acts; null: in none. */
  private view: SlotView | null = null;
  /** Monotonic ms, of the last tick: precise enough, and costs a write no look at a clock. */
  private now = 0;
  /** Monotonic ms of the last word that any key may have changed. */
  private unsureAt = -Infinity;

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  get watchedCount(): number {
    return this.watched.size;
  }

  listen(listener: WatchListener): void {
    this.listener = listener;
  }

  watch(key: string): void {
    this.watched.add(key);
  }

  watchAll(isWanted: boolean): void {
    this.wantsAll = isWanted;
    this.unsettled.clear();
    this.unsureAt = -Infinity;
  }

  /** A higher version is being stored: the one that was read is not readable here any more. */
  adopted(key: string): void {
    if (this.watched.size > 0) this.tell(key);
    if (this.wantsAll) this.unsettled.set(key, this.now);
  }

  /** A version became readable: no node answers a read that begins from now on with an earlier one. */
  settled(key: string): void {
    if (!this.wantsAll) return;
    this.unsettled.delete(key);
    this.listener.settled(key);
  }

  /** A read of this key is answered by another node, whose writes are not all heard of here. */
  handedOver(key: string): void {
    if (this.watched.size > 0 && this.mutations.watchUnheard !== true) this.tell(key);
  }

  /** This process acts in another epoch, or in none. `isNext`: no epoch was missed. */
  onEpoch(view: SlotView | null, isNext: boolean): void {
    const before = this.view;
    this.view = view;
    if (this.mutations.watchOverEpochs === true) return;
    if (before === null || view === null || !isNext) return this.tellAll();
    let isLess = false;
    for (const key of this.watched) {
      const slot = slotOf(key);
      if (!before.row(slot).owns || !view.row(slot).owns) this.tell(key);
    }
    for (const row of view.rows) isLess ||= !row.owns;
    for (const row of before.rows) isLess ||= !row.owns;
    if (isLess) this.sayUnsure();
  }

  /**
   * Every tick. `leaselessMs`: since this process last held a lease. Once it has been without one for as long as a lease
   * lasts, writes may be acknowledged that it does not hear of: it may have been left out. `isInvalid`: is in flight here.
   */
  tick(now: number, leaselessMs: number, isInvalid: (key: string) => boolean): void {
    this.now = now;
    const isDeaf = leaselessMs >= LEASE_MS;
    if (isDeaf && this.watched.size > 0) this.tellAll();
    if (!this.wantsAll) return;
    // Acknowledged it may be all the same: where a higher version met it, that one alone will be readable.
    for (const [key, since] of this.unsettled) {
      if (now - since < WATCH_UNSURE_EVERY_MS) continue;
      if (isInvalid(key)) this.unsettled.set(key, now);
      else this.unsettled.delete(key);
      this.listener.settled(key);
    }
    if (now - this.unsureAt < WATCH_UNSURE_EVERY_MS) return;
    const hearsAll = !isDeaf && this.view !== null && this.view.rows.every((row) => row.owns);
    if (hearsAll) return;
    this.unsureAt = now;
    this.listener.unsure();
  }

  private tell(key: string): void {
    if (this.watched.delete(key)) this.listener.changed(key);
  }

  private tellAll(): void {
    this.watched.clear();
    this.listener.allChanged();
    this.sayUnsure();
  }

  private sayUnsure(): void {
    if (this.wantsAll) this.listener.unsure();
  }
}
