/** Messages between complete owners whose scrubbers compare what they hold. (DESIGN 5) */

/**
 * A scrubber asks another complete owner to compare the slots in [`slotFirst`, `slotEnd`) that both own. The listed
 * slots have the digests given with them; in the others the asker has nothing. (R8)
 */
export interface ScrubDigests {
  readonly kind: 'scrubDigests';
  /** The epoch in which it is asked, here and in the messages below. */
  readonly session: number;
  readonly slotFirst: number;
  readonly slotEnd: number;
  /** Ascending. */
  readonly slots: Uint16Array;
  /** Three numbers for each slot: the count, and the low and high half of the digest. */
  readonly digests: Uint32Array;
}

/** Ascending. */
export interface ScrubDifferences {
  readonly kind: 'scrubDifferences';
  readonly session: number;
  readonly slotFirst: number;
  readonly differing: readonly number[];
}

/** Asks for the versions of one slot's records after a key (`''`: from the start). */
export interface ScrubPull {
  readonly kind: 'scrubPull';
  readonly session: number;
  readonly slot: number;
  readonly afterKey: string;
}

/** The records at rest at the sender after `afterKey` up to `through`, in key order. */
export interface ScrubPage {
  readonly kind: 'scrubPage';
  readonly session: number;
  readonly slot: number;
  readonly afterKey: string;
  readonly through: string;
  /** Nothing follows in this slot. */
  readonly last: boolean;
  readonly copies: readonly ToldCopy[];
}

export interface ToldCopy {
  readonly key: string;
  readonly version: number;
  readonly checksum: number;
  readonly tombstone: boolean;
}

export type ScrubMessage = ScrubDigests | ScrubDifferences | ScrubPull | ScrubPage;
