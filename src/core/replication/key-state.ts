/**
 * What a node keeps in memory about a key that is not at rest: its version is not valid yet, or something waits on it.
 * A key without a state here is valid, and the store holds its record. (DESIGN section 5)
 */
import { NONE } from '../../base/short-list.ts';
import type { Failure } from '../errors.ts';
import type { Coordinator } from '../message.ts';
import type { IdentifiedOperation } from '../operation-id.ts';
import type { WriteOperation, WriteResult } from '../operation.ts';
import type { SealedRecord } from '../record.ts';

/** Time stamps of an operation's stages (`stamps.ts`). 0: the stage was not reached, or timing is off. */
export interface WriteStamps {
  /** Its round began, and the record was handed to the store. */
  begunAt: number;
  /** The record is on this node's disk. */
  storedAt: number;
  /** All owners have the record, this one's disk included. PostgreSQL comes next. */
  heardAt: number;
}

/** A client's write, from its arrival to its answer. */
export interface WriteTicket {
  readonly operation: WriteOperation;
  /** The legacy source may still have the key, so that a deletion must leave a tombstone. */
  readonly readsLegacy: boolean;
  /**
   * The operation is conditional and the legacy source has not confirmed that it lacks the key: it must not be judged
   * where the outcome depends on that.
   */
  readonly isLegacyUnheard: boolean;
  /** Something of the write has been stored: from now on its answer is definite only if its outcome is. */
  begun: boolean;
  /** The client has its answer; what happens to the round no longer concerns it. */
  answered: boolean;
  /** How often the write lost to another writer and was judged again. */
  retries: number;
  /** Where the time stamps of the write go; left out if nobody wants them. */
  readonly stamps?: WriteStamps;
  readonly answer: (result: WriteResult) => void;
}

/** A client's read that has to wait. */
export interface ReadTicket {
  readonly key: string;
  /** The highest version this node knew when the read began: nothing lower may be returned. (R9) */
  lowest: number;
  answered: boolean;
  /** Called with the record that became valid, or undefined if neither the cluster nor PostgreSQL has the key. */
  readonly answer: (sealed: SealedRecord | undefined, problem: Failure | null) => void;
}

/**
 * - storing: this node's store is writing the record, and no other node has heard of it.
 * - collecting: the round waits for acknowledgements and, if need be, for this node's own store.
 * - recording: PostgreSQL is writing the row.
 * - settling: everything is done, but the waiting-out of an epoch or too few owners still forbid completion.
 */
export type RoundPhase = 'storing' | 'collecting' | 'recording' | 'settling';

/** One attempt to make one version complete, by its coordinator or by an owner who replays it. */
export interface Round extends WriteStamps {
  readonly id: number;
  readonly kind: 'write' | 'replay' | 'install';
  readonly sealed: SealedRecord;
  readonly conditional: boolean;
  readonly coordinator: Coordinator;
  readonly base: number;
  readonly operations: readonly IdentifiedOperation[] | null;
  /** The cluster's life in which the version was taken: an abort is definite only while it lasts. (R3) */
  readonly lifeBegan: number;
  readonly tickets: readonly RoundTicket[];
  phase: RoundPhase;
  /** The epoch whose acknowledgements are being collected. (R4) */
  epoch: number;
  /** Members that have not acknowledged in this epoch; includes this node until its own disk has the version. */
  awaiting: readonly number[];
  /** In this epoch some owner or learner, possibly this node, held a higher version. (R1) */
  outranked: boolean;
  /** All acknowledgements of one epoch were *equal*: the write can no longer lose to another. (R3) */
  decided: boolean;
  /** PostgreSQL has this version or a known higher one, or does not need it. */
  recorded: boolean;
  /** Monotonic ms of the last time Invalidate was sent. */
  sentAt: number;
}

export interface RoundTicket {
  readonly ticket: WriteTicket;
  /** Given to the client when the round completes. */
  readonly result: WriteResult;
}

