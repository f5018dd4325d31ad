/** Parts of what a node tells of itself (api.ts). */

/** Deletions in this store, and what this process has made of them. */
export interface TombstoneStatus {
  readonly held: number;
  readonly forgotten: number;
  /** Rows of PostgreSQL that wait to be removed, and those that were. */
  readonly rowsWaiting: number;
  readonly rowsRemoved: number;
  /** Of these, rows that no owner had, as a scrubber found them. */
  readonly debrisRemoved: number;
}

/** A peer and this process refuse each other: they are set up differently. */
export interface PeerRefusal {
  readonly peer: string;
  /** What differs, and how it is at either. */
  readonly reason: string;
}

/** Of clients' operations at this very node. refusing: more was asked for than it gets done. */
export interface LoadStatus {
  readonly state: 'calm' | 'refusing';
  readonly readsInFlight: number;
  readonly writesInFlight: number;
  /** Since the start. */
  readonly refused: number;
  /** By other nodes to this one, since the start. */
  readonly handedOn: number;
}

/** Does the process get anything done at all? */
export interface ProgressStatus {
  /** Milliseconds since the node's last tick, of which there are many a second. */
  readonly tickAgoMs: number;
  /** Milliseconds for which the store's batch has been under way; 0: none is. */
  readonly storeBatchMs: number;
}
