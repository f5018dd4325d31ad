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
} from './status-parts.ts';

/** `tryGet`'s answer where only waiting can tell. */
export const WAIT = Symbol('wait');

export interface NodeApi {
  /**
   * The hit path of a read, synchronous: the record, undefined for a final absence, or WAIT where the key is
   * in flight, not held, not ours, or no lease is held; then call `get`. The key must be valid.
   */
  tryGet(key: string): KeyRecord | undefined | typeof WAIT;
  /** `timeoutMs` from now; at the latest then `done` is called. */
  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void;
  /** The same, for who takes an old answer where no owner at hand holds a lease. */
  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void;
  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void;
  /**
   * The next page of all live records of the cluster, at most `limit`, after a place that an earlier page named
   * (null: from the start). What is written meanwhile may or may not be in it.
   */
  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void;
  /** True: a write would be refused for what is in flight already. Who can wait with it and has one, better does. */
  isFull(): boolean;
  /** What this very store holds, validated or not; neither forwards nor repairs. For verification. */
  inspect(key: string): Inspection;
  status(): NodeStatus;
  /** For clients that keep copies of what they read. */
  readonly keyWatch: KeyWatching;
  /** What concerns the whole cluster; answered within `timeoutMs`. */
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
  /** Who serves which slots, as this node knows it: at hand, so it takes none of the room that orders have. */
  | { readonly kind: 'slots' }
  /** All holders of all slots, for people; at hand, too. */
  | { readonly kind: 'ring' }
  /** How many keys there are; takes no room of orders, either. */
  | { readonly kind: 'count' }
  | { readonly kind: 'leave'; readonly name: string }
  | { readonly kind: 'rebalance' }
  /** Puts in force the version of the members' protocol that the asked node speaks; there is no way back. */
  | { readonly kind: 'finishUpgrade' }
  /** May the asked node be stopped? Told yes, no other is until it is gone, or for as long as the answer says. */
  | { readonly kind: 'reserveStop' }
  | { readonly kind: 'loss' }
  /** Of the asked node's own slots; 0: without limit. */
  | { readonly kind: 'scrub'; readonly recordsPerSecondMax: number; readonly bytesPerSecondMax: number }
  /** `slotCount`: as `loss` has told it; where it is another by now, nothing is done. */
  | { readonly kind: 'recover'; readonly slotCount: number }
  /** Which PostgreSQL is in use, which one this node sees, and whether that may be accepted. */
  | { readonly kind: 'recordServer' }
  | ({ readonly kind: 'adoptRecord' } & AdoptRecordOrder)
  | { readonly kind: 'quorum' }
  /** `lost` and `lifeKept`: as `quorum` has told them; where they are others by now, nothing is done. */
  | { readonly kind: 'succeed'; readonly lost: readonly string[]; readonly lifeKept: number }
  | { readonly kind: 'plan'; readonly joins: readonly PlannedJoin[]; readonly leaves: readonly string[] };

export interface ClusterDescription {
  readonly clusterName: string;
  /** What all members have alike, as text by name. */
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
  /** By what this node holds: slots that it lacks are taken to be like the others. */
  readonly recordsCopied: number;
  /** Why the change is not possible; '': it is. */
  readonly obstacle: string;
}

/** Slots of which no complete owner lives, and what is known of them. */
export interface ClusterLoss {
  /** Ascending. */
  readonly slots: readonly number[];
  /** Their last complete owners: any one that returns with its disk brings its slots back. */
  readonly holders: readonly { readonly name: string; readonly slots: number; readonly isMember: boolean }[];
  /** Of these slots, on the disk of the node that was asked: of any age, and not known to be all. */
  readonly recordsHere: number;
  /** Rows that PostgreSQL has of them; null: it does not say. */
  readonly recordsKept: number | null;
  /** There are more than that: they were not all counted. */
  readonly hasMoreKept: boolean;
  /** Prefixes of keys that are not in PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
  /** Slots that were given up, and are being made whole. */
  readonly recovering: number;
}

/** Whether those who are up can choose an epoch; without that nobody can serve. */
export interface ClusterQuorum {
  readonly epoch: number;
  readonly life: number;
  /** The life that PostgreSQL takes statements of; null: it does not say. */
  readonly lifeKept: number | null;
  /** Up: linked to the node that was asked, and with the disk that the cluster remembers. */
  readonly members: readonly { readonly name: string; readonly isUp: boolean; readonly votes: boolean }[];
  /** Only another life can go on. */
  readonly isLost: boolean;
  /** Complete owners that a write needs. */
  readonly ownersNeeded: number;
  /** Prefixes of keys that are not in PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
}

/** The PostgreSQL that the asked node sees, beside the one that is in use. */
export interface RecordServerFacts {
  /** null: the cluster has not taken note of any yet. */
  readonly known: RecordIdentity | null;
  readonly drive: number;
  readonly isDriven: boolean;
  readonly clusterId: string;
  readonly life: number;
  /** What answers at this node's `postgres.url`. */
  readonly seen: SeenServer;
  readonly hasRows: boolean;
  /** Deletions among them; null: they could not be counted in time. */
  readonly rowCount: number | null;
  /** Milliseconds since 1970; 0: there is none. */
  readonly newestAt: number;
  readonly verdict: AdoptionVerdict['kind'];
  /** Where it is refused; '' otherwise. */
  readonly why: string;
  /** What only the one in use has, and no node holds; '': nothing. */
  readonly loses: string;
}

/** What an operator has been shown and accepts: where it is another by now, nothing is done. */
export interface AdoptRecordOrder {
  readonly seen: SeenServer;
  /** Where the verdict is 'earlier': it is a backup of this very cluster. */
  readonly isBackup: boolean;
  /** Where something is lost by it: so be it. */
  readonly mayLose: boolean;
}

export type ClusterAnswer =
  | { readonly kind: 'described'; readonly description: ClusterDescription }
  | { readonly kind: 'slots'; readonly map: SlotMap }
  | { readonly kind: 'ring'; readonly ring: RingMap }
  /** Keys whose time has passed count until they are removed. incomplete: PostgreSQL has rows that are not loaded. */
  | { readonly kind: 'counted'; readonly count: number; readonly incomplete: boolean }
  /** The epoch that says it, or in which there was nothing to change. */
  | { readonly kind: 'changed'; readonly epoch: number }
  | { readonly kind: 'planned'; readonly plan: MovePlan }
  /** `costs`: what speaks against it; nothing: it may, within `reservedMs`. */
  | { readonly kind: 'stop'; readonly costs: readonly string[]; readonly reservedMs: number }
  | { readonly kind: 'lost'; readonly loss: ClusterLoss }
  /** A round has begun: its number at the asked node. */
  | { readonly kind: 'scrubbing'; readonly number: number }
  | { readonly kind: 'quorum'; readonly quorum: ClusterQuorum }
  | { readonly kind: 'recordServer'; readonly facts: RecordServerFacts }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Inspection {
  /** Is this node a complete, live owner of the key's slot? */
  readonly owner: boolean;
  readonly record: KeyRecord | undefined;
  readonly valid: boolean;
  readonly slot: number;
}

/** How far this node's copying of slots has come, since it last had nothing to copy. */
export interface CopyStatus {
  readonly slotsDone: number;
  /** With those that wait for their turn; 0 where there is nothing to copy. */
  readonly slotsTotal: number;
  /** Of records, received. */
  readonly bytes: number;
  /** Of late. */
  readonly bytesPerSecond: number;
  /** null where it cannot be told. */
  readonly secondsLeft: number | null;
  /** Less is copied a second than is allowed, since clients would wait too long. */
  readonly givesWay: boolean;
  /** In all copies since this process started. */
  readonly recordsCopied: number;
  readonly bytesCopied: number;
}

/** One round of scrubbing over all slots of this node. */
export interface ScrubCycle {
  readonly number: number;
  /** Milliseconds since 1970; 0: it is under way. */
  readonly endedAt: number;
  readonly lengthMs: number;
  /** Slots that were compared, once for each other owner. */
  readonly slots: number;
  /** What was read of this node's disk. */
  readonly records: number;
  readonly bytes: number;
  /** Rows of PostgreSQL that were read whole, by the first owner of their slot, and the bytes of their values. */
  readonly rows: number;
  readonly rowBytes: number;
  /** Rows among them that failed their checksum, and rows that could not be read there. */
  readonly rowsDamaged: number;
  /** Copies that were damaged or behind, here or in PostgreSQL. */
  readonly found: number;
  readonly repaired: number;
  readonly unrepaired: number;
  /** One version with two contents: for people to decide. */
  readonly conflicts: number;
  /** Digests that did not tell what was on the disk. */
  readonly digestsCorrected: number;
  /** Rows of PostgreSQL that were forgotten here, or came late. */
  readonly debris: number;
  /** Slots, once for each other owner and for PostgreSQL, that could not be compared. */
  readonly slotsUncompared: number;
}

export interface ScrubStatus {
  readonly isUnderWay: boolean;
  /** Of the round under way, or of the last one: 0..1. */
  readonly share: number;
  /** null: it cannot be told. */
  readonly secondsLeft: number | null;
  /** Milliseconds until the next one begins by itself; null: never. */
  readonly nextInMs: number | null;
  /** Repairs that have not come to their end. */
  readonly open: number;
  /** The round under way, so far. */
  readonly current: ScrubCycle | null;
  /** The last whole one. */
  readonly last: ScrubCycle | null;
  /** Since this process began. */
  readonly totals: {
    readonly found: number;
    readonly repaired: number;
    readonly unrepaired: number;
    readonly conflicts: number;
  };
  /** Of PostgreSQL, since this process began: read whole, and among them damaged. */
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
  /** Why it is part of nothing, where it does not become that by itself; '' otherwise. */
  readonly outside: string;
  readonly leaseHeld: boolean;
  /** Milliseconds the lease still runs, 0 where none is held. */
  readonly leaseLeftMs: number;
  readonly members: readonly {
    readonly id: number;
    readonly name: string;
    readonly address: string;
    readonly alive: boolean;
    /** in; leaving: for good; healed: gone so long that the others took its place. */
    readonly standing: 'in' | 'leaving' | 'healed';
    readonly slotsComplete: number;
    readonly slotsLearning: number;
    readonly linkUp: boolean;
    /** The highest version of the members' protocol that its process speaks; 0: not known. */
    readonly protocol: number;
    /** Why it was taken out as slow, or should be; '' where it was not. */
    readonly slow: string;
  }[];
  /** The highest version of the members' protocol that this process speaks, and the one that all members have in force. */
  readonly protocol: { readonly speaks: number; readonly inForce: number };
  /** Where the store lies, in bytes; all 0 where it is not watched. low: no part in writes. */
  readonly disk: {
    readonly state: Room;
    readonly freeBytes: number;
    readonly reserveBytes: number;
    /** That can still be made there, and that are to stay so; both 0 where they are not counted. */
    readonly freeFiles: number;
    readonly reserveFiles: number;
  };
  readonly load: LoadStatus;
  /** Peers that are kept out by what they have otherwise than this node, or that keep it out. */
  readonly refusals: readonly PeerRefusal[];
  readonly store: {
    /** Damaged stores that lie beside it; and why the last one does, where this process has put it there. */
    readonly setAside: readonly string[];
    readonly reason: string;
    /** It took the place of a damaged one, and no member has let this node in since. */
    readonly inDoubt: boolean;
  };
  /** What this node has on its disk that PostgreSQL lacks. */
  readonly spool: {
    readonly outage: 'reject' | 'spool';
    /** Writes complete without PostgreSQL. */
    readonly isOn: boolean;
    /** The bound is reached: writes are refused while it is on. */
    readonly isFull: boolean;
    /** Keys; and bytes of their records. */
    readonly entries: number;
    readonly bytes: number;
    /** Milliseconds since the oldest of them was marked; 0 where there is none. */
    readonly oldestMs: number;
    /** Rows changed from outside meanwhile, which took the place of what was to be written. */
    readonly conflicts: number;
    /** Marks lifted here of late. */
    readonly drainedPerSecond: number;
  };
  readonly record: {
    readonly state: 'up' | 'down' | 'unused';
    readonly reason: string;
    /** The server in use by the epoch, and the one that this node was connected to last; left out: none yet. */
    readonly known?: RecordIdentity;
    readonly seen?: RecordIdentity;
    /** Only an operator can say that the one it sees is to be used: `causeway cluster adopt-record`. */
    readonly isForeign?: boolean;
    /** An operator wants this node to count as ready only while it is up. */
    readonly isNeeded?: boolean;
    /** Left out: no PostgreSQL, or no node yet. */
    readonly drive?: DriveStatus;
    readonly byHand?: ByHandStatus;
  };
  readonly legacy: {
    readonly state: 'up' | 'failing' | 'open' | 'unused';
    readonly reason: string;
    readonly calls: number;
  };
  /** Slots that are on their way to other owners. */
  readonly slotsMoving: number;
  /** Slots of which no complete owner lives: served by nobody until one is back, or an operator gives them up. */
  readonly slotsLost: number;
  readonly keysInFlight: number;
  /** Milliseconds since the oldest write began that is not finished here; 0 where there is none. */
  readonly oldestUnfinishedMs: number;
  /** Keys in the store here, deletions included. */
  readonly keysHeld: number;
  /** Deletions in the store here, and those that this process has forgotten. */
  readonly tombstones: TombstoneStatus;
  /** Share of its slots a learner has copied, 0..1; 1 at an owner. */
  readonly learnedShare: number;
  readonly copy: CopyStatus;
  readonly scrub: ScrubStatus;
  readonly operations: {
    readonly reads: number;
    readonly writes: number;
    readonly failures: number;
    /** Old answers, told to who takes them. */
    readonly staleReads: number;
  };
  /** Rates and times of the last seconds. */
  readonly recent: RecentActivity;
  readonly progress: ProgressStatus;
  /** What speaks against stopping this node now, for people; empty: nothing does. (core/safe-to-stop.ts) */
  readonly stopCosts: readonly string[];
  readonly notWrittenThrough: readonly string[];
}
