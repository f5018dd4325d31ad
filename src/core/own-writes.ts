/**
 * Whose change it was: for a client that hears of all changes but its own (CLIENT TRACKING with BCAST and NOLOOP). A change
 * is its own where its write alone made the version that can now be read. Writes that waited together are one version, which
 * is nobody's own; and what is not known to be the client's own is told: a copy that is dropped for nothing costs a read.
 * While a write of the key is under way, news of the key waits for its answer: the client takes what it wrote for the
 * newest value when it is answered, so that word of a newer one must come behind. Where the answer is long in coming it is
 * told before, too: what the client keeps until then may be older than what others were acknowledged. (decision 51)
 */
import type { WriteResult } from './operation.ts';

/** Of one key. */
interface OwnKey {
  underWay: number;
  /** The highest version that this client alone made, and that nobody could read yet; 0: none. */
  awaited: number;
  /** Versions that could be read meanwhile; 0: one that is not known. */
  heard: number[];
}

/** Versions of one key that are heard of while it is being written: more count as one that is not known. */
const HEARD_MAX = 8;
const NO_KEYS: readonly string[] = [];

export class OwnWrites {
  private readonly keysMax: number;
  private readonly keys = new Map<string, OwnKey>();
  /** Keys of which news waits for an answer, and was not told. */
  private readonly held = new Set<string>();

  /** `keysMax`: keys whose versions are waited for, beside those that are being written. */
  constructor(keysMax: number) {
    this.keysMax = keysMax;
  }

  get keyCount(): number {
    return this.keys.size;
  }

  /** A write of the client is about to be begun. */
  begin(key: string): void {
    const own = this.keys.get(key) ?? { underWay: 0, awaited: 0, heard: [] };
    own.underWay += 1;
    this.keys.set(key, own);
  }

  /** It is answered. True: behind the answer the client is to hear that the key has changed. */
  end(key: string, result: WriteResult): boolean {
    const own = this.keys.get(key)!;
    const version = versionMadeAlone(result);
    own.underWay -= 1;
    if (version !== 0) {
      if (own.heard.includes(version)) own.heard = own.heard.filter((each) => each !== version);
      else own.awaited = Math.max(own.awaited, version);
    }
    if (own.underWay > 0) return false;
    const isNews = own.heard.length > 0;
    own.heard = [];
    this.held.delete(key);
    if (own.awaited === 0) this.keys.delete(key);
    else this.trim();
    return isNews;
  }

  /** A version can be read; 0: which one is not known. True: the client is to hear of it now. */
  settled(key: string, version: number): boolean {
    const own = this.keys.get(key);
    if (own === undefined) return true;
    const isOwn = version !== 0 && version === own.awaited;
    if (version >= own.awaited) own.awaited = 0;
    if (own.underWay === 0) {
      if (own.awaited === 0) this.keys.delete(key);
      return !isOwn;
    }
    if (isOwn) return false;
    own.heard = own.heard.length < HEARD_MAX ? [...own.heard, version] : [0];
    this.held.add(key);
    return false;
  }

  /** Called again and again: keys of which the client is to hear now, although its own write is not answered. */
  takeHeld(): readonly string[] {
    if (this.held.size === 0) return NO_KEYS;
    const keys = [...this.held];
    this.held.clear();
    return keys;
  }

  /** The oldest are forgotten: their versions are told. */
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
