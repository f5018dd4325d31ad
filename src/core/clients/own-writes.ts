/**
 * Decides whose change a new version is, for a client that wants to hear of all changes but its own (CLIENT TRACKING
 * with BCAST and NOLOOP). A change is the client's own if its write alone produced the version that became readable.
 * Writes combined into one version are nobody's own, and whatever is not known to be the client's own is announced: a
 * copy dropped for nothing costs one read.
 *
 * While a write of the client on a key is under way, news about the key waits for its answer: once answered, the client
 * takes what it wrote for the newest value, so news of a newer one must come after. If the answer takes long, the news
 * is sent earlier as well: what the client still keeps may be older than what others were acknowledged. (decision 51)
 */
import type { WriteResult } from '../operation.ts';

/** The client's writes on one key. */
interface OwnKey {
  underWay: number;
  /** Versions that this client alone produced and of which it has not been decided yet, in the order of their answers. */
  awaited: number[];
  /** Versions that became readable meanwhile; 0 stands for an unknown one. */
  heard: number[];
}

/** Versions of one key remembered while it is being written; more count as an unknown one. */
const HEARD_MAX = 8;
/** The oldest ones beyond so many are announced. */
const AWAITED_MAX = 8;
const NO_KEYS: readonly string[] = [];

export class OwnWrites {
  private readonly keysMax: number;
  private readonly keys = new Map<string, OwnKey>();
  /** Keys with news that waits for an answer and has not been sent. */
  private readonly held = new Set<string>();

  /** `keysMax`: keys remembered while their versions are awaited, besides those being written. */
  constructor(keysMax: number) {
    this.keysMax = keysMax;
  }

  get keyCount(): number {
    return this.keys.size;
  }

  /** A write of the client is about to start. */
  begin(key: string): void {
    const own = this.keys.get(key) ?? { underWay: 0, awaited: [], heard: [] };
    own.underWay += 1;
    this.keys.set(key, own);
  }

  /** The write was answered. Returns true if, after the answer, the client must be told that the key has changed. */
  end(key: string, result: WriteResult): boolean {
    const own = this.keys.get(key)!;
    const version = versionMadeAlone(result);
    own.underWay -= 1;
    if (version !== 0) {
      if (own.heard.includes(version)) own.heard = own.heard.filter((each) => each !== version);
      else own.awaited = [...own.awaited, version].slice(-AWAITED_MAX);
    }
    if (own.underWay > 0) return false;
    const isNews = own.heard.length > 0;
    own.heard = [];
    this.held.delete(key);
    if (own.awaited.length === 0) this.keys.delete(key);
    else this.trim();
    return isNews;
  }

  /** A version became readable; 0 if it is unknown which. Returns true if the client must be told now. */
  settled(key: string, version: number): boolean {
    const own = this.keys.get(key);
    if (own === undefined) return true;
    const isOwn = own.awaited.includes(version);
    own.awaited = own.awaited.filter((each) => each > version);
    if (own.underWay === 0) {
      if (own.awaited.length === 0) this.keys.delete(key);
      return !isOwn;
    }
    if (isOwn) return false;
    own.heard = own.heard.length < HEARD_MAX ? [...own.heard, version] : [0];
    this.held.add(key);
    return false;
  }

  /**
   * Called periodically. Returns keys whose news must be sent now although the client's own write is not answered yet.
   */
  takeHeld(): readonly string[] {
    if (this.held.size === 0) return NO_KEYS;
    const keys = [...this.held];
    this.held.clear();
    return keys;
  }

  /** Forgets the oldest keys; their versions will be announced. */
  private trim(): void {
    if (this.keys.size <= this.keysMax) return;
    for (const [key, { underWay }] of this.keys) {
      if (this.keys.size <= this.keysMax) return;
      if (underWay === 0) this.keys.delete(key);
    }
  }
}

function versionMadeAlone(result: WriteResult): number {
  if (result.kind !== 'done' && result.kind !== 'modified') return 0;
  return result.isShared === true ? 0 : result.version;
}
