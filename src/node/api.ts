/**
 * What a node offers to its doors. Doors decode, call this, encode; they know nothing of rounds or leases.
 * Every callback is called exactly once, and never from within the call.
 */
import type { Room } from '../core/disk-room.ts';
import type { Failure } from '../core/errors.ts';
import type { KeyWatching } from '../core/key-watch.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import type { Phase } from '../core/phases.ts';
import type { RecentActivity } from '../core/recent-activity.ts';
import type { KeyRecord } from '../core/record.ts';
import type { AdoptionVerdict } from '../core/record-adoption.ts';
import type { SeenServer } from '../core/record-standing.ts';
import type { RingMap } from '../core/ring-map.ts';
import type { SlotMap } from '../core/slot-map.ts';
import type { RecordIdentity } from '../core/topology.ts';
import type {
  ByHandStatus,
  DriveStatus,
  LoadStatus,
  PeerRefusal,
  ProgressStatus,
  TombstoneStatus,
  UnlinkedPeer,
} from './status-parts.ts';

/** The answer of `tryGet` if the caller must wait: call `get`. */
export const WAIT = Symbol('wait');

export interface NodeApi {
  /**
   * The hit path of a read, synchronous: the record, undefined for a final absence, or WAIT where the key is
   * in flight, not held, not ours, or no lease is held; then call `get`. The key must be valid.
   */
  tryGet(key: string): KeyRecord | undefined | typeof WAIT;
  /** `done` is called within `timeoutMs`. */
  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void;
  /** The same for a caller that accepts an old answer if no reachable owner holds a lease. */
  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void;
  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void;
  /**
   * The next page, of at most `limit`, of all live records in the cluster, after a position given by an earlier page
   * (null: the beginning). Concurrent writes may or may not be included.
   */
  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void;
  /** True if a write would be refused because of the load. Callers that can wait with a write should. */
  isFull(): boolean;
  /** What this node's own store holds, valid or not; neither forwards nor repairs. For verification. */
  inspect(key: string): Inspection;
  status(): NodeStatus;
  /** For clients that keep copies of what they read. */
  readonly keyWatch: KeyWatching;
  /** Commands that concern the whole cluster; answered within `timeoutMs`. */
  operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void;
}

export interface PlannedJoin {
  readonly name: string;
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
}

export type ClusterOrder =
  | { readonly kind: 'describe' }
  /** Who serves which slots, as far as this node knows. In memory, so it does not count as an operator's command. */
  | { readonly kind: 'slots' }
  /** All holders of all slots, for people. In memory as well. */
  | { readonly kind: 'ring' }
  /** The number of keys. Does not count as an operator's command either. */
  | { readonly kind: 'count' }
  | { readonly kind: 'leave'; readonly name: string }
  | { readonly kind: 'rebalance' }
  /** Puts in force the version of the member protocol that this node speaks; cannot be undone. */
  | { readonly kind: 'finishUpgrade' }
  /** May this node be stopped? A yes keeps others from stopping until it is gone, or for the time in the answer. */
  | { readonly kind: 'reserveStop' }
  | { readonly kind: 'loss' }
  /** Scrubs this node's own slots; a rate of 0 means no limit. */
  | { readonly kind: 'scrub'; readonly recordsPerSecondMax: number; readonly bytesPerSecondMax: number }
  /** `slotCount`: the number reported by `loss`; if it has changed, nothing is done. */
  | { readonly kind: 'recover'; readonly slotCount: number }
  /** Which PostgreSQL is in use, which one this node sees, and whether that one may be adopted. */
  | { readonly kind: 'recordServer' }
  | ({ readonly kind: 'adoptRecord' } & AdoptRecordOrder)
  | { readonly kind: 'quorum' }
  /** `lost` and `lifeKept`: as reported by `quorum`; if they have changed, nothing is done. */
  | { readonly kind: 'succeed'; readonly lost: readonly string[]; readonly lifeKept: number }
  | { readonly kind: 'plan'; readonly joins: readonly PlannedJoin[]; readonly leaves: readonly string[] };

export interface ClusterDescription {
  readonly clusterName: string;
  /** Settings that all members share, as text by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly members: readonly {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
    readonly alive: boolean;
  }[];
}

export interface MovePlan {
  readonly shares: readonly {
    readonly name: string;
    readonly slotsBefore: number;
    readonly slotsAfter: number;
    readonly slotsGained: number;
  }[];
  readonly slotsCopied: number;
  /** Estimated from this node's records: slots that it lacks are assumed to be like the others. */
  readonly recordsCopied: number;
  /** Why the change is impossible; '' if it is possible. */
  readonly obstacle: string;
}

