/**
 * What members say to one another. Each frame opens with its sender's place in the world (`FrameHeader`);
 * a frame of another epoch is refused whole, except for the messages that need no epoch. (PROTOCOL R11, R13)
 *
 * The replication messages are hot and packed by hand; those of membership (membership-message.ts) are rare.
 */
import type { CollectionMessage, RepairAbsent } from './collection-message.ts';
import type { SlotFloor } from './floors.ts';
import type { MembershipMessage } from './membership-message.ts';
import type { IdentifiedOperation } from './operation-id.ts';
import type {
  CountResult,
  ReadResult,
  ScanResult,
  StaleResult,
  WriteOperation,
  WriteResult,
} from './operation.ts';
import type { SealedRecord } from './record.ts';
import type { ScrubMessage } from './scrub-message.ts';
import type { SpoolMessage } from './spool-message.ts';
import type { StopMessage } from './stop-message.ts';
import type { TraceContext } from './trace-context.ts';
import type { WatchMessage } from './watch-message.ts';

export interface FrameHeader {
  /** Member id of the sender, 0 while it has none. */
  readonly from: number;
  readonly incarnation: number;
  /** The epoch the sender acts in, 0 while it has none. */
  readonly epoch: number;
}

/** Which process coordinates a write: answers for it until it is gone. */
export interface Coordinator {
  readonly id: number;
  readonly incarnation: number;
}

/** "Store this record and hold the key invalid." Answered by exactly one acknowledgement or none. */
export interface Invalidate {
  readonly kind: 'invalidate';
  /** The sender's number of this round; comes back in the acknowledgement. */
  readonly round: number;
  readonly sealed: SealedRecord;
  /** A node that holds a higher version refuses, and the round aborts. */
  readonly conditional: boolean;
  /** PostgreSQL need not be written by whoever finishes this (it is there, or the route does not write through). */
  readonly recorded: boolean;
  /** Who first took the version; the sender itself unless this is a replay. */
  readonly coordinator: Coordinator;
  /** The highest version that its coordinator knew to be valid when it took this one. (R33) */
  readonly base: number;
  /** The operations with an id that this version stands for; null: none. (R33) */
  readonly operations: readonly IdentifiedOperation[] | null;
  /** The fill's route epoch, 0 where it is none. (R25) */
  readonly routeEpoch: number;
  /** Of the write that asks, where it is recorded. */
  readonly trace?: TraceContext | undefined;
}

export interface Acknowledge {
  readonly kind: 'acknowledge';
  readonly round: number;
  /**
   * equal: stored durably at exactly this version and checksum. higher: a higher version is held durably.
   * refused: neither (damaged, full, conflict of checksums, expiry not yet passed): the round cannot go on here.
   */
  readonly outcome: 'equal' | 'higher' | 'refused';
  /** With `higher` on a conditional round: what is held, to be stored like an Invalidate. (R3) */
  readonly held: HeldRecord | null;
}

export interface HeldRecord {
  readonly sealed: SealedRecord;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
  /** As in an Invalidate; 0 and null where the record was at rest. */
  readonly base: number;
  readonly operations: readonly IdentifiedOperation[] | null;
  /** Valid at the sender: needs no replay. */
  readonly valid: boolean;
}

/** "This version is durable everywhere: readable." Repeated freely, and true in every epoch. */
export interface Validate {
  readonly kind: 'validate';
  readonly key: string;
  readonly version: number;
}

/** "I hold this key invalid at this version; what became of it?" Sent to its coordinator. */
export interface Query {
  readonly kind: 'query';
  readonly key: string;
  readonly version: number;
}

/** pending: the round goes on. unknown: the sender does not drive this version: replay it. (R13) */
export interface QueryAnswer {
  readonly kind: 'queryAnswer';
  readonly key: string;
  readonly version: number;
  readonly answer: 'pending' | 'unknown';
}

/** A client's operation handed to an owner. `hops` counts the hand-overs so far: at most two. (R33) */
export interface ForwardWrite {
  readonly kind: 'forwardWrite';
  readonly request: number;
  readonly hops: number;
  /** Milliseconds the sender still waits. */
  readonly timeoutMs: number;
  readonly operation: WriteOperation;
  /** Left out where the operation is not recorded. */
  readonly trace?: TraceContext | undefined;
}

export interface ForwardRead {
  readonly kind: 'forwardRead';
  readonly request: number;
  readonly hops: number;
  readonly timeoutMs: number;
  readonly key: string;
  /** The asker is an owner without the record and asks the slot's first owner to consult legacy. */
  readonly miss: boolean;
  /** Without a lease, what was readable last is answered. */
  readonly allowStale: boolean;
  /** Clients of the asker keep what is answered: the key is to be watched from now on. */
  readonly watch: boolean;
  readonly trace?: TraceContext | undefined;
}

export interface ForwardWriteAnswer {
  readonly kind: 'forwardWriteAnswer';
  readonly request: number;
  readonly result: WriteResult;
}

export interface ForwardReadAnswer {
  readonly kind: 'forwardReadAnswer';
  readonly request: number;
  /** stale: only where the question allowed it. */
  readonly result: ReadResult | StaleResult;
  /** The session under which the key is watched; 0: it is not. */
  readonly watched: number;
}

/** Asks an owner of the slot at which the cursor stands for the next page of all records. */
export interface ForwardScan {
  readonly kind: 'forwardScan';
  readonly request: number;
  readonly hops: number;
  readonly timeoutMs: number;
  readonly after: string;
  readonly limit: number;
  readonly trace?: TraceContext | undefined;
}