/** An acknowledgement to be sent once the store has the record. */
export interface OwedAcknowledgement {
  readonly to: number;
  readonly round: number;
  readonly sealed: SealedRecord;
  readonly conditional: boolean;
}

export interface KeyState {
  readonly key: string;
  readonly slot: number;
  /** The highest version here, durable or on its way to the disk; null where the key is not held. */
  held: SealedRecord | null;
  heldConditional: boolean;
  heldRecorded: boolean;
  heldCoordinator: Coordinator;
  /**
   * The highest version known to be valid to the held version's coordinator when it took that version; 0 if unknown.
   */
  heldBase: number;
  /**
   * The identified operations of the held version while it is invalid: remembered here, but not certain to take effect.
   * (R33)
   */
  heldOperations: readonly IdentifiedOperation[] | null;
  /** The highest version known to be on this disk. */
  durable: number;
  /** The highest version whose spool mark is known to this state to be durable with the record. (R34) */
  spooled: number;
  valid: boolean;
  /** Monotonic ms since when the key has been invalid at this version without news of it. */
  since: number;
  round: Round | null;
  /** Conditional writes that lost and wait to learn whether their abort is definite. (R3) */
  aborted: readonly AbortedRound[];
  queue: readonly WriteTicket[];
  readers: readonly ReadTicket[];
  /** Records replaced while readers waited; each may still become valid and be returned to them. (R9) */
  overwritten: readonly SealedRecord[];
  owed: readonly OwedAcknowledgement[];
  /** The store batches whose in-flight entries name this key. (R12) */
  batches: readonly number[];
  /** The key is in `ReplicaContext.runnable`. */
  runnable: boolean;
  /** PostgreSQL was asked and has no row: the key's absence is final while this state lasts. (R23) */
  absentInRecord: boolean;
  /** PostgreSQL has been asked for the key and has not answered yet. */
  fetching: boolean;
}

export interface AbortedRound {
  readonly tickets: readonly WriteTicket[];
  readonly version: number;
  readonly lifeBegan: number;
}

/** The coordinator of a record at rest, and of a write that no process answers for. */
export const NOBODY: Coordinator = { id: 0, incarnation: 0 };

export function restingState(key: string, slot: number, held: SealedRecord | null, now: number): KeyState {
  return {
    key,
    slot,
    held,
    heldConditional: false,
    heldRecorded: true,
    heldCoordinator: NOBODY,
    heldBase: 0,
    heldOperations: null,
    durable: held === null ? 0 : held.record.version,
    spooled: 0,
    valid: true,
    since: now,
    round: null,
    aborted: NONE,
    queue: NONE,
    readers: NONE,
    overwritten: NONE,
    owed: NONE,
    batches: NONE,
    runnable: false,
    absentInRecord: false,
    fetching: false,
  };
}

export function isAtRest(state: KeyState): boolean {
  return (
    state.valid &&
    state.round === null &&
    !state.fetching &&
    state.queue.length === 0 &&
    state.readers.length === 0 &&
    state.aborted.length === 0 &&
    state.owed.length === 0 &&
    (state.held === null || state.durable >= state.held.record.version)
  );
}

/**
 * True if the record held is not at rest: its version is not valid, or a round drives it. A valid record that something
 * only waits on is at rest.
 */
export function isInFlight({ valid, round }: KeyState): boolean {
  return !valid || round !== null;
}

/** All client writes that wait on the key, answered or not. */
export function ticketsOf(state: KeyState): WriteTicket[] {
  return [
    ...(state.round?.tickets.map((each) => each.ticket) ?? []),
    ...state.aborted.flatMap((each) => each.tickets),
    ...state.queue,
  ];
}

/** Monotonic ms; undefined if all keys are valid. */
export function oldestInvalidSince(states: Iterable<KeyState>): number | undefined {
  let oldest: number | undefined;
  for (const { valid, since } of states)
    if (!valid && (oldest === undefined || since < oldest)) oldest = since;
  return oldest;
}
