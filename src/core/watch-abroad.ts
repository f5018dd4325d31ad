/**
 * Keys of which clients of this node keep copies while other nodes own them: which owner watches them on this node's
 * behalf, and how long its word counts. An owner is trusted as far as it was heard: it is asked again and again what it has
 * told, its answers come behind all that it had to tell, and name the session under which it watches. Another session, no
 * answer for a while, a link that is gone: what it watched may have changed unheard. (decision 23)
 */
import { WATCH_ASK_EVERY_MS, WATCH_TRUST_MS } from './client-limits.ts';
import type { Mutations } from './mutations.ts';
import type { WatchAsk, WatchHeard } from './watch-message.ts';

/** Milliseconds by which the next look at all is taken early: far above what rounding adds. */
const DUE_MARGIN_MS = 1;

/** An owner that watches for this node. */
interface Keeper {
  /** 0: none is known yet. */
  session: number;
  /** Monotonic ms: what it had to tell until then has arrived. */
  heardAt: number;
  askedAt: number;
  /** In which it tells all changes of the slots that it is the first owner of, and heard when; 0: it does not, or not all. */
  allIn: number;
  allHeardAt: number;
  readonly keys: Set<string>;
}

export interface WatchAbroadParts {
  readonly mutations: Mutations;
  /** Whether the peer understands what is asked: a link is up, and has the version. */
  readonly canAsk: (peer: string) => boolean;
  readonly ask: (peer: string, message: WatchAsk) => void;
  /** What was read of these keys is not to be kept; and changes of any key may have gone unheard. */
  readonly onLost: (keys: readonly string[]) => void;
}

export class WatchAbroad {
  private readonly parts: WatchAbroadParts;
  private readonly keepers = new Map<string, Keeper>();
  /** Of the last tick. */
  private now = 0;
  /** Nothing is to be done before this as long as nothing happens; what happens sets it back. */
  private dueAt = -Infinity;
  private wanted: readonly string[] = [];

  constructor(parts: WatchAbroadParts) {
    this.parts = parts;
  }

  /** Pairs of a key and an owner that watches it. */
  get count(): number {
    let sum = 0;
    for (const { keys } of this.keepers.values()) sum += keys.size;
    return sum;
  }

  /** A read of the key is about to be handed to this owner, which is asked to watch it from then on. False: it cannot. */
  begin(key: string, peer: string): boolean {
    if (!this.parts.canAsk(peer)) return false;
    const keeper = this.keeperOf(peer);
    // Nothing was due before: it counts from now on.
    if (keeper.keys.size === 0) keeper.heardAt = Math.max(keeper.heardAt, this.now);
    keeper.keys.add(key);
    this.dueAt = -Infinity;
    return true;
  }

  /** It has answered, and watches the key under that session. */
  answered(peer: string, session: number): void {
    this.judgeSession(peer, this.keeperOf(peer), session);
  }

  /** The key is not kept any more. */
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

  /** Does it tell all changes of what it is the first owner of, in this epoch? */
  tellsAll(peer: string, epoch: number): boolean {
    const keeper = this.keepers.get(peer);
    return keeper?.allIn === epoch && this.counts(keeper.allHeardAt);
  }

  /** The link from it is gone, or it is none that can be asked any more. */
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

  /** `wanted`: who is to tell all changes. */
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
      // Who was asked to tell everything is told when that is over, and forgotten then.
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

  /** Monotonic ms. Whoever is to be asked and cannot be is tried again with the next tick. */
  private nextDueAt(now: number): number {
    let dueAt = Infinity;
    for (const { keys, allIn, heardAt, askedAt } of this.keepers.values()) {
      dueAt = Math.min(dueAt, askedAt + WATCH_ASK_EVERY_MS);
      if (keys.size > 0) dueAt = Math.min(dueAt, heardAt + WATCH_TRUST_MS);
      // It has been lost just now, and may have to be forgotten.
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
