/**
 * Messages about keys that clients keep copies of. A node that does not own a key lets the owner that answered a read
 * of it watch the key on its behalf. All of these messages travel over one link, in order. (decision 23)
 */

/** "What have you told me so far of what you watch for me?" */
export interface WatchAsk {
  readonly kind: 'watchAsk';
  /** The asker's monotonic ms, returned unchanged. */
  readonly askedAt: number;
  /**
   * The asker wants to hear of all changes in slots of which the receiver is the first owner and it is not an owner
   * itself.
   */
  readonly all: boolean;
}

/** "Everything I had to announce before you asked precedes this on the link." */
export interface WatchHeard {
  readonly kind: 'watchHeard';
  readonly askedAt: number;
  /**
   * The session under which this node watches for the asker. If it differs from the previous one, everything watched
   * under that was forgotten.
   */
  readonly session: number;
  /** The epoch in which this node acts and hears of every write to what it owns; 0 if it may miss some. */
  readonly epoch: number;
  /** All changes are announced, as requested. */
  readonly all: boolean;
}

/**
 * - changed: copies of the key must not be kept.
 * - settled: a new version of the key can be read.
 */
export interface WatchTold {
  readonly kind: 'watchTold';
  readonly what: 'changed' | 'settled';
  readonly key: string;
  /** The version that settled; 0 if unknown. */
  readonly version: number;
}

/** "changed" for every key that is watched for the receiver. */
export interface WatchAllTold {
  readonly kind: 'watchAllTold';
}

export type WatchMessage = WatchAsk | WatchHeard | WatchTold | WatchAllTold;
