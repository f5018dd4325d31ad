/**
 * One node's part in replication, as a state machine over the keys in flight: events come in through the methods, and
 * what has to be done goes out through the effects. It uses no promises, clocks or I/O; the same events give the same
 * effects. Rules: `docs/PROTOCOL.md`, R1 to R13, after Hermes (Katsarakis et al., ASPLOS 2020) with durability and
 * PostgreSQL added.
 */
import { ChurningMap } from '../../base/churning-map.ts';
import { appended } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import type { SlotFloor } from '../upkeep/floors.ts';
import { KEY_WAITERS_MAX } from '../limits.ts';
import type { Coordinator, HeldRecord, ReplicationMessage } from '../message.ts';
import type { Mutations } from '../mutations.ts';
import { driveOf } from '../system-of-record/record-standing.ts';
import type { SealedRecord } from '../record.ts';
import { counterOf } from '../version.ts';
import { AgreedFloors } from './agreed-floors.ts';
import { promiseFloors } from './before-version.ts';
import { answerRead, closeKey, failWrite, heldVersion, openKey } from './context.ts';
import type { ReplicaContext, ReplicaEffects } from './context.ts';
import { onFetched } from './fetched.ts';
import { onInvalidate, onSpooled, onStored, onValidate } from './follow.ts';
import { oldestInvalidSince, restingState, ticketsOf } from './key-state.ts';
import type { KeyState, ReadTicket, WriteTicket } from './key-state.ts';
import { quietSlots } from './quiet.ts';
import {
  onEpoch,
  onPeerBack,
  onQuery,
  onQueryAnswer,
  reaffirm,
  refetch,
  replay,
  restoreInFlight,
  settleRounds,
  sweepKeys,
  untoldTo,
} from './replay.ts';
import { agreeFloors, onAcknowledge, onRecorded, renewWork, runQueue } from './rounds.ts';
import type { SlotView } from './slot-view.ts';
import { adopt, becomeValid, dropRound, takeCopy } from './validity.ts';
import type { Adoption } from './validity.ts';

export class Replica {
  private readonly context: ReplicaContext;
  private draining = false;

  constructor(effects: ReplicaEffects, mutations: Mutations, self: Coordinator, view: SlotView) {
    this.context = {
      effects,
      mutations,
      self,
      view,
      agreed: new AgreedFloors(),
      promised: new Map(),
      table: new ChurningMap(),
      rounds: new ChurningMap(),
      runnable: [],
      answers: [],
      settling: new Set(),
      roundNext: 1,
      judged: { bytes: 0 },
      counterHighest: view.topology.floorCounter,
    };
  }

  get view(): SlotView {
    return this.context.view;
  }

  get keysInFlight(): number {
    return this.context.table.size;
  }

  stateOf(key: string): KeyState | undefined {
    return this.context.table.get(key);
  }

  /** A version was read from the store at start, or arrived as a copy: counters up to it are no jump. (R8) */
  sawVersion(version: number): void {
    this.context.counterHighest = Math.max(this.context.counterHighest, counterOf(version));
  }

  /** Whether the key's record is in flight here; the hit path asks this before anything else. */
  isInvalid(key: string): boolean {
    const state = this.context.table.get(key);
    return state !== undefined && !state.valid;
  }

  write(ticket: WriteTicket, slot: number): void {
    const state = openKey(this.context, ticket.operation.key, slot);
    if (state === 'damaged') {
      failWrite(this.context, ticket, failure('record_damaged'));
      this.drain();
      return;
    }
    if (state.queue.length >= KEY_WAITERS_MAX) {
      failWrite(this.context, ticket, failure('overloaded', 'too many writes wait on this key'));
      this.drain();
      return;
    }
    state.queue = appended(state.queue, ticket);
    runQueue(this.context, state);
    this.drain();
  }

  /**
   * Waits until the key is valid at the highest version known here now or, for a key not held, until PostgreSQL has
   * answered. (R9)
   */
  read(ticket: ReadTicket, slot: number): void {
    const state = openKey(this.context, ticket.key, slot);
    if (state === 'damaged') {
      answerRead(this.context, ticket, undefined, failure('record_damaged'));
      this.drain();
      return;
    }
    if (state.valid && state.held !== null) {
      answerRead(this.context, ticket, state.held, null);
    } else if (state.readers.length >= KEY_WAITERS_MAX) {
      answerRead(this.context, ticket, undefined, failure('overloaded', 'too many reads wait on this key'));
    } else if (state.held !== null) {
      ticket.lowest = heldVersion(state);
      state.readers = appended(state.readers, ticket);
    } else if (this.context.view.topology.loaded) {
      answerRead(this.context, ticket, undefined, null);
    } else {
      state.readers = appended(state.readers, ticket);
      if (!state.fetching) {
        state.fetching = true;
        this.context.effects.fetch(ticket.key);
      }
    }
    closeKey(this.context, state);
    this.drain();
  }

