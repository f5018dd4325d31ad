/**
 * The bytes from one place to another, over however many connections: what is done to them at present. Several
 * faults may be in force at once; each adds its weather and takes it away again, and what they do adds up.
 */

export interface Weather {
  /** Bytes stand still, with connections open, and go on afterwards: a cut as TCP shows it. */
  readonly isHeld?: boolean;
  /** Bytes vanish. When this ends the connections that lost some are reset: their streams have holes. */
  readonly isSwallowed?: boolean;
  /** Connections are reset, and new ones too. */
  readonly isRefused?: boolean;
  readonly delayMs?: number;
  /** Each piece waits up to this much longer; the order stays. */
  readonly jitterMs?: number;
  /** Probability that a piece is lost: TCP sends it again after a while, and all behind it waits. */
  readonly lossShare?: number;
  readonly bytesPerSecond?: number;
}

/** What happened to bytes and connections because of weather: the proof that a fault struck. */
export interface Toll {
  heldPieces: number;
  swallowedBytes: number;
  refused: number;
  delayedPieces: number;
  lostPieces: number;
  resets: number;
}

/** Milliseconds until TCP sends a lost piece again, as Linux begins. */
const RETRANSMIT_MS = 200;
/** Milliseconds: by then a wire is held and not lossy. */
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

  /** `random` gives numbers from 0 to 1. */
  constructor(name: string, random: () => number) {
    this.name = name;
    this.random = random;
  }

  /** Answers how to end it; ending it twice does nothing. */
  add(weather: Weather): () => void {
    const own = { ...weather };
    this.weathers.add(own);
    this.change();
    return () => {
      if (this.weathers.delete(own)) this.change();
    };
  }

  /** Called after each change of weather, until the answer is called. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** Milliseconds that the next piece is under way. */
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
