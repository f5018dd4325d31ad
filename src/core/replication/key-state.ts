/**
 * What a node keeps in memory of a key that is not at rest: one whose version is not valid yet, or on which
 * something waits. A key without a state here is valid, and its record is the store's. (DESIGN section 5)
 */
import { NONE } from '../../base/short-list.ts';
import type { Failure } from '../errors.ts';
import type { Coordinator } from '../message.ts';
import type { IdentifiedOperation } from '../operation-id.ts';
import type { WriteOperation, WriteResult } from '../operation.ts';
import type { SealedRecord } from '../record.ts';

/** When an operation passed which point of its way (`stamps.ts`); 0: it did not, or nothing is timed. */
export interface WriteStamps {
  /** Its round began: it is handed to the store. */
  begunAt: number;
  /** On this disk. */
  storedAt: number;
  /** All owners have it, on this disk, too; PostgreSQL is asked. */
  heardAt: number;
}

/** A client's write, from its arrival to its answer. */
export interface WriteTicket {
  readonly operation: WriteOperation;
  /** The key may still come from the legacy source: what deletes it must leave a tombstone. */
  readonly readsLegacy: boolean;
  /** It has a condition, and the legacy source was not heard to lack the key: not to be judged where only that can tell. */
  readonly isLegacyUnheard: boolean;
  /** Something of it was stored: from now on only a definite end makes its answer definite. */
  begun: boolean;
  /** Answered; whatever happens to its round no longer concerns the client. */
  answered: boolean;
  /** Times it lost against another writer and was judged anew. */
  retries: number;
  /** Where its moments are noted; left out: nowhere. */
  readonly stamps?: WriteStamps;
  readonly answer: (result: WriteResult) => void;
}

/** A client's read that has to wait. */
export interface ReadTicket {
  readonly key: string;
  /** The highest version this node knew when the read began: nothing lower may be returned. (R9) */
  lowest: number;
  answered: boolean;
  /** The record that became valid; undefined: neither the cluster nor PostgreSQL has the key. */
  readonly answer: (sealed: SealedRecord | undefined, problem: Failure | null) => void;
}

/**
 * storing: our own store is writing it, and nobody else has heard of it. collecting: acknowledgements are awaited, and our own store. recording: PostgreSQL is
 * writing it. settling: all is done but an epoch's wait or the number of owners forbids to say so.
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
  /** Epoch in which the version was taken: an abort is definite only while it lasts. (R3) */
  readonly epochBegan: number;
  readonly tickets: readonly RoundTicket[];
  phase: RoundPhase;
  /** Epoch whose acknowledgements are being collected. (R4) */
  epoch: number;
  /** Members that have not acknowledged in this epoch; this one while its own disk does not have the version. */
  awaiting: readonly number[];
  /** In this epoch someone, this node included, held a higher version. (R1) */
  outranked: boolean;
  /** All acknowledged *equal* within one epoch, once: the write can no longer be lost to another. (R3) */
  decided: boolean;
  /** PostgreSQL has this version or a known higher one, or need not have it. */
  recorded: boolean;
  /** Monotonic ms of the last sending. */
  sentAt: number;
}

export interface RoundTicket {
  readonly ticket: WriteTicket;
  /** Given when the round completes. */
  readonly result: WriteResult;
}

/** An acknowledgement that waits for the store. */
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
  /** What the held version's coordinator knew to be valid when it took it; 0 where it is not known. */
  heldBase: number;
  /** While the held version is invalid: its operations with an id, remembered here and not yet certain. (R33) */
  heldOperations: readonly IdentifiedOperation[] | null;
  /** The highest version known to be on this disk. */
  durable: number;
  /** The highest version whose mark for PostgreSQL is durable with it, as far as this state has seen. (R34) */
  spooled: number;
  valid: boolean;
  /** Monotonic ms since when the key has been invalid at this version without news. */
  since: number;
  round: Round | null;
  /** Conditional writes that lost and wait to learn whether that was definite. (R3) */
  aborted: readonly AbortedRound[];
  queue: readonly WriteTicket[];
  readers: readonly ReadTicket[];
  /** Records replaced while readers waited: one of them may still become valid for them. (R9) */
  overwritten: readonly SealedRecord[];
  owed: readonly OwedAcknowledgement[];
  /** Store batches whose in-flight entries name this key. (R12) */
  batches: readonly number[];
  /** Its queue is to be looked at once the event at hand is handled. */
  runnable: boolean;
  /** PostgreSQL was asked and has no row: absence here is final while this state lasts. (R23) */
  absentInRecord: boolean;
  /** PostgreSQL has been asked for the key and has not answered. */
  fetching: boolean;
}

export interface AbortedRound {
  readonly tickets: readonly WriteTicket[];
  readonly version: number;
  readonly epochBegan: number;
  /** It had been decided: whatever comes, its outcome is not definite. */
  readonly decided: boolean;
}

/** Drives what is at rest. */
const NOBODY: Coordinator = { id: 0, incarnation: 0 };

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

/** Of all clients whose writes wait on the key, answered or not. */
export function ticketsOf(state: KeyState): WriteTicket[] {
  return [
    ...(state.round?.tickets.map((each) => each.ticket) ?? []),
    ...state.aborted.flatMap((each) => each.tickets),
    ...state.queue,
  ];
}

/** Monotonic ms; undefined where all are valid. */
export function oldestInvalidSince(states: Iterable<KeyState>): number | undefined {
  let oldest: number | undefined;
  for (const { valid, since } of states)
    if (!valid && (oldest === undefined || since < oldest)) oldest = since;
  return oldest;
}
