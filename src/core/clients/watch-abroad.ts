/**
 * Keys that clients of this node keep copies of while other nodes own them: which owner watches each on this node's
 * behalf, and how long the owner's word counts. An owner is trusted only as far as it has been heard. It is asked
 * periodically; its answers are ordered after all the changes it had to announce, and name the session under which it
 * watches. If the session changes, or no answer comes for a while, or the link is lost, then keys it watched may have
 * changed unheard. (decision 23)
 */
import { WATCH_ASK_EVERY_MS, WATCH_TRUST_MS } from './client-limits.ts';
import type { Mutations } from '../mutations.ts';
import type { WatchAsk, WatchHeard } from './watch-message.ts';

/** Milliseconds by which the next check is moved forward: far more than rounding errors. */
const DUE_MARGIN_MS = 1;

/** An owner that watches for this node. */
interface Keeper {
  /** 0 if none is known yet. */
  session: number;
  /** Monotonic ms: everything that the owner had to announce up to then has arrived. */
  heardAt: number;
  askedAt: number;
  /**
   * The epoch in which it announces all changes in the slots of which it is the first owner, and when that was last
   * confirmed; 0 if it does not announce all.
   */
  allIn: number;
  allHeardAt: number;
  readonly keys: Set<string>;
}

export interface WatchAbroadParts {
  readonly mutations: Mutations;
  /** True if the peer understands the request: its link is up and has the protocol version. */
  readonly canAsk: (peer: string) => boolean;
  readonly ask: (peer: string, message: WatchAsk) => void;
  /** Copies of these keys must not be kept; and changes to any key may have gone unheard. */
  readonly onLost: (keys: readonly string[]) => void;
}

export class WatchAbroad {
  private readonly parts: WatchAbroadParts;
  private readonly keepers = new Map<string, Keeper>();
  /** Time of the last tick. */
  private now = 0;
  /** Nothing has to be done before this moment unless something happens, which resets it. */
  private dueAt = -Infinity;
  private wanted: readonly string[] = [];

  constructor(parts: WatchAbroadParts) {
    this.parts = parts;
  }

  /** The number of pairs of a key and an owner that watches it. */
  get count(): number {
    let sum = 0;
    for (const { keys } of this.keepers.values()) sum += keys.size;
    return sum;
  }

  /**
   * A read of the key is about to be forwarded to this owner, which is asked to watch the key from then on. Returns
   * false if it cannot be asked.
   */
  begin(key: string, peer: string): boolean {
    if (!this.parts.canAsk(peer)) return false;
    const keeper = this.keeperOf(peer);
    // Nothing was expected of this owner before: its time counts from now.
    if (keeper.keys.size === 0) keeper.heardAt = Math.max(keeper.heardAt, this.now);
    keeper.keys.add(key);
    this.dueAt = -Infinity;
    return true;
  }

  /** The owner has answered, and watches the key under this session. */
  answered(peer: string, session: number): void {
    this.judgeSession(peer, this.keeperOf(peer), session);
  }

  /** No client keeps a copy of the key any more. */
  forget(key: string): void {
    for (const { keys } of this.keepers.values())
      if (keys.delete(key) && keys.size === 0) this.dueAt = -Infinity;
  }

  forgetAll(): void {
    for (const { keys } of this.keepers.values()) keys.clear();
    this.dueAt = -Infinity;
  }

  heard(peer: string, { askedAt, session, epoch, all }: WatchHeard): void {
    const keeper = this.keepers.get(peer);
    if (keeper === undefined) return;
    this.judgeSession(peer, keeper, session);
    keeper.heardAt = Math.max(keeper.heardAt, askedAt);
    keeper.allIn = all ? epoch : 0;
    keeper.allHeardAt = askedAt;
    if (keeper.allIn === 0) this.dueAt = -Infinity;
  }

  /** True if the peer announces, in this epoch, all changes in the slots of which it is the first owner. */
  tellsAll(peer: string, epoch: number): boolean {
    const keeper = this.keepers.get(peer);
    return keeper?.allIn === epoch && this.counts(keeper.allHeardAt);
  }

  /** The link to the peer is gone, or the peer cannot be asked any more. */
  lose(peer: string): void {
    const keeper = this.keepers.get(peer);
    if (keeper === undefined || this.parts.mutations.watchUnanswered === true) return;
    keeper.session = 0;
    keeper.allIn = 0;
    const keys = [...keeper.keys];
    keeper.keys.clear();
    this.dueAt = -Infinity;
    this.parts.onLost(keys);
  }

  /** `wanted`: the peers that should announce all changes. */
  tick(now: number, wanted: readonly string[]): void {
    this.now = now;
    if (now < this.dueAt && wanted === this.wanted) return;
    this.wanted = wanted;
    for (const peer of wanted) this.keeperOf(peer);
    this.lookAtAll(now, wanted);
    this.dueAt = this.nextDueAt(now);
  }

  private lookAtAll(now: number, wanted: readonly string[]): void {
    for (const [peer, keeper] of this.keepers) {
      const all = wanted.includes(peer);
      const { keys } = keeper;
      // An owner that was asked to announce everything is first told to stop, and forgotten after that.
      if (keys.size === 0 && !all && keeper.allIn === 0) {
        this.keepers.delete(peer);
        continue;
      }
      if (keys.size > 0 && !this.counts(keeper.heardAt)) this.lose(peer);
      if (now - keeper.askedAt < WATCH_ASK_EVERY_MS || !this.parts.canAsk(peer)) continue;
      keeper.askedAt = now;
      this.parts.ask(peer, { kind: 'watchAsk', askedAt: now, all });
    }
  }

  /** Monotonic ms. A peer that cannot be asked now is tried again on the next tick. */
  private nextDueAt(now: number): number {
    let dueAt = Infinity;
    for (const { keys, allIn, heardAt, askedAt } of this.keepers.values()) {
      dueAt = Math.min(dueAt, askedAt + WATCH_ASK_EVERY_MS);
      if (keys.size > 0) dueAt = Math.min(dueAt, heardAt + WATCH_TRUST_MS);
      // The peer has just been lost, and may have to be forgotten.
      else if (allIn === 0) dueAt = Math.min(dueAt, now);
    }
    return dueAt - DUE_MARGIN_MS;
  }

  private judgeSession(peer: string, keeper: Keeper, session: number): void {
    if (keeper.session !== 0 && keeper.session !== session) this.lose(peer);
    keeper.session = session;
  }

  private counts(heardAt: number): boolean {
    return this.now - heardAt < WATCH_TRUST_MS;
  }

  private keeperOf(peer: string): Keeper {
    let keeper = this.keepers.get(peer);
    if (keeper === undefined) {
      this.dueAt = -Infinity;
      keeper = {
        session: 0,
        heardAt: -Infinity,
        askedAt: -Infinity,
        allIn: 0,
        allHeardAt: -Infinity,
        keys: new Set(),
      };
      this.keepers.set(peer, keeper);
    }
    return keeper;
  }
}
