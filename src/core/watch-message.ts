/**
 * What members say to one another about keys that clients keep copies of. A node that does not own a key has the owner that
 * answered a read of it watch on its behalf; all of it goes over one link, in order. (decision 23)
 */

/** "What have you told me so far of what you watch for me?" */
export interface WatchAsk {
  readonly kind: 'watchAsk';
  /** Monotonic ms of the asker; comes back unchanged. */
  readonly askedAt: number;
  /** It is to hear of all changes in slots of which the hearer is the first owner, and the asker none. */
  readonly all: boolean;
}

/** "All that was due before you asked stands before this on the link." */
export interface WatchHeard {
  readonly kind: 'watchHeard';
  readonly askedAt: number;
  /** Under which this node watches for the asker; another one than before: what it watched under that is forgotten. */
  readonly session: number;
  /** In which this node acts, and hears of every write of what it owns; 0: it may be deaf. */
  readonly epoch: number;
  /** All changes are told, as it was asked. */
  readonly all: boolean;
}

/** changed: what was read of the key is not to be kept. settled: another version of it can be read. */
export interface WatchTold {
  readonly kind: 'watchTold';
  readonly what: 'changed' | 'settled';
  readonly key: string;
  /** Of what is settled; 0: which one is not known. */
  readonly version: number;
}

/** The same of every key that is watched for the hearer. */
export interface WatchAllTold {
  readonly kind: 'watchAllTold';
}

export type WatchMessage = WatchAsk | WatchHeard | WatchTold | WatchAllTold;
