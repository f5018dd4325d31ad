/** A node's report about itself: for probes, people, metrics and the page in the browser. */
import type { Room } from '../core/membership/disk-room.ts';
import type { Phase } from '../core/membership/phases.ts';
import type { RecentActivity } from '../core/observability/recent-activity.ts';
import type { RecordIdentity } from '../core/membership/topology.ts';

export interface NodeStatus {
  readonly name: string;
  readonly id: number;
  readonly incarnation: number;
  readonly phase: Phase;
  readonly epoch: number;
  readonly life: number;
  readonly clusterId: string;
  /** Why this process takes part in no cluster and will not by itself; otherwise ''. */
  readonly outside: string;
  readonly leaseHeld: boolean;
  /** Milliseconds that the lease still runs; 0 if none is held. */
  readonly leaseLeftMs: number;
  readonly members: readonly {
    readonly id: number;
    readonly name: string;
    readonly address: string;
    readonly alive: boolean;
    /** leaving: for good. healed: gone so long that the others took its place. */
    readonly standing: 'in' | 'leaving' | 'healed';
    readonly slotsComplete: number;
    readonly slotsLearning: number;
    readonly linkUp: boolean;
    /** The highest member protocol version that its process speaks; 0 if unknown. */
    readonly protocol: number;
    /** Why it was removed as slow, or should be; '' if it was not. */
    readonly slow: string;
  }[];
  /** The highest member protocol version that this process speaks, and the one in force. */
  readonly protocol: { readonly speaks: number; readonly inForce: number };
  /** The disk of the store, in bytes; all 0 if it is not watched. low: takes no part in writes. */
  readonly disk: {
    readonly state: Room;
    readonly freeBytes: number;
    readonly reserveBytes: number;
    /** Files that can still be created, and that must remain so; both 0 if they are not counted. */
    readonly freeFiles: number;
    readonly reserveFiles: number;
    /** The store is not in its place any more. */
    readonly isGone: boolean;
  };
  readonly load: LoadStatus;
  /** Peers refused because they are configured differently from this node, or that refuse it. */
  readonly refusals: readonly PeerRefusal[];
  /** Members, or before a founding the configured ones, with which no link works in both directions. */
  readonly unlinked: readonly UnlinkedPeer[];
  readonly store: {
    /** Damaged stores kept beside the present one; and why the last was set aside, if this process did it. */
    readonly setAside: readonly string[];
    readonly reason: string;
    /** The store replaced a damaged one, and no member has admitted this node since. */
    readonly inDoubt: boolean;
  };
  /** What this node has on its disk that PostgreSQL lacks. */
  readonly spool: {
    readonly outage: 'reject' | 'spool';
    /** Writes complete without PostgreSQL. */
    readonly isOn: boolean;
    /** The bound is reached: writes are refused while spooling is on. */
    readonly isFull: boolean;
    /** Marked keys, and bytes of their records. */
    readonly entries: number;
    readonly bytes: number;
    /** Milliseconds since the oldest of them was marked; 0 if there is none. */
    readonly oldestMs: number;
    /** Rows changed from outside meanwhile, which replaced what was to be written. */
    readonly conflicts: number;
    /** Marks recently removed here. */
    readonly drainedPerSecond: number;
  };
  readonly record: {
    readonly state: 'up' | 'down' | 'unused';
    readonly reason: string;
    /** The server that the epoch names, and the one this node last connected to; left out if none yet. */
    readonly known?: RecordIdentity;
    readonly seen?: RecordIdentity;
    /** Only an operator can adopt the server it sees: `causeway cluster adopt-record`. */
    readonly isForeign?: boolean;
    /** The node is configured to count as ready only while PostgreSQL is up. */
    readonly isNeeded?: boolean;
    /** Left out if there is no PostgreSQL, or no node yet. */
    readonly drive?: DriveStatus;
    readonly byHand?: ByHandStatus;
  };
  readonly legacy: {
    readonly state: 'up' | 'failing' | 'open' | 'unused';
    readonly reason: string;
    readonly calls: number;
  };
  /** Slots that are moving to other owners. */
  readonly slotsMoving: number;
  /** Slots without a live complete owner: unserved until one returns, or an operator gives them up. */
  readonly slotsLost: number;
  readonly keysInFlight: number;
  /** Milliseconds since the oldest unfinished write here began; 0 if there is none. */
  readonly oldestUnfinishedMs: number;
  /** Keys in this store, deletions included. */
  readonly keysHeld: number;
  /** Deletions in this store, and those that this process has forgotten. */
  readonly tombstones: TombstoneStatus;
  /** Fraction of its slots that a learner has copied, 0..1; 1 for an owner. */
  readonly learnedShare: number;
  readonly copy: CopyStatus;
  readonly scrub: ScrubStatus;
  readonly operations: {
    readonly reads: number;
    readonly writes: number;
    readonly failures: number;
    /** Old answers given to callers that accept them. */
    readonly staleReads: number;
  };
  /** Rates and times of the last seconds. */
  readonly recent: RecentActivity;
  readonly progress: ProgressStatus;
  /** Reasons against stopping this node now, for people; empty if there are none. (core/membership/safe-to-stop.ts) */
  readonly stopCosts: readonly string[];
  readonly notWrittenThrough: readonly string[];
}

