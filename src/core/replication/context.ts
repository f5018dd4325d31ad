/**
 * The shared state of the replication rules: the keys in flight, the epoch's view of the slots, and the effects by
 * which the rules reach the outside world. An effect only records what is to be done; it never calls back into the
 * rules.
 */
import type { ChurningMap } from '../../base/churning-map.ts';
import { NONE } from '../../base/short-list.ts';
import type { Failure } from '../errors.ts';
import type { EventName, LogLevel } from '../observability/events.ts';
import type { SlotFloors } from '../upkeep/floors.ts';
import type { Coordinator, PeerMessage } from '../message.ts';
import type { WorkMeter } from '../modify/work.ts';
import type { Mutations } from '../mutations.ts';
import type { IdentifiedOperation, KnownOperation } from '../operation-id.ts';
import type { WriteResult } from '../operation.ts';
import type { KeyRecord, SealedRecord } from '../record.ts';
import type { AgreedFloors } from './agreed-floors.ts';
import { isAtRest, restingState } from './key-state.ts';
import type { KeyState, ReadTicket, WriteTicket } from './key-state.ts';
import type { SlotView } from './slot-view.ts';

export interface StoredWrite {
  readonly sealed: SealedRecord;
  readonly slot: number;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
  readonly base: number;
  /** Operation ids to remember, in the same batch as the record. (R33) */
  readonly operations: readonly IdentifiedOperation[] | null;
  /** Operations that never took effect now that this record replaces theirs: forgotten in the same batch. (R33) */
  readonly voided: readonly IdentifiedOperation[] | null;
  /** The record of this key that this node held until now; null where only the store can tell. */
  readonly replaced: SealedRecord | null;
}

/** The operation ids that this node remembers. A complete owner remembers all of them. (R33) */
export interface OperationMemory {
  find(key: string, id: Uint8Array): KnownOperation | undefined | 'damaged';
  /** Milliseconds since 1970: nothing is known any more of ids issued up to this time. */
  forgottenThrough(): number;
  /** True if no further id can be remembered. */
  isFull(): boolean;
}

/** The version counters that this node hands out. (R8) */
export interface OwnCounters {
  /**
   * The highest counter that an earlier process on this disk, or this process under an earlier incarnation, may have
   * used, even if the disk does not have the version.
   */
  readonly spentThrough: number;
  /**
   * Marks all counters taken so far as spent. Called when writes in flight here are given up and may be copied over:
   * other nodes may already have heard of their versions.
   */
  passOver(): void;
  /**
   * True if no later process on this disk will take this counter, so that other nodes may hear of the version before
   * this disk has it.
   */
  covers(counter: number): boolean;
}

export interface ReplicaEffects {
  /**
   * The record that this node's store holds for a key at rest. A learner's leftover that its source has not confirmed
   * counts as not held. (R19)
   */
  load(key: string, slot: number): SealedRecord | undefined | 'damaged';
  /**
   * Stores the record together with its in-flight entry; `onStored` follows. Returns the number of the batch, which
   * names the entry. (R12)
   */
  store(write: StoredWrite): number;
  /**
   * Marks that PostgreSQL lacks this record, which is handed to the store next. The mark is durable no later than the
   * record. (R34)
   */
  spool(sealed: SealedRecord, slot: number): void;
  /** Marks a record that is already stored; `onSpooled` follows once the mark is durable. */
  spoolStored(sealed: SealedRecord, slot: number): void;
  /** True if some member has no room for more marks. */
  spoolFull(): boolean;
  /** The key is valid, so the in-flight entries of these batches no longer concern it. */
  endInFlight(key: string, batches: readonly number[]): void;
  /** A record became valid and may be cached. */
  settled(sealed: SealedRecord): void;
  send(memberId: number, message: PeerMessage): void;
  /** Writes the row to PostgreSQL, and repeats until the outcome is known; `onRecorded` follows. */
  record(sealed: SealedRecord, slot: number): void;
  /** Asks PostgreSQL for the key; `onFetched` follows. */
  fetch(key: string): void;
  readonly operations: OperationMemory;
  /** The floors of this node's slots. */
  readonly floors: SlotFloors;
  /** Asks every owner of the slot to pass this node's floor for it; `agreeFloors` follows. (R22) */
  agreeFloor(slot: number): void;
  readonly counters: OwnCounters;
  seal(record: KeyRecord): SealedRecord;
  /** Monotonic ms. */
  now(): number;
  /** The same moment as a time stamp; 0 where timing is off. */
  stamp(): number;
  wallNow(): number;
  /** The latest wall-clock time that this node has shown to other nodes, or shows now. (R26) */
  wallShown(): number;
  leaseHeld(): boolean;
  /** Monotonic ms until which no write of the slot may complete. (R15) */
  blockedUntil(slot: number): number;
  writesThrough(key: string): boolean;
  /** Members that have no room for a write; almost always empty. (R32) */
  refusing(): ReadonlySet<number>;
  /** False while PostgreSQL is known to be down. (R6) */
  recordAvailable(): boolean;
  event(level: LogLevel, name: EventName, fields?: Readonly<Record<string, unknown>>): void;
}

