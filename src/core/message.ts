/**
 * Messages between members. Each frame starts with a header about its sender (`FrameHeader`). A frame from another
 * epoch is refused as a whole, except for messages that do not depend on the epoch. (PROTOCOL R11, R13)
 *
 * Replication messages are hot and encoded by hand; membership messages (membership-message.ts) are rare.
 */
import type { CollectionMessage, RepairAbsent } from './upkeep/collection-message.ts';
import type { SlotFloor } from './upkeep/floors.ts';
import type { MembershipMessage } from './membership/membership-message.ts';
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
import type { ScrubMessage } from './upkeep/scrub-message.ts';
import type { SpoolMessage } from './system-of-record/spool-message.ts';
import type { StopMessage } from './membership/stop-message.ts';
import type { TraceContext } from './observability/trace-context.ts';
import type { WatchMessage } from './clients/watch-message.ts';

export interface FrameHeader {
  /** Member id of the sender; 0 while it has none. */
  readonly from: number;
  readonly incarnation: number;
  /** The epoch the sender acts in; 0 while it acts in none. */
  readonly epoch: number;
}

/** The process that coordinates a write, and answers for it until it is gone. */
export interface Coordinator {
  readonly id: number;
  readonly incarnation: number;
}

/** "Store this record and hold the key invalid." Answered by at most one acknowledgement. */
export interface Invalidate {
  readonly kind: 'invalidate';
  /** The sender's number of this round, returned in the acknowledgement. */
  readonly round: number;
  readonly sealed: SealedRecord;
  /** If true, a node that holds a higher version makes the round abort. */
  readonly conditional: boolean;
  /**
   * True if whoever finishes this write need not write to PostgreSQL: the row is there, or the route does not write
   * through.
   */
  readonly recorded: boolean;
  /** The process that took the version: the sender itself, unless this is a replay. */
  readonly coordinator: Coordinator;
  /** The highest version known to be valid to the coordinator when it took this one. (R33) */
  readonly base: number;
  /** The identified operations that this version carries; null if none. (R33) */
  readonly operations: readonly IdentifiedOperation[] | null;
  /** The fill's route epoch; 0 if this is not a fill. (R25) */
  readonly routeEpoch: number;
  /** Trace of the write, if it is traced. */
  readonly trace?: TraceContext | undefined;
}

export interface Acknowledge {
  readonly kind: 'acknowledge';
  readonly round: number;
  /**
   * - equal: stored durably with exactly this version and checksum.
   * - higher: a higher version is held durably.
   * - refused: neither (damaged, full, conflicting checksums, expiry not yet passed), so the round cannot proceed here.
   */
  readonly outcome: 'equal' | 'higher' | 'refused';
  /** For `higher` in a conditional round: the record held, to be stored like an Invalidate. (R3) */
  readonly held: HeldRecord | null;
}

export interface HeldRecord {
  readonly sealed: SealedRecord;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
  /** As in an Invalidate; 0 and null if the record was at rest. */
  readonly base: number;
  readonly operations: readonly IdentifiedOperation[] | null;
  /** Valid at the sender, so no replay is needed. */
  readonly valid: boolean;
}

/** "This version is durable everywhere, so it can be read." May be repeated freely, and is true in every epoch. */
export interface Validate {
  readonly kind: 'validate';
  readonly key: string;
  readonly version: number;
}

/** "I hold this key invalid at this version; what became of it?" Sent to the coordinator. */
export interface Query {
  readonly kind: 'query';
  readonly key: string;
  readonly version: number;
}

/**
 * - pending: the round is still going on.
 * - unknown: the sender does not drive this version, so the receiver should replay it. (R13)
 */
export interface QueryAnswer {
  readonly kind: 'queryAnswer';
  readonly key: string;
  readonly version: number;
  readonly answer: 'pending' | 'unknown';
}

/** A client's operation forwarded to an owner. `hops` counts how often it was forwarded: at most twice. (R33) */
export interface ForwardWrite {
  readonly kind: 'forwardWrite';
  readonly request: number;
  readonly hops: number;
  /** Milliseconds for which the sender still waits. */
  readonly timeoutMs: number;
  readonly operation: WriteOperation;
  /** Left out if the operation is not traced. */
  readonly trace?: TraceContext | undefined;
}

