/**
 * What the rules of replication stand on: the keys in flight, the epoch's view of the slots, and the effects
 * by which they reach the world. Effects only note what is to be done; nothing comes back from within one.
 */
import type { ChurningMap } from '../../base/churning-map.ts';
import { NONE } from '../../base/short-list.ts';
import type { Failure } from '../errors.ts';
import type { EventName, LogLevel } from '../events.ts';
import type { SlotFloors } from '../floors.ts';
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
  /** Remembered together with the record, in the same batch. (R33) */
  readonly operations: readonly IdentifiedOperation[] | null;
  /** Never took effect, now that this record stands: forgotten in the same batch. (R33) */
  readonly voided: readonly IdentifiedOperation[] | null;
  /** What this node held of the key until now; null where only the store can tell. */
  readonly replaced: SealedRecord | null;
}

/** What this node remembers of operations with an id. Complete at a complete owner. (R33) */
export interface OperationMemory {
  find(key: string, id: Uint8Array): KnownOperation | undefined | 'damaged';
  /** Milliseconds since 1970: of ids up to this one nothing can be told. */
  forgottenThrough(): number;
  /** No room for more. */
  isFull(): boolean;
}

/** The counters of versions that this node takes. (R8) */
export interface OwnCounters {
  /**
   * An earlier process on this disk, or this one under an earlier incarnation, may have taken any up to this one, also where
   * the disk does not have the version.
   */
  readonly spentThrough: number;
  /** What was in flight here is given up, and may be copied over; others may have heard of it: all taken so far are spent. */
  passOver(): void;
  /** No later process on this disk takes it again: others may hear of the version before this disk has it. */
  covers(counter: number): boolean;
}

export interface ReplicaEffects {
  /**
   * What this node's store holds of a key at rest. A learner's leftover that its source has not confirmed
   * counts as not held. (R19)
   */
  load(key: string, slot: number): SealedRecord | undefined | 'damaged';
  /**
   * Stores the record together with its in-flight entry; `onStored` follows. Returns the number of the batch,
   * which names the entry. (R12)
   */
  store(write: StoredWrite): number;
  /**
   * Notes that PostgreSQL lacks this record, which is handed to the store next: durable no later than it. (R34)
   */
  spool(sealed: SealedRecord, slot: number): void;
  /** The same for a record that is stored already; `onSpooled` follows once the note is durable. */
  spoolStored(sealed: SealedRecord, slot: number): void;
  /** A member has no room for more such notes. */
  spoolFull(): boolean;
  /** The entries of these batches no longer concern the key: it is valid. */
  endInFlight(key: string, batches: readonly number[]): void;
  /** A record became valid: it may be cached. */
  settled(sealed: SealedRecord): void;
  send(memberId: number, message: PeerMessage): void;
  /** Writes the row to PostgreSQL, repeating until it is known what stands; `onRecorded` follows. */
  record(sealed: SealedRecord, slot: number): void;
  /** Asks PostgreSQL for the key; `onFetched` follows. */
  fetch(key: string): void;
  readonly operations: OperationMemory;
  /** Of this node's slots. */
  readonly floors: SlotFloors;
  /** Asks every owner of the slot to come past this node's floor of it; `agreeFloors` follows. (R22) */
  agreeFloor(slot: number): void;
  readonly counters: OwnCounters;
  seal(record: KeyRecord): SealedRecord;
  /** Monotonic ms. */
  now(): number;
  /** The same as a stamp; 0 where nothing is timed. */
  stamp(): number;
  wallNow(): number;
  /** The latest that the clock on the wall has shown the others, or shows now. (R26) */
  wallShown(): number;
  leaseHeld(): boolean;
  /** Monotonic ms until which no write of the slot may complete. (R15) */
  blockedUntil(slot: number): number;
  writesThrough(key: string): boolean;
  /** Members that have no room for a write. Hardly ever any. (R32) */
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
  /** By slot: floors that this node had not learnt when it was asked for them as a learner. It takes no plain version there. (R22) */
  readonly promised: Map<number, number>;
  /** Keys not at rest. */
  readonly table: ChurningMap<string, KeyState>;
  /** Rounds of this node by their number. */
  readonly rounds: ChurningMap<number, KeyState>;
  /** Keys whose queue should be looked at once the event at hand is handled: those marked so, each once. */
  readonly runnable: KeyState[];
  /** Rounds that wait for time or for owners only. */
  readonly settling: Set<KeyState>;
  /** Answers to clients, given once the event at hand is handled: a client may act again within its answer. */
  readonly answers: PendingAnswer[];
  roundNext: number;
  /** What was judged since the last tick. */
  readonly judged: WorkMeter;
  /** The highest counter seen: another far above it is a fault. (R8) */
  counterHighest: number;
}

/** The key's state, brought into memory where it was at rest. 'damaged': its record cannot be trusted. */
export function openKey(context: ReplicaContext, key: string, slot: number): KeyState | 'damaged' {
  const known = context.table.get(key);
  if (known !== undefined) return known;
  const held = context.effects.load(key, slot);
  if (held === 'damaged') return 'damaged';
  const state = restingState(key, slot, held ?? null, context.effects.now());
  context.table.set(key, state);
  return state;
}

/** Lets go of a state that has nothing left to remember. */
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

/** One of the two: a write's result, or what a read waited for. */
export interface PendingAnswer {
  readonly write: { readonly ticket: WriteTicket; readonly result: WriteResult } | null;
  readonly read: ReadTicket | null;
  readonly sealed: SealedRecord | undefined;
  readonly problem: Failure | null;
}

/** Each ticket is answered once; what comes later no longer concerns its client. */
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