export interface ReplicaContext {
  readonly effects: ReplicaEffects;
  readonly mutations: Mutations;
  readonly self: Coordinator;
  view: SlotView;
  readonly agreed: AgreedFloors;
  /**
   * By slot: floors that this node promised to respect as a learner, above the floor it had copied. It takes no
   * unconditional version at or below them. (R22)
   */
  readonly promised: Map<number, number>;
  /** Keys not at rest. */
  readonly table: ChurningMap<string, KeyState>;
  /** This node's rounds by number. */
  readonly rounds: ChurningMap<number, KeyState>;
  /** Keys whose queue must be looked at after the current event, each at most once (see `KeyState.runnable`). */
  readonly runnable: KeyState[];
  /** Keys whose round waits only for time or for enough owners. */
  readonly settling: Set<KeyState>;
  /** Answers to clients, delivered after the current event: a client may call back in from its answer. */
  readonly answers: PendingAnswer[];
  roundNext: number;
  /** Work spent on judging operations since the last tick. */
  readonly judged: WorkMeter;
  /** The highest counter seen. A version far above it is a fault. (R8) */
  counterHighest: number;
}

/**
 * Returns the key's state, creating it from the store if the key is at rest; 'damaged' if its record cannot be trusted.
 */
export function openKey(context: ReplicaContext, key: string, slot: number): KeyState | 'damaged' {
  const known = context.table.get(key);
  if (known !== undefined) return known;
  const held = context.effects.load(key, slot);
  if (held === 'damaged') return 'damaged';
  const state = restingState(key, slot, held ?? null, context.effects.now());
  context.table.set(key, state);
  return state;
}

/** Drops a state that has nothing left to remember. */
export function closeKey(context: ReplicaContext, state: KeyState): void {
  if (!isAtRest(state) || context.table.get(state.key) !== state) return;
  context.table.delete(state.key);
  if (context.settling.size > 0) context.settling.delete(state);
  if (state.batches.length > 0) {
    context.effects.endInFlight(state.key, state.batches);
    state.batches = NONE;
  }
}

export function makeRunnable(context: ReplicaContext, state: KeyState): void {
  if (state.runnable) return;
  state.runnable = true;
  context.runnable.push(state);
}

export function heldVersion(state: KeyState): number {
  return state.held === null ? 0 : state.held.record.version;
}

/** Either a write's result (`write`) or the outcome of a waiting read (`read`). */
export interface PendingAnswer {
  readonly write: { readonly ticket: WriteTicket; readonly result: WriteResult } | null;
  readonly read: ReadTicket | null;
  readonly sealed: SealedRecord | undefined;
  readonly problem: Failure | null;
}

/** Answers a ticket once. Later outcomes no longer concern its client. */
export function answerWrite(context: ReplicaContext, ticket: WriteTicket, result: WriteResult): void {
  if (ticket.answered) return;
  ticket.answered = true;
  context.answers.push({ write: { ticket, result }, read: null, sealed: undefined, problem: null });
}

export function failWrite(context: ReplicaContext, ticket: WriteTicket, problem: Failure): void {
  answerWrite(context, ticket, { kind: 'failed', failure: problem });
}

export function answerRead(
  context: ReplicaContext,
  ticket: ReadTicket,
  sealed: SealedRecord | undefined,
  problem: Failure | null,
): void {
  if (ticket.answered) return;
  ticket.answered = true;
  context.answers.push({ write: null, read: ticket, sealed, problem });
}