  /**
   * The record that was last readable here, whether or not a lease is held; undefined if there is none. 'untold' if
   * this node is not an owner, or the key is in flight or damaged. Also 'untold' when called from within an answer: a
   * key that the current event is releasing may look as if it were at rest. For reads that accept old answers only.
   */
  lastReadable(key: string, slot: number): SealedRecord | undefined | 'untold' {
    const { view, table, effects, mutations } = this.context;
    if (this.draining || (!view.row(slot).owns && mutations.staleFromLearner !== true)) return 'untold';
    const state = table.get(key);
    if (state !== undefined && !state.valid && mutations.staleUnfinished !== true) return 'untold';
    const held = state === undefined ? effects.load(key, slot) : (state.held ?? undefined);
    return held === 'damaged' ? 'untold' : held;
  }

  onMessage(from: number, slot: number, message: ReplicationMessage): void {
    switch (message.kind) {
      case 'invalidate':
        onInvalidate(this.context, from, slot, message);
        break;
      case 'acknowledge':
        onAcknowledge(this.context, from, message);
        break;
      case 'validate':
        onValidate(this.context, message);
        break;
      case 'query':
        onQuery(this.context, from, slot, message);
        break;
      case 'queryAnswer':
        onQueryAnswer(this.context, message);
        break;
    }
    this.drain();
  }

  onStored(key: string, version: number): void {
    onStored(this.context, key, version);
    this.drain();
  }

  onSpooled(key: string, version: number): void {
    onSpooled(this.context, key, version);
    this.drain();
  }

  onRecorded(key: string, version: number, outcome: 'committed' | number): void {
    onRecorded(this.context, key, version, outcome);
    this.drain();
  }

  /**
   * PostgreSQL's answer to a miss: the row, its absence, or a failure to answer. `isEdited`: the row was changed by
   * hand.
   */
  onFetched(key: string, sealed: SealedRecord | undefined, problem: Failure | null, isEdited = false): void {
    onFetched(this.context, key, sealed, problem, isEdited);
    this.drain();
  }

  /** A new epoch in which this process is still the same member. */
  onEpoch(view: SlotView): void {
    const isNewDrive = driveOf(view.topology) !== driveOf(this.context.view.topology);
    const { agreed, mutations } = this.context;
    if (mutations.keepAgreed !== true) agreed.onEpoch(this.context.view, view);
    this.context.view = view;
    onEpoch(this.context, isNewDrive);
    this.drain();
  }

  onPeerBack(memberId: number): void {
    onPeerBack(this.context, memberId);
    this.drain();
  }

  /** Every tick: retries what waits only for time. */
  settle(): void {
    settleRounds(this.context);
    renewWork(this.context);
    this.drain();
  }

  /** Every few ticks: resends, queries and replays. */
  sweep(): void {
    sweepKeys(this.context);
    this.drain();
  }

  /** A key named by an in-flight entry, found at start or copied: invalid until its write is finished. (R12, R19) */
  restoreInFlight(slot: number, held: Adoption, batches: readonly number[]): void {
    restoreInFlight(this.context, slot, held, batches);
  }

  /**
   * A learner hears from its source what the record of a key is. Returns false if the key is at rest here, and the
   * caller must store the copy itself. A version written through Invalidate in this session is replaced only by a
   * higher one. (R19)
   */
  copy(slot: number, held: HeldRecord): boolean {
    const { key, version } = held.sealed.record;
    this.sawVersion(version);
    const known = this.context.table.get(key);
    if (known === undefined && held.valid) return false;
    const state = openKey(this.context, key, slot);
    // A record in flight must not replace a damaged one, because there it would count as at rest and be readable. The
    // damaged record is repaired instead. (R10)
    if (state === 'damaged') return true;
    takeCopy(this.context, state, held);
    closeKey(this.context, state);
    this.drain();
    return true;
  }

  /** Replaces a damaged record at rest by what another complete owner holds: its version, or one in flight above. (R10) */
  repair(slot: number, held: HeldRecord): void {
    const { key } = held.sealed.record;
    if (this.context.table.has(key)) return;
    const state = restingState(key, slot, null, this.context.effects.now());
    this.context.table.set(key, state);
    adopt(this.context, state, held);
    if (held.valid) becomeValid(this.context, state);
    this.drain();
  }

