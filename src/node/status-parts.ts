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

/** Does the process get anything done at all? */
export interface ProgressStatus {
  /** Milliseconds since the node's last tick, of which there are many a second. */
  readonly tickAgoMs: number;
  /** Milliseconds for which the store's batch has been under way; 0: none is. */
  readonly storeBatchMs: number;
}
