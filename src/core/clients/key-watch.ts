/**
 * Watches the keys that this node's clients keep copies of, and announces every change to them. An owner hears of each
 * write before it is acknowledged, and of each version that becomes readable. For a slot that this node does not own,
 * the owner that answers a read watches the key on its behalf (watch-abroad.ts, watch-for-peers.ts). When in doubt, a
 * key is announced as changed: a copy dropped for nothing costs one read, but a copy kept too long is wrong. (decision
 * 23)
 */
import { WATCH_UNSURE_EVERY_MS } from './client-limits.ts';
import { LEASE_MS } from '../limits.ts';
import type { Mutations } from '../mutations.ts';
import type { SlotView } from '../replication/slot-view.ts';
import { slotOf } from '../placement/slots.ts';
import { memberById } from '../membership/topology.ts';
import { WatchAbroad } from './watch-abroad.ts';
import { WatchForPeers } from './watch-for-peers.ts';
import type { WatchMessage } from './watch-message.ts';

/**
 * The listener's methods are called in the middle of an event: they may only record what is to be done, and must not
 * call this node.
 */
export interface WatchListener {
  /** A copy of this key must not be kept, nor the result of a read in progress. The key is not watched any more. */
  changed(key: string): void;
  /** The same for every key; no key is watched any more. */
  allChanged(): void;
  /**
   * Called only while changes of all keys are watched: a new version of this key can be read. Version 0 means that it
   * is not known which.
   */
  settled(key: string, version: number): void;
  /** Called only while changes of all keys are watched: any key may have changed unheard. */
  unsure(): void;
}

/** What a node offers to clients that keep copies of what they read. */
export interface KeyWatching {
  /** There is only one listener: the Redis door. */
  listen(listener: WatchListener): void;
  /**
   * Call before starting to read the key: from now on `changed` is called once, as soon as the key changes or may have
   * changed. The result of a read in progress at that moment must not be kept either.
   */
  watch(key: string): void;
  /** No client keeps a copy of the key any more. */
  unwatch(key: string): void;
  /** Turns watching of all keys on or off. */
  watchAll(isWanted: boolean): void;
}

const NOBODY_WANTED: readonly string[] = [];

export const NOBODY: WatchListener = {
  changed: () => undefined,
  allChanged: () => undefined,
  settled: () => undefined,
  unsure: () => undefined,
};

/** How a node reaches the nodes that watch keys for it, and those it watches keys for. */
export interface WatchLinks {
  /** True if the peer understands these messages: its link is up and has the protocol version. */
  readonly canAsk: (peer: string) => boolean;
  /** A message to a peer that does not understand it is lost. */
  readonly send: (peer: string, message: WatchMessage) => void;
  /** A random number, so that no other process of this name starts its sessions there. */
  readonly sessionFirst: number;
}

const NO_LINKS: WatchLinks = { canAsk: () => false, send: () => undefined, sessionFirst: 1 };

export class KeyWatch implements KeyWatching {
  /** Keys that peers watch for this node, and keys that it watches for peers. */
  readonly abroad: WatchAbroad;
  readonly forPeers: WatchForPeers;
  private readonly mutations: Mutations;
  private listener = NOBODY;
  private readonly watched = new Set<string>();
  private wantsAll = false;
  /** While all changes are watched: keys that are being changed, with the monotonic ms of the last news of each. */
  private readonly unsettled = new Map<string, number>();
  /**
   * The subset of `unsettled` that was in flight when a higher version came. The outranked version may be another
   * client's, and is not announced by itself.
   */
  private readonly outranked = new Set<string>();
  /** The view in which this process acts; null if it acts in no epoch. */
  private view: SlotView | null = null;
  /** Monotonic ms of the last tick: precise enough, and saves reading the clock on every write. */
  private now = 0;
  /** Monotonic ms of the last notice that any key may have changed. */
  private unsureAt = -Infinity;
  /** Names of the first owners of the slots that this node does not own. */
  private foreign: readonly string[] = [];
  /** Changes of all keys have been heard of since the last notice that any may have changed. */
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
    // Peers that are told of all changes still need these entries.
    if (!this.forPeers.tellsAll) {
      this.unsettled.clear();
      this.outranked.clear();
    }
    this.unsureAt = -Infinity;
    this.heardAll = false;
  }

  /** A higher version is being stored, so the version that a client read is not readable here any more. */
  adopted(key: string): void {
    if (this.watched.size > 0) this.tell(key);
    if (this.forPeers.keyCount > 0) this.forPeers.changed(key);
    if (!this.wantsAll && !this.forPeers.tellsAll) return;
    if (this.unsettled.has(key)) this.outranked.add(key);
    this.unsettled.set(key, this.now);
  }

  /** A version became readable: from now on no node answers a new read with an earlier one. */
  settled(key: string, version: number): void {
    if (!this.wantsAll && !this.forPeers.tellsAll) return;
    this.unsettled.delete(key);
    this.tellSettled(key, this.outranked.delete(key) ? 0 : version);
  }

  /**
   * A read of this key is being forwarded to another node. Returns true if that node should watch the key, because
   * clients of this node keep copies. `isForOther`: the read came from a third node, which would not be told of changes
   * that only the answering node hears of.
   */
  handsOver(key: string, peer: string, isForOther: boolean): boolean {
    if (this.mutations.watchUnheard === true || !(isForOther || this.watched.has(key))) return false;
    if (!isForOther && this.abroad.begin(key, peer)) return true;
    this.tell(key);
    this.forPeers.changed(key);
    return false;
  }

  /** The owner has answered. `session`: the session under which it watches the key; 0 if it does not. */
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

  /** The link to the peer has come up or gone down: messages sent to it may be lost. */
  onLink(peer: string): void {
    this.forPeers.onLinkLost(peer);
  }

  /** This process acts in another epoch, or in none. `isNext`: no epoch was missed in between. */
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
   * Every tick. `leaselessMs`: time since this process last held a lease. Once that exceeds the length of a lease,
   * writes may be acknowledged without this process, because it may have been removed. `isInvalid`: whether the key is
   * in flight here.
   */
  tick(now: number, leaselessMs: number, isInvalid: (key: string) => boolean): void {
    this.now = now;
    this.isDeaf = leaselessMs >= LEASE_MS;
    if (this.isDeaf && (this.watched.size > 0 || this.forPeers.keyCount > 0)) this.tellAll();
    this.abroad.tick(now, this.wantsAll ? this.foreign : NOBODY_WANTED);
    this.tellUnsettled(isInvalid);
    if (this.wantsAll) this.judgeHearing();
  }

  /**
   * A write in flight for long may nevertheless have been acknowledged: if it met a higher version, only that one will
   * become readable.
   */
  private tellUnsettled(isInvalid: (key: string) => boolean): void {
    for (const [key, since] of this.unsettled) {
      if (this.now - since < WATCH_UNSURE_EVERY_MS) continue;
      if (isInvalid(key)) this.unsettled.set(key, this.now);
      else this.unsettled.delete(key);
      this.outranked.delete(key);
      this.tellSettled(key, 0);
    }
  }

  /**
   * Checks whether every change is heard of, here or through the peers. Changes made before that became true may still
   * have been missed.
   */
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

/**
 * First owners of the slots this node does not own. '' stands for a slot without live owners: it is no peer, so nobody
 * announces its changes.
 */
function foreignIn(view: SlotView | null): readonly string[] {
  if (view === null) return [];
  const ids = new Set(view.rows.filter((row) => !row.owns).map((row) => row.first));
  return [...ids].map((id) => memberById(view.topology, id)?.name ?? '');
}
