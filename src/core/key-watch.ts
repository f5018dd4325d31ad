/**
 * Keys that clients of this node keep copies of, and what they are owed for it: word of every change. An owner hears of
 * each write before it is acknowledged, and of each version that becomes readable; who owns nothing of a slot has the owner
 * that answers a read watch on its behalf (watch-abroad.ts, watch-for-peers.ts). What cannot be known is told as changed:
 * a copy that is dropped for nothing costs a read, one that is kept too long is a lie. (decision 23)
 */
import { WATCH_UNSURE_EVERY_MS } from './client-limits.ts';
import { LEASE_MS } from './limits.ts';
import type { Mutations } from './mutations.ts';
import type { SlotView } from './replication/slot-view.ts';
import { slotOf } from './slots.ts';
import { memberById } from './topology.ts';
import { WatchAbroad } from './watch-abroad.ts';
import { WatchForPeers } from './watch-for-peers.ts';
import type { WatchMessage } from './watch-message.ts';

/** Called in the midst of an event: whoever listens notes what is to be done, and asks this node for nothing. */
export interface WatchListener {
  /** What was read of this key is not to be kept, nor what is being read. It is not watched any more. */
  changed(key: string): void;
  /** The same of every key; none is watched any more. */
  allChanged(): void;
  /** Only while changes of all keys are listened to: another version of this one can be read; 0: which one is not known. */
  settled(key: string, version: number): void;
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
  /** Nobody keeps it any more. */
  unwatch(key: string): void;
  /** Whether changes of all keys are listened to. */
  watchAll(isWanted: boolean): void;
}

const NOBODY_WANTED: readonly string[] = [];

export const NOBODY: WatchListener = {
  changed: () => undefined,
  allChanged: () => undefined,
  settled: () => undefined,
  unsure: () => undefined,
};

/** How a node reaches others that watch for it, or that it watches for. */
export interface WatchLinks {
  /** Whether the peer understands such messages: a link is up, and has the version. */
  readonly canAsk: (peer: string) => boolean;
  /** What is sent to a peer that does not understand it is lost. */
  readonly send: (peer: string, message: WatchMessage) => void;
  /** Drawn: no other process of this name begins there. */
  readonly sessionFirst: number;
}

const NO_LINKS: WatchLinks = { canAsk: () => false, send: () => undefined, sessionFirst: 1 };

export class KeyWatch implements KeyWatching {
  /** Where others watch for this node, and where it watches for them. */
  readonly abroad: WatchAbroad;
  readonly forPeers: WatchForPeers;
  private readonly mutations: Mutations;
  private listener = NOBODY;
  private readonly watched = new Set<string>();
  private wantsAll = false;
  /** While all changes are listened to: keys that are being changed, and monotonic ms of the last word of them. */
  private readonly unsettled = new Map<string, number>();
  /** Of those: in flight when a higher version came. What was outranked may be another's, and is not told by itself. */
  private readonly outranked = new Set<string>();
  /** The epoch in which this process acts; null: in none. */
  private view: SlotView | null = null;
  /** Monotonic ms, of the last tick: precise enough, and costs a write no look at a clock. */
  private now = 0;
  /** Monotonic ms of the last word that any key may have changed. */
  private unsureAt = -Infinity;
  /** Who comes first in the slots that this node does not own, by name. */
  private foreign: readonly string[] = [];
  /** Changes of all keys were heard of since it was last said that any may have changed. */
  private heardAll = false;
  private isDeaf = true;

  constructor(mutations: Mutations, links: WatchLinks = NO_LINKS) {
    this.mutations = mutations;
    this.forPeers = new WatchForPeers(links);
    this.abroad = new WatchAbroad({
      mutations,
      canAsk: links.canAsk,
      ask: links.send,
      onLost: (keys) => {
        this.heardAll = false;
        for (const key of keys) this.tell(key);
      },
    });
  }

  listen(listener: WatchListener): void {
    this.listener = listener;
  }

  watch(key: string): void {
    this.watched.add(key);
  }

  unwatch(key: string): void {
    if (this.watched.delete(key)) this.abroad.forget(key);
  }

  watchAll(isWanted: boolean): void {
    this.wantsAll = isWanted;
    // A peer that is told of all waits for the same to be settled.
    if (!this.forPeers.tellsAll) {
      this.unsettled.clear();
      this.outranked.clear();
    }
    this.unsureAt = -Infinity;
    this.heardAll = false;
  }

  /** A higher version is being stored: the one that was read is not readable here any more. */
  adopted(key: string): void {
    if (this.watched.size > 0) this.tell(key);
    if (this.forPeers.keyCount > 0) this.forPeers.changed(key);
    if (!this.wantsAll && !this.forPeers.tellsAll) return;
    if (this.unsettled.has(key)) this.outranked.add(key);
    this.unsettled.set(key, this.now);
  }