/** Slots without a live complete owner, and what is known about them. */
export interface ClusterLoss {
  /** Ascending. */
  readonly slots: readonly number[];
  /** Their last complete owners: any one that returns with its disk brings its slots back. */
  readonly holders: readonly { readonly name: string; readonly slots: number; readonly isMember: boolean }[];
  /** Records of these slots on the disk of the node asked: of any age, and not necessarily all. */
  readonly recordsHere: number;
  /** Rows of these slots in PostgreSQL; null if it does not answer. */
  readonly recordsKept: number | null;
  /** There are more rows than were counted. */
  readonly hasMoreKept: boolean;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
  /** Slots that were given up and are being made whole. */
  readonly recovering: number;
}

/** Whether the members that are up can choose an epoch; otherwise nobody can serve. */
export interface ClusterQuorum {
  readonly epoch: number;
  readonly life: number;
  /** The life whose statements PostgreSQL accepts; null if it does not answer. */
  readonly lifeKept: number | null;
  /** isUp: linked to the node asked, and with the disk that the cluster remembers. */
  readonly members: readonly { readonly name: string; readonly isUp: boolean; readonly votes: boolean }[];
  /** Only another life can continue. */
  readonly isLost: boolean;
  /** Complete owners that a write needs. */
  readonly ownersNeeded: number;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
}

/** The PostgreSQL that the node asked sees, compared with the one in use. */
export interface RecordServerFacts {
  /** Null if the cluster has not noted any yet. */
  readonly known: RecordIdentity | null;
  readonly drive: number;
  readonly isDriven: boolean;
  readonly clusterId: string;
  readonly life: number;
  /** The server that answers at this node's `postgres.url`. */
  readonly seen: SeenServer;
  readonly hasRows: boolean;
  /** Rows, deletions included; null if they could not be counted in time. */
  readonly rowCount: number | null;
  /** Milliseconds since 1970; 0 if there are no rows. */
  readonly newestAt: number;
  readonly verdict: AdoptionVerdict['kind'];
  /** The reason if adoption is refused, otherwise ''. */
  readonly why: string;
  /** What only the server in use has, and no node holds; '' if nothing. */
  readonly loses: string;
}

/** What an operator was shown and accepts; if it has changed, nothing is done. */
export interface AdoptRecordOrder {
  readonly seen: SeenServer;
  /** For the verdict 'earlier': the operator says that it is a backup of this very cluster. */
  readonly isBackup: boolean;
  /** The operator accepts that something is lost. */
  readonly mayLose: boolean;
}

export type ClusterAnswer =
  | { readonly kind: 'described'; readonly description: ClusterDescription }
  | { readonly kind: 'slots'; readonly map: SlotMap }
  | { readonly kind: 'ring'; readonly ring: RingMap }
  /** Expired keys count until they are removed. incomplete: PostgreSQL has rows that are not loaded. */
  | { readonly kind: 'counted'; readonly count: number; readonly incomplete: boolean }
  /** The epoch that made the change, or in which there was nothing to change. */
  | { readonly kind: 'changed'; readonly epoch: number }
  | { readonly kind: 'planned'; readonly plan: MovePlan }
  /** `costs`: reasons against the stop; if there are none, the node may stop within `reservedMs`. */
  | { readonly kind: 'stop'; readonly costs: readonly string[]; readonly reservedMs: number }
  | { readonly kind: 'lost'; readonly loss: ClusterLoss }
  /** A round has begun; its number at the node asked. */
  | { readonly kind: 'scrubbing'; readonly number: number }
  | { readonly kind: 'quorum'; readonly quorum: ClusterQuorum }
  | { readonly kind: 'recordServer'; readonly facts: RecordServerFacts }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Inspection {
  /** True if this node is a complete, live owner of the key's slot. */
  readonly owner: boolean;
  readonly record: KeyRecord | undefined;
  readonly valid: boolean;
  readonly slot: number;
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
  /** Reasons against stopping this node now, for people; empty if there are none. (core/safe-to-stop.ts) */
  readonly stopCosts: readonly string[];
  readonly notWrittenThrough: readonly string[];
}