export interface ForwardScanAnswer {
  readonly kind: 'forwardScanAnswer';
  readonly request: number;
  readonly result: ScanResult;
}

/** How many keys are there in the slots of which the hearer is the first owner, in this epoch? */
export interface ForwardCount {
  readonly kind: 'forwardCount';
  readonly request: number;
  readonly epoch: number;
}

export interface ForwardCountAnswer {
  readonly kind: 'forwardCountAnswer';
  readonly request: number;
  readonly result: CountResult;
}

/** A learner asks a complete owner to compare slots: one digest per slot. (R19) */
export interface LearnDigests {
  readonly kind: 'learnDigests';
  /** The epoch in which it is asked, here and below: no process asks in the epoch of another one. */
  readonly session: number;
  /** Ascending. */
  readonly slots: Uint16Array;
  /** For each of the slots three numbers: count, and the low and the high half of the digest. */
  readonly digests: Uint32Array;
}

/** The owner's answer: which of those slots differ; it names the first of them and their number. */
export interface LearnDifferences {
  readonly kind: 'learnDifferences';
  readonly session: number;
  readonly slotFirst: number;
  readonly slotCount: number;
  readonly differing: readonly number[];
  /** Of those of all the slots that have one: the learner is never below it. (R19, R22) */
  readonly floors: readonly SlotFloor[];
}

/** Asks for one slot's records after a key (`''`: from the start). */
export interface LearnPull {
  readonly kind: 'learnPull';
  readonly session: number;
  readonly slot: number;
  readonly afterKey: string;
  /** What the asker's disk holds from there on, in key order: its first few, none where it does not say. */
  readonly offered: readonly RecordSummary[];
}

/** Tells a record of a known key from every other one: equal in both, it is the same write. */
export interface RecordSummary {
  readonly version: number;
  readonly checksum: number;
}

/** The sender holds, at rest, what was offered at that place: the place proves nothing without its key. */
export interface SameRecord {
  readonly index: number;
  readonly key: string;
}

/**
 * Records, each said to be in flight or not, and those that the asker has, each in key order: together everything between
 * `afterKey` and the last of them (or the end).
 */
export interface LearnFrame {
  readonly kind: 'learnFrame';
  readonly session: number;
  readonly slot: number;
  readonly afterKey: string;
  readonly records: readonly HeldRecord[];
  readonly same: readonly SameRecord[];
  /** Nothing follows in this slot. */
  readonly last: boolean;
}

/** Asks for the operations that an owner remembers, from a place in their order of time on. (R20, R33) */
export interface LearnOperations {
  readonly kind: 'learnOperations';
  readonly session: number;
  readonly after: string;
}

export interface RememberedOperation extends IdentifiedOperation {
  readonly key: string;
  readonly version: number;
  /** The version is in flight at the sender: the operation may yet turn out not to have happened. */
  readonly open: boolean;
}

export interface LearnOperationsFrame {
  readonly kind: 'learnOperationsFrame';
  readonly session: number;
  readonly after: string;
  /** Of the slots in which the sender is complete and the asker learns. */
  readonly operations: readonly RememberedOperation[];
  /** Where to go on; '' where nothing follows. */
  readonly next: string;
  /** Milliseconds since 1970: of ids up to this one the sender knows nothing. */
  readonly forgottenThrough: number;
}

/** The owner cannot serve this now; the learner asks another. */
export interface LearnRefused {
  readonly kind: 'learnRefused';
  readonly session: number;
  readonly slot: number;
  readonly reason: string;
}

/**
 * A learner has copied everything, and asks for what it took before, as another process, and is still in flight here: its
 * source may know nothing of it. Of keys after this one. (R8, R20)
 */
export interface LearnUntold {
  readonly kind: 'learnUntold';
  readonly session: number;
  readonly after: string;
}

/** In the order of their keys; an empty one where there is nothing. */
export interface LearnUntoldFrame extends Pick<LearnFrame, 'session' | 'records' | 'last'> {
  readonly kind: 'learnUntoldFrame';
  readonly after: string;
}

/** Asks a complete owner for one record, which is damaged on the asker's disk. (R10) */
export interface RepairPull {
  readonly kind: 'repairPull';
  readonly key: string;
}

export interface RepairRecord {
  readonly kind: 'repairRecord';
  readonly held: HeldRecord;
}

export type ReplicationMessage = Invalidate | Acknowledge | Validate | Query | QueryAnswer;
export type ForwardMessage =
  | ForwardWrite
  | ForwardRead
  | ForwardScan
  | ForwardCount
  | ForwardWriteAnswer
  | ForwardReadAnswer
  | ForwardScanAnswer
  | ForwardCountAnswer;
export type LearnMessage =
  | LearnDigests
  | LearnDifferences
  | LearnPull
  | LearnFrame
  | LearnOperations
  | LearnOperationsFrame
  | LearnRefused
  | LearnUntold
  | LearnUntoldFrame;
export type RepairMessage = RepairPull | RepairRecord | RepairAbsent;
export type PeerMessage =
  | ReplicationMessage
  | CollectionMessage
  | ForwardMessage
  | LearnMessage
  | SpoolMessage
  | StopMessage
  | WatchMessage
  | RepairMessage
  | ScrubMessage
  | MembershipMessage;