  /**
   * Sends a record that is at rest at a complete owner round once more. Returns false if what is held here does not
   * allow it.
   */
  reaffirm(slot: number, sealed: SealedRecord): boolean {
    const isBegun = reaffirm(this.context, slot, sealed);
    this.drain();
    return isBegun;
  }

  /** PostgreSQL has a higher row than this node: fetches it and installs it at all owners. (R6) */
  refetch(slot: number, key: string): void {
    refetch(this.context, slot, key);
    this.drain();
  }

  /** Replays all versions whose coordinator's incarnation is no longer live. */
  replayAll(): void {
    for (const state of [...this.context.table.values()]) {
      const { id, incarnation } = state.heldCoordinator;
      if (!this.context.view.coordinatorLives(id, incarnation)) replay(this.context, state);
    }
    this.drain();
  }

  /** The client's deadline has passed: its wait ends, the write goes on. (R5) */
  expire(ticket: WriteTicket): void {
    if (ticket.answered) return;
    if (ticket.begun) failWrite(this.context, ticket, failure('outcome_unknown'));
    else if (ticket.retries > 0) failWrite(this.context, ticket, failure('contended'));
    else failWrite(this.context, ticket, failure('deadline_before_start'));
    this.drain();
  }

  /**
   * This process is no longer the member it was: all its rounds end, and nothing it began has a definite outcome.
   * Returns the keys still in flight on this disk, with the batches whose entries name them.
   */
  abandon(): KeyState[] {
    return this.release(() => true);
  }

  /**
   * Does the same for some slots only: they are no longer this node's, or what it has learnt of them no longer counts.
   */
  release(isLost: (slot: number) => boolean): KeyState[] {
    const { table, runnable } = this.context;
    const left: KeyState[] = [];
    for (const state of table.values()) {
      if (!isLost(state.slot)) continue;
      const tickets = ticketsOf(state);
      dropRound(this.context, state);
      for (const ticket of tickets)
        failWrite(this.context, ticket, failure(ticket.begun ? 'outcome_unknown' : 'not_ready'));
      for (const reader of state.readers) answerRead(this.context, reader, undefined, failure('not_ready'));
      table.delete(state.key);
      if (state.batches.length > 0) left.push(state);
    }
    for (const state of runnable.splice(0)) {
      if (isLost(state.slot)) state.runnable = false;
      else runnable.push(state);
    }
    if (left.length > 0) this.context.effects.counters.passOver();
    this.drain();
    return left;
  }

  /** True if a client still waits for a write that this node coordinates in one of these slots. */
  coordinatesIn(isMeant: (slot: number) => boolean): boolean {
    for (const state of this.context.table.values()) {
      if (isMeant(state.slot) && ticketsOf(state).some((ticket) => !ticket.answered)) return true;
    }
    return false;
  }

  /** The given slots in which nothing at or below the floor is in flight here. (R22) */
  quietSlots(floors: readonly SlotFloor[]): number[] {
    return quietSlots(this.context, floors);
  }

  /** Promises, as a learner, to take no unconditional version at or below these floors while it is this member. (R22) */
  promiseFloors(floors: readonly SlotFloor[]): void {
    promiseFloors(this.context, floors);
  }

  /**
   * Every owner of these slots, this node included, has passed these floors in this epoch: writes that waited for that
   * go on. (R22)
   */
  agreeFloors(floors: readonly SlotFloor[]): void {
    agreeFloors(this.context, floors);
    this.drain();
  }

  /** Keys in flight here at versions that this learner took as an earlier process. (R20) */
  untoldTo(learnerId: number): readonly KeyState[] {
    return untoldTo(this.context, learnerId);
  }

  /** Monotonic ms since when the longest-unfinished key here has been invalid; undefined if there is none. */
  oldestUnfinishedSince(): number | undefined {
    return oldestInvalidSince(this.context.table.values());
  }

  /**
   * Finishes an event: runs the queues that may go on, then gives the answers. A client may call back in from its
   * answer and finds the state machine at rest; the loop already running takes up what that call brings about.
   */
  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    const { runnable, answers, table } = this.context;
    for (let next = 0; runnable.length > 0 || next < answers.length;) {
      for (let index = 0; index < runnable.length; index += 1) {
        const state = runnable[index]!;
        state.runnable = false;
        if (table.get(state.key) !== state && state.queue.length > 0) table.set(state.key, state);
        runQueue(this.context, state);
        closeKey(this.context, state);
      }
      runnable.length = 0;
      const answer = answers[next];
      if (answer === undefined) continue;
      next += 1;
      if (next === answers.length) {
        answers.length = 0;
        next = 0;
      }
      if (answer.write !== null) answer.write.ticket.answer(answer.write.result);
      else answer.read!.answer(answer.sealed, answer.problem);
    }
    this.draining = false;
  }
}
