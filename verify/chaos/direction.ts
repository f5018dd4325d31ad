/**
 * The bytes from one place to another, over however many connections, and what is done to them at present. Several
 * faults may be in force at once: each adds its weather and removes it again, and their effects add up.
 */

export interface Weather {
  /** Bytes are held back with connections open, and continue afterwards: a cut as TCP shows it. */
  readonly isHeld?: boolean;
  /** Bytes vanish. When this ends, connections that have lost some are reset, because their streams have holes. */
  readonly isSwallowed?: boolean;
  /** Connections are reset, and new ones too. */
  readonly isRefused?: boolean;
  readonly delayMs?: number;
  /** Each piece is delayed by up to this much more; the order is kept. */
  readonly jitterMs?: number;
  /** Probability that a piece is lost: TCP sends it again after a while, and everything behind it waits. */
  readonly lossShare?: number;
  readonly bytesPerSecond?: number;
}

/** What the weather did to bytes and connections: the proof that a fault took effect. */
export interface Toll {
  heldPieces: number;
  swallowedBytes: number;
  refused: number;
  delayedPieces: number;
  lostPieces: number;
  resets: number;
}

/** Milliseconds until TCP first sends a lost piece again, as in Linux. */
const RETRANSMIT_MS = 200;
/** Milliseconds: at this point a wire counts as held, not as lossy. */
const RETRANSMIT_MS_MAX = 6_400;

export class Direction {
  readonly name: string;
  readonly toll: Toll = {
    heldPieces: 0,
    swallowedBytes: 0,
    refused: 0,
    delayedPieces: 0,
    lostPieces: 0,
    resets: 0,
  };
  isHeld = false;
  isSwallowed = false;
  isRefused = false;
  bytesPerSecond = Infinity;
  private readonly random: () => number;
  private readonly weathers = new Set<Weather>();
  private readonly watchers = new Set<() => void>();

  /** `random` returns numbers from 0 to 1. */
  constructor(name: string, random: () => number) {
    this.name = name;
    this.random = random;
  }

  /** Returns a function that removes it again; calling that twice has no effect. */
  add(weather: Weather): () => void {
    const own = { ...weather };
    this.weathers.add(own);
    this.change();
    return () => {
      if (this.weathers.delete(own)) this.change();
    };
  }

  /** Calls `watcher` after each change of weather; the returned function ends that. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** Milliseconds by which the next piece is delayed. */
  drawDelayMs(): number {
    let delayMs = 0;
    for (const { delayMs: fixed = 0, jitterMs = 0, lossShare = 0 } of this.weathers) {
      delayMs += fixed + (jitterMs > 0 ? jitterMs * this.random() : 0);
      if (lossShare > 0) delayMs += this.drawLossMs(lossShare);
    }
    if (delayMs > 0) this.toll.delayedPieces += 1;
    return delayMs;
  }

  private drawLossMs(lossShare: number): number {
    let lateMs = 0;
    for (let waitMs = RETRANSMIT_MS; waitMs <= RETRANSMIT_MS_MAX && this.random() < lossShare; waitMs *= 2) {
      this.toll.lostPieces += 1;
      lateMs += waitMs;
    }
    return lateMs;
  }

  private change(): void {
    const all = [...this.weathers];
    this.isHeld = all.some(({ isHeld }) => isHeld === true);
    this.isSwallowed = all.some(({ isSwallowed }) => isSwallowed === true);
    this.isRefused = all.some(({ isRefused }) => isRefused === true);
    this.bytesPerSecond = Math.min(Infinity, ...all.map(({ bytesPerSecond = Infinity }) => bytesPerSecond));
    for (const watcher of [...this.watchers]) watcher();
  }
}
