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

/** Changes of rows by hand in PostgreSQL, as this node has met them; one member at a time looks after them. */
export interface ByHandStatus {
  /** Since the start: written at all owners; replaced before the cluster had them; of what no record can be. */
  readonly written: number;
  readonly overtaken: number;
  readonly refused: number;
  /** Those of different keys that could not be written when they were looked at last, and milliseconds since the first of them was met. */
  readonly waiting: number;
  readonly waitingMs: number;
  /** Why they wait, or why none is looked at; '' otherwise. */
  readonly reason: string;
}

/** How far this node has come in comparing PostgreSQL with what it holds, after a failover or a restore. (R30) */
export interface DriveStatus {
  /** Counts the times that PostgreSQL was found to lack rows, or may have lost some. */
  readonly drive: number;
  /** By the epoch: all members have compared all slots. */
  readonly isDriven: boolean;
  /** Of this node; 0 of 0 where it has nothing to do. */
  readonly slotsDone: number;
  readonly slotsTotal: number;
  /** Of records compared, of late. */
  readonly bytesPerSecond: number;
  /** null where it cannot be told. */
  readonly secondsLeft: number | null;
  /** Rows that PostgreSQL lacked, or had older, and that this node has committed again in this drive. */
  readonly rowsDriven: number;
  /** Rows of the same version with another content: left as they are. */
  readonly conflicts: number;
}
