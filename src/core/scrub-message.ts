/** What complete owners say to one another when a scrubber compares what they hold. (DESIGN 5) */

/**
 * A scrubber asks another complete owner to compare the slots from `slotFirst` to before `slotEnd` that both own: those
 * that are named have the digests that stand with them, of the others the asker has nothing. (R8)
 */
export interface ScrubDigests {
  readonly kind: 'scrubDigests';
  /** The epoch in which it is asked, here and below. */
  readonly session: number;
  readonly slotFirst: number;
  readonly slotEnd: number;
  /** Ascending. */
  readonly slots: Uint16Array;
  /** For each of the slots three numbers: count, and the low and the high half of the digest. */
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

/** What is at rest at the sender after `afterKey`, as far as `through`, in the order of the keys. */
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