/** Progress of this node's copying of slots, since it last had nothing to copy. */
export interface CopyStatus {
  readonly slotsDone: number;
  /** Includes slots that wait for their turn; 0 if there is nothing to copy. */
  readonly slotsTotal: number;
  /** Bytes of records received. */
  readonly bytes: number;
  /** The recent rate. */
  readonly bytesPerSecond: number;
  /** Null if unknown. */
  readonly secondsLeft: number | null;
  /** Copying is slower than allowed, because clients would wait too long. */
  readonly givesWay: boolean;
  /** In all copies since this process started. */
  readonly recordsCopied: number;
  readonly bytesCopied: number;
}

/** One round of scrubbing over all slots of this node. */
export interface ScrubCycle {
  readonly number: number;
  /** Milliseconds since 1970; 0 while it is under way. */
  readonly endedAt: number;
  readonly lengthMs: number;
  /** Slots compared, counted once per other owner. */
  readonly slots: number;
  /** Records read from this node's disk. */
  readonly records: number;
  readonly bytes: number;
  /** Rows of PostgreSQL read whole, by the first owner of their slot, and the bytes of their values. */
  readonly rows: number;
  readonly rowBytes: number;
  /** Of these, rows that failed their checksum; and rows that could not be read there. */
  readonly rowsDamaged: number;
  /** Copies found damaged or behind, here or in PostgreSQL. */
  readonly found: number;
  readonly repaired: number;
  readonly unrepaired: number;
  /** Versions with two different contents, for people to decide. */
  readonly conflicts: number;
  /** Digests that did not match what was on disk. */
  readonly digestsCorrected: number;
  /** Rows in PostgreSQL that were forgotten here, or written too late. */
  readonly debris: number;
  /** Slots that could not be compared, counted once per other owner and for PostgreSQL. */
  readonly slotsUncompared: number;
}

export interface ScrubStatus {
  readonly isUnderWay: boolean;
  /** Progress of the round under way, or of the last one: 0..1. */
  readonly share: number;
  /** Null if unknown. */
  readonly secondsLeft: number | null;
  /** Milliseconds until the next round starts by itself; null if never. */
  readonly nextInMs: number | null;
  /** Repairs that have not completed. */
  readonly open: number;
  /** The round under way, so far. */
  readonly current: ScrubCycle | null;
  /** The last completed round. */
  readonly last: ScrubCycle | null;
  /** Since this process started. */
  readonly totals: {
    readonly found: number;
    readonly repaired: number;
    readonly unrepaired: number;
    readonly conflicts: number;
  };
  /** Rows of PostgreSQL, since this process started: read whole, and of these damaged. */
  readonly rows: { readonly read: number; readonly damaged: number };
}

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
