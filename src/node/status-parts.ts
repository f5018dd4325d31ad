/** Parts of a node's report about itself (api.ts). */

/** Deletions in this store, and what this process has done with them. */
export interface TombstoneStatus {
  readonly held: number;
  readonly forgotten: number;
  /** Rows of PostgreSQL waiting to be removed, and rows removed. */
  readonly rowsWaiting: number;
  readonly rowsRemoved: number;
  /** Of these, rows that no owner had, as a scrubber found them. */
  readonly debrisRemoved: number;
}

/** A peer with which no link works in both directions. */
export interface UnlinkedPeer {
  readonly name: string;
  /** Where it is dialled. */
  readonly address: string;
}

/** A peer and this process refuse each other because they are configured differently. */
export interface PeerRefusal {
  readonly peer: string;
  /** What differs, and its value on each side. */
  readonly reason: string;
}

/** Client operations at this node. refusing: it is asked for more than it can do. */
export interface LoadStatus {
  readonly state: 'calm' | 'refusing';
  readonly readsInFlight: number;
  readonly writesInFlight: number;
  /** Since the start. */
  readonly refused: number;
  /** Operations forwarded by other nodes to this one, since the start. */
  readonly forwardedHere: number;
}

/** Whether the process makes any progress at all. */
export interface ProgressStatus {
  /** Milliseconds since the node's last tick; there are many ticks per second. */
  readonly tickAgoMs: number;
  /** Milliseconds for which the store's current batch has been under way; 0 if there is none. */
  readonly storeBatchMs: number;
}

/** Rows changed by hand in PostgreSQL, as seen by this node; one member at a time handles them. */
export interface ByHandStatus {
  /** Since the start: written at all owners; replaced before the cluster had them; impossible to store as a record. */
  readonly written: number;
  readonly overtaken: number;
  readonly refused: number;
  /** Keys whose changes could not be written at the last attempt, and milliseconds since the first of them was seen. */
  readonly waiting: number;
  readonly waitingMs: number;
  /** Why they wait, or why none are handled; otherwise ''. */
  readonly reason: string;
}

/** Progress of this node in comparing PostgreSQL with what it holds, after a failover or a restore. (R30) */
export interface DriveStatus {
  /** Counts how often PostgreSQL was found to lack rows, or may have lost some. */
  readonly drive: number;
  /** According to the epoch: all members have compared all slots. */
  readonly isDriven: boolean;
  /** This node's slots; 0 of 0 if it has nothing to do. */
  readonly slotsDone: number;
  readonly slotsTotal: number;
  /** Recent rate of compared records. */
  readonly bytesPerSecond: number;
  /** Null if unknown. */
  readonly secondsLeft: number | null;
  /** Rows that PostgreSQL lacked, or had in an older version, and that this node has committed again in this drive. */
  readonly rowsDriven: number;
  /** Rows with the same version and different content: left as they are. */
  readonly conflicts: number;
}