  /** A version became readable: no node answers a read that begins from now on with an earlier one. */
  settled(key: string, version: number): void {
    if (!this.wantsAll && !this.forPeers.tellsAll) return;
    this.unsettled.delete(key);
    this.tellSettled(key, this.outranked.delete(key) ? 0 : version);
  }

  /**
   * A read of this key is handed to another node. True: that one is to watch the key, for clients of this node keep it.
   * `isForOther`: the read is another node's, which is not told of what only the third hears.
   */
  handsOver(key: string, peer: string, isForOther: boolean): boolean {
    if (this.mutations.watchUnheard === true || !(isForOther || this.watched.has(key))) return false;
    if (!isForOther && this.abroad.begin(key, peer)) return true;
    this.tell(key);
    this.forPeers.changed(key);
    return false;
  }

  /** The owner has answered. `session`: under which it watches the key; 0: it does not. */
  answered(key: string, peer: string, session: number): void {
    if (session !== 0) this.abroad.answered(peer, session);
    else this.tell(key);
  }

  /** `from`: the member id of the peer. */
  onMessage(peer: string, from: number, message: WatchMessage): void {
    switch (message.kind) {
      case 'watchAsk': {
        const epoch = this.isDeaf ? 0 : (this.view?.topology.epoch ?? 0);
        return this.forPeers.asked(peer, from, message, epoch);
      }
      case 'watchHeard':
        return this.abroad.heard(peer, message);
      case 'watchAllTold':
        return this.abroad.lose(peer);
      case 'watchTold':
        if (message.what === 'changed') this.tell(message.key);
        else if (this.wantsAll) this.listener.settled(message.key, message.version);
    }
  }

  /** A link to the peer has come up or gone: what was told it before may be lost. */
  onLink(peer: string): void {
    this.forPeers.onLinkLost(peer);
  }

  /** This process acts in another epoch, or in none. `isNext`: no epoch was missed. */
  onEpoch(view: SlotView | null, isNext: boolean): void {
    const before = this.view;
    this.view = view;
    this.foreign = foreignIn(view);
    this.heardAll = false;
    if (this.mutations.watchOverEpochs === true) return;
    if (before === null || view === null || !isNext) return this.tellAll();
    const isLost = (slot: number): boolean => !before.row(slot).owns || !view.row(slot).owns;
    for (const key of this.watched) if (isLost(slotOf(key))) this.tell(key);
    this.forPeers.changedWhere(isLost);
    let isLess = false;
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
    this.isDeaf = leaselessMs >= LEASE_MS;
    if (this.isDeaf && (this.watched.size > 0 || this.forPeers.keyCount > 0)) this.tellAll();
    this.abroad.tick(now, this.wantsAll ? this.foreign : NOBODY_WANTED);
    this.tellUnsettled(isInvalid);
    if (this.wantsAll) this.judgeHearing();
  }

  /** Acknowledged it may be all the same: where a higher version met it, that one alone will be readable. */
  private tellUnsettled(isInvalid: (key: string) => boolean): void {
    for (const [key, since] of this.unsettled) {
      if (this.now - since < WATCH_UNSURE_EVERY_MS) continue;
      if (isInvalid(key)) this.unsettled.set(key, this.now);
      else this.unsettled.delete(key);
      this.outranked.delete(key);
      this.tellSettled(key, 0);
    }
  }

  /** Is every change heard of, here or by those who tell? Once it is, what came before may still have been missed. */
  private judgeHearing(): void {
    const epoch = this.view?.topology.epoch ?? 0;
    const hearsAll =
      !this.isDeaf && epoch > 0 && this.foreign.every((peer) => this.abroad.tellsAll(peer, epoch));
    const isTold = hearsAll ? this.heardAll : this.now - this.unsureAt < WATCH_UNSURE_EVERY_MS;
    this.heardAll = hearsAll;
    if (isTold || (hearsAll && this.foreign.length === 0)) return;
    this.unsureAt = this.now;
    this.sayUnsure();
  }

  private tellSettled(key: string, version: number): void {
    if (this.forPeers.tellsAll) this.forPeers.settled(key, version, this.view);
    if (this.wantsAll) this.listener.settled(key, version);
  }

  private tell(key: string): void {
    if (!this.watched.delete(key)) return;
    this.abroad.forget(key);
    this.listener.changed(key);
  }

  private tellAll(): void {
    this.watched.clear();
    this.abroad.forgetAll();
    this.forPeers.allChanged();
    this.listener.allChanged();
    this.sayUnsure();
  }

  private sayUnsure(): void {
    if (this.wantsAll) this.listener.unsure();
  }
}

/** Slots that nobody serves have nobody to tell of them: '' is no peer. */
function foreignIn(view: SlotView | null): readonly string[] {
  if (view === null) return [];
  const ids = new Set(view.rows.filter((row) => !row.owns).map((row) => row.first));
  return [...ids].map((id) => memberById(view.topology, id)?.name ?? '');
}
