/**
 * One node's part in replication, as a state machine over the keys in flight: events go in by the methods, what
 * is to be done comes out through the effects. No promise, no clock, no I/O; the same events give the same
 * effects. Rules: `docs/PROTOCOL.md`, R1 to R13, after Hermes (Katsarakis et al., ASPLOS 2020) with durability and
 * PostgreSQL added.
 */
import { ChurningMap } from '../../base/churning-map.ts';
import { appended } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import type { SlotFloor } from '../floors.ts';
import { KEY_WAITERS_MAX } from '../limits.ts';
import type { Coordinator, HeldRecord, ReplicationMessage } from '../message.ts';
import type { Mutations } from '../mutations.ts';
import { driveOf } from '../record-standing.ts';
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

  /** The store was read at start, or a copy came: no counter below this may be taken for a jump. (R8) */
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

  /** Waits for the key to be valid at what is known of it now, or for PostgreSQL's word on a key not held. (R9) */
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
   * What was readable here last, whether a lease is held or not; undefined: nothing. 'untold': not an owner, in flight,
   * or damaged; or asked from within an answer, when what this event lets go of may look as if it were at rest. Only for
   * who takes an old answer.
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

  /** PostgreSQL's answer to a miss: its row, none, or that it cannot say. `isEdited`: the row was changed by hand. */
  onFetched(key: string, sealed: SealedRecord | undefined, problem: Failure | null, isEdited = false): void {
    onFetched(this.context, key, sealed, problem, isEdited);
    this.drain();
  }

  /** A new epoch in which this process is still the member it was. */
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

  /** Every tick: what waits only for time. */
  settle(): void {
    settleRounds(this.context);
    renewWork(this.context);
    this.drain();
  }

  /** Every few ticks: resends, queries, replays. */
  sweep(): void {
    sweepKeys(this.context);
    this.drain();
  }

  /** A key found in an in-flight entry at start, or copied as such: invalid until finished. (R12, R19) */
  restoreInFlight(slot: number, held: Adoption, batches: readonly number[]): void {
    restoreInFlight(this.context, slot, held, batches);
  }

  /**
   * A learner hears from its source what stands. False: the key is at rest here, and the caller puts the copy in
   * its place. What was written through Invalidate in this session is only replaced by something higher. (R19)
   */
  copy(slot: number, held: HeldRecord): boolean {
    const { key, version } = held.sealed.record;
    this.sawVersion(version);
    const known = this.context.table.get(key);
    if (known === undefined && held.valid) return false;
    const state = openKey(this.context, key, slot);
    // What is in flight is not put in the place of a damaged record: at rest there it would be readable. That one is repaired. (R10)
    if (state === 'damaged') return true;
    takeCopy(this.context, state, held);
    closeKey(this.context, state);
    this.drain();
    return true;
  }

  /**
   * A record at rest here was found damaged, and another complete owner tells what it holds: the same version, or one
   * that is in flight above it. What stands on this disk no longer counts. (R10)
   */
  repair(slot: number, held: HeldRecord): void {
    const { key } = held.sealed.record;
    if (this.context.table.has(key)) return;
    const state = restingState(key, slot, null, this.context.effects.now());
    this.context.table.set(key, state);
    adopt(this.context, state, held);
    if (held.valid) becomeValid(this.context, state);
    this.drain();
  }

  /** What was at rest at a complete owner goes round once more; false: what stands here does not allow it. */
  reaffirm(slot: number, sealed: SealedRecord): boolean {
    const isBegun = reaffirm(this.context, slot, sealed);
    this.drain();
    return isBegun;
  }

  /** PostgreSQL has a higher row than is held here: it is fetched, and installed at all owners. (R6) */
  refetch(slot: number, key: string): void {
    refetch(this.context, slot, key);
    this.drain();
  }

  /** Takes over versions whose coordinator was here under an earlier incarnation. */
  replayAll(): void {
    for (const state of [...this.context.table.values()]) {
      const { id, incarnation } = state.heldCoordinator;
      if (!this.context.view.coordinatorLives(id, incarnation)) replay(this.context, state);
    }
    this.drain();
  }

  /** The client's time is over: the wait ends, the write does not. (R5) */
  expire(ticket: WriteTicket): void {
    if (ticket.answered) return;
    if (ticket.begun) failWrite(this.context, ticket, failure('outcome_unknown'));
    else if (ticket.retries > 0) failWrite(this.context, ticket, failure('contended'));
    else failWrite(this.context, ticket, failure('deadline_before_start'));
    this.drain();
  }

  /**
   * This process is no longer the member it was: all its rounds end, nothing it began is definite. Returns what is
   * still in flight on this disk, with the batches that say so.
   */
  abandon(): KeyState[] {
    return this.release(() => true);
  }

  /** The same for some slots alone: they are no longer ours, or what was learnt of them no longer counts. */
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

  /** Does a client still wait for a write that this node coordinates in one of these slots? */
  coordinatesIn(isMeant: (slot: number) => boolean): boolean {
    for (const state of this.context.table.values()) {
      if (isMeant(state.slot) && ticketsOf(state).some((ticket) => !ticket.answered)) return true;
    }
    return false;
  }

  /** Those of the slots in which nothing at or below the floor is in flight here. (R22) */
  quietSlots(floors: readonly SlotFloor[]): number[] {
    return quietSlots(this.context, floors);
  }

  /** Asked as a learner: as long as this process is the member that it is, it takes no plain version at or below these. (R22) */
  promiseFloors(floors: readonly SlotFloor[]): void {
    promiseFloors(this.context, floors);
  }

  /** In this epoch every owner of these slots has come past these floors, this one too: who waited for that goes on. (R22) */
  agreeFloors(floors: readonly SlotFloor[]): void {
    agreeFloors(this.context, floors);
    this.drain();
  }

  /** Keys in flight here at versions that this learner took as an earlier process. (R20) */
  untoldTo(learnerId: number): readonly KeyState[] {
    return untoldTo(this.context, learnerId);
  }

  /** Monotonic ms since when the oldest unfinished key here has been invalid; undefined where there is none. */
  oldestUnfinishedSince(): number | undefined {
    return oldestInvalidSince(this.context.table.values());
  }

  /**
   * What an event leaves to do: queues that may go on, then the answers. A client that acts again within its answer
   * finds every rule at rest; what it brings about is taken up by the loop that is already running.
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