export interface ForwardRead {
  readonly kind: 'forwardRead';
  readonly request: number;
  readonly hops: number;
  readonly timeoutMs: number;
  readonly key: string;
  /** The sender is an owner that lacks the record, and asks the slot's first owner to consult the legacy source. */
  readonly miss: boolean;
  /** Without a lease, answer with what was last readable. */
  readonly allowStale: boolean;
  /** Clients of the sender keep a copy of the answer, so the key must be watched from now on. */
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
  /** A stale result only if the request allowed it. */
  readonly result: ReadResult | StaleResult;
  /** The session under which the key is watched; 0 if it is not. */
  readonly watched: number;
}

/** Asks an owner of the slot at the cursor for the next page of all records. */
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

/** Asks how many keys there are in the slots of which the receiver is the first owner, in this epoch. */
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
  /**
   * The epoch in which it is asked, here and in the messages below: a process never asks in an epoch entered by another
   * process.
   */
  readonly session: number;
  /** Ascending. */
  readonly slots: Uint16Array;
  /** Three numbers for each slot: the count, and the low and high half of the digest. */
  readonly digests: Uint32Array;
}

/** An owner's answer: which of the slots differ. It repeats the first slot asked about and their number. */
export interface LearnDifferences {
  readonly kind: 'learnDifferences';
  readonly session: number;
  readonly slotFirst: number;
  readonly slotCount: number;
  readonly differing: readonly number[];
  /** Floors of all those slots that have one: the learner must never be below it. (R19, R22) */
  readonly floors: readonly SlotFloor[];
}

/** Asks for one slot's records after a key (`''`: from the beginning). */
export interface LearnPull {
  readonly kind: 'learnPull';
  readonly session: number;
  readonly slot: number;
  readonly afterKey: string;
  /** The first few records on the asker's disk from there on, in key order; empty if it does not offer any. */
  readonly offered: readonly RecordSummary[];
}

/** Distinguishes a record from every other one of the same key: if both fields are equal, it is the same write. */
export interface RecordSummary {
  readonly version: number;
  readonly checksum: number;
}

/**
 * The sender holds, at rest, the record that was offered at that position. The position alone proves nothing, so the
 * key is given too.
 */
export interface SameRecord {
  readonly index: number;
  readonly key: string;
}

/**
 * Records, each marked in flight or not, and references to records that the asker already has, in key order. Together
 * they are everything from `afterKey` to the last of them (or to the end).
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

/** Asks for the operations that an owner remembers, starting from a position in their time order. (R20, R33) */
export interface LearnOperations {
  readonly kind: 'learnOperations';
  readonly session: number;
  readonly after: string;
}

export interface RememberedOperation extends IdentifiedOperation {
  readonly key: string;
  readonly version: number;
  /** The version is in flight at the sender: the operation may still turn out not to have happened. */
  readonly open: boolean;
}

export interface LearnOperationsFrame {
  readonly kind: 'learnOperationsFrame';
  readonly session: number;
  readonly after: string;
  /** Operations in slots where the sender is complete and the asker learns. */
  readonly operations: readonly RememberedOperation[];
  /** Where to continue; '' if nothing follows. */
  readonly next: string;
  /** Milliseconds since 1970: the sender knows nothing of ids up to this time. */
  readonly forgottenThrough: number;
}

/** The owner cannot serve this now, so the learner asks another. */
export interface LearnRefused {
  readonly kind: 'learnRefused';
  readonly session: number;
  readonly slot: number;
  readonly reason: string;
}

/**
 * A learner that has copied everything asks for versions that it took before, as another process, and that are still in
 * flight here; its source may know nothing of them. Covers keys after the given one. (R8, R20)
 */
export interface LearnUntold {
  readonly kind: 'learnUntold';
  readonly session: number;
  readonly after: string;
}

/** In key order; empty if there is nothing. */
export interface LearnUntoldFrame extends Pick<LearnFrame, 'session' | 'records' | 'last'> {
  readonly kind: 'learnUntoldFrame';
  readonly after: string;
}

/** Asks a complete owner for one record that is damaged on the asker's disk. (R10) */
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
