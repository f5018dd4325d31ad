/**
 * Catching up: makes each slot that this node is to own equal to a complete owner's, down as well as up. Slots with
 * equal digests are accepted as they are; the others are copied key range by key range, and what the owner lacks is
 * removed. Writes of the epoch arrive through Invalidate meanwhile and are never undone. Promotion is requested once
 * every slot is confirmed and on disk, along with versions that an earlier process of this member took and others still
 * have in flight. (PROTOCOL R19, R20)
 */
import { IndexSet } from '../../base/index-set.ts';
import type { CopyPace } from '../../core/copying/copy-pace.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import type { LearnDifferences, LearnMessage, PeerMessage } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotsToLookAt } from '../../core/replication/slot-view.ts';
import type { HeldSlots, SlotView } from '../../core/replication/slot-view.ts';
import { rowsInOrder } from '../../core/placement/slot-index.ts';
import { movesOf } from '../../core/placement/slot-moves.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { CopyStatus } from '../status.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { OperationLearner } from './operation-learner.ts';
import type { RecordRecovery } from '../recovery/record-recovery.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { SlotPulls } from './slot-pulls.ts';
import type { LeftInFlight } from '../store/left-in-flight.ts';
import type { StoreWriter } from '../store/store-writer.ts';
import { UntoldVersions } from './untold-versions.ts';

/** Slots whose digests are sent in one message. */
const RUN_SLOTS_MAX = 2048;
/**
 * Milliseconds without an answer after which another owner is asked: short at first, because an owner that does not
 * know the epoch yet does not answer, and doubled each time, because a large slot on a slow link takes its time.
 */
const ANSWER_TIMEOUT_MS_MIN = 200;
const ANSWER_TIMEOUT_MS_MAX = 5_000;

export interface LearnerParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly operations: OperationLearner;
  readonly floors: FloorStore;
  readonly recovery: RecordRecovery;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly isLinked: (memberId: number) => boolean;
  /** Copies the marks of what PostgreSQL lacks, in this session. (R34) */
  readonly learnSpool: (session: number, onDone: () => void) => void;
  /** Called once in each epoch in which every slot comes to be as its owners have it, and on disk. */
  readonly onLearned: () => void;
  readonly mutations: Mutations;
  readonly pace: CopyPace;
  /** How many times as long as usual clients wait, where they wait longest; 0 if unknown. */
  readonly clientDelayFactor: () => number;
}

interface Comparison {
  readonly slots: Uint16Array;
  readonly source: number;
  readonly dueAt: number;
}

export class Learner {
  private readonly parts: LearnerParts;
  private replica: Replica | null = null;
  private view: SlotView | null = null;
  /** The epoch. Answers to another process of this member are not accepted. */
  private session = 0;
  private turn = 0;
  private comparison: Comparison | null = null;
  private readonly pulls: SlotPulls;
  /** Slots this node learns in the present epoch. */
  private slotsTotal = 0;
  private readonly slotsLeft = new IndexSet(SLOT_COUNT);
  /** Those for which no source has said whether they differ. */
  private readonly uncompared = new IndexSet(SLOT_COUNT);
  private told = false;
  /** Everything handed to the store before this session is on disk. */
  private isOnDisk = false;
  private untold: UntoldVersions | null = null;
  /** Some of these slots have fewer complete owners than they should. */
  private isUrgent = false;
  private answerTimeoutMs = ANSWER_TIMEOUT_MS_MIN;

  constructor(parts: LearnerParts) {
    this.parts = parts;
    this.pulls = new SlotPulls({
      ...parts,
      sourceOf: (slot, preferred, passed) => this.sourceOf(slot, preferred, passed),
      answerTimeoutMs: () => this.answerTimeoutMs,
      onCopied: (slot) => this.onCopied(slot),
    });
  }

  /** Fraction of the slots to learn that are confirmed. */
  get share(): number {
    return this.slotsTotal === 0 ? 1 : 1 - this.slotsLeft.size / this.slotsTotal;
  }

  copyStatus(): CopyStatus {
    return this.parts.pace.status(this.parts.clock.now());
  }

  /** Every epoch begins a session: requests under way are repeated, confirmed slots stand. (R19) */
  onTopology(view: SlotView, replica: Replica): void {
    const before = this.replica === replica ? this.view : null;
    this.view = view;
    this.replica = replica;
    this.session = view.topology.epoch;
    this.comparison = null;
    this.answerTimeoutMs = ANSWER_TIMEOUT_MS_MIN;
    this.pulls.begin(this.session, replica);
    const { replicaCount } = view.topology;
    this.isUrgent = view.rows.some(({ learns, owners }) => learns && owners.length < replicaCount);
    this.told = false;
    this.untold = null;
    this.slotsTotal = 0;
    this.slotsLeft.clear();
    this.uncompared.clear();
    this.parts.operations.onTopology(view, replica);
    this.parts.recovery.begin(view, replica, this.findSlots(slotsToLookAt(before, view)), (slot) =>
      this.onWhole(slot),
    );
    for (let slot = this.slotsLeft.next(0); slot >= 0; slot = this.slotsLeft.next(slot + 1))
      this.uncompared.add(slot);
    this.noteProgress();
    this.isOnDisk = false;
    const { session } = this;
    // What an earlier session handed to the store belongs to this disk's content, which must not be read before.
    this.parts.writer.barrier(() => {
      if (session !== this.session) return;
      this.isOnDisk = true;
      this.proceed();
    });
  }

  /** This process is not a member any more: late answers, even pages of this disk, no longer count. (R19) */
  end(): void {
    this.session = 0;
    this.replica = null;
    this.comparison = null;
    this.pulls.begin(0, null);
    this.untold = null;
    this.slotsTotal = 0;
    this.slotsLeft.clear();
    this.uncompared.clear();
    // Slots that come another time have their own progress, and give way on their own.
    this.parts.pace.progress(0, this.parts.clock.now());
    this.parts.operations.end();
    this.parts.recovery.end();
  }

  tick(): void {
    if (this.slotsTotal === 0 || this.told) return;
    this.parts.recovery.tick();
    const now = this.parts.clock.now();
    this.giveWay(now);
    const late = this.pulls.late(now);
    const lateComparison = this.comparison !== null && this.comparison.dueAt <= now;
    if (late.length > 0 || lateComparison) {
      this.answerTimeoutMs = Math.min(this.answerTimeoutMs * 2, ANSWER_TIMEOUT_MS_MAX);
      this.turn += 1;
    }
    if (lateComparison) this.comparison = null;
    this.pulls.askAgain(late);
    this.proceed();
    if (this.slotsLeft.size > 0 || this.told) return;
    if (!this.parts.operations.isDone) this.parts.operations.tick();
    else this.untold?.tick();
  }

  private giveWay(now: number): void {
    const { clientDelayFactor, pace, telemetry } = this.parts;
    const factor = clientDelayFactor();
    if (pace.giveWay(factor, this.isUrgent, now))
      telemetry.event('info', 'copy.gives_way', { clientsWaitTimes: Number(factor.toFixed(1)) });
  }

  /** The operation ids are copied too. */
  onOperationsLearned(): void {
    this.proceed();
  }

  onMessage(from: number, message: LearnMessage): void {
    if (message.kind === 'learnOperationsFrame') return this.parts.operations.onFrame(from, message);
    if (message.kind === 'learnUntoldFrame') return this.untold?.onFrame(from, message);
    if (!('session' in message) || message.session !== this.session) return;
    if (message.kind === 'learnDifferences') this.onDifferences(from, message);
    else if (message.kind === 'learnFrame') this.pulls.onFrame(from, message);
    else if (message.kind === 'learnRefused') {
      this.turn += 1;
      this.pulls.onRefused(message.slot);
    }
  }

  /**
   * Slots owned in the previous epoch and in this one already count. Returns the slots to be made whole here,
   * ascending.
   */
  private findSlots(held: readonly HeldSlots[]): readonly number[] {
    const { shelf, operations, mutations } = this.parts;
    const owned = new IndexSet(SLOT_COUNT);
    const forsaken: number[] = [];
    for (const { row, slots } of held) {
      if (row.learns) this.slotsTotal += slots.length;
      // A slot without a live complete owner cannot be learnt, and does not delay promotion, which does not cover it.
      if (row.learns && row.owners.length === 0 && !row.recovers) continue;
      // A copy consists of the records and the operation ids of a source; one without the other does not count.
      if (row.recovers && mutations.trustLeftOperations !== true)
        operations.visitUnconfirmed(slots, (slot) => shelf.doubt(slot));
      const found = row.owns ? owned : this.slotsLeft;
      shelf.visitUnverified(slots, (slot) => found.add(slot));
      if (row.recovers) shelf.visitUnverified(slots, (slot) => forsaken.push(slot));
    }
    for (let slot = owned.next(0); slot >= 0; slot = owned.next(slot + 1)) this.confirm(slot);
    return forsaken.sort((a, b) => a - b);
  }

  /** An operator gave the slot's owners up, and PostgreSQL was asked instead of them. */
  private onWhole(slot: number): void {
    this.slotsLeft.delete(slot);
    this.noteProgress();
    if (this.slotsLeft.size === 0) this.proceed();
  }

  /** Includes slots that wait for their turn: the member is complete when all of it is here. */
  private noteProgress(): void {
    const { topology, selfId } = this.view!;
    const waiting = movesOf(topology).waiting.get(selfId) ?? 0;
    this.parts.pace.progress(this.slotsLeft.size + waiting, this.parts.clock.now());
  }

  private proceed(): void {
    if (this.slotsTotal === 0 || this.told || !this.isOnDisk) return;
    if (this.parts.mutations.promoteEarly === true) return this.finish();
    if (this.slotsLeft.size === 0) {
      if (!this.parts.operations.isDone) this.parts.operations.start();
      else if (this.untold === null) this.askForUntold();
      return;
    }
    // All slots are compared first, so that copying can follow their order.
    if (this.comparison === null) this.compareNext();
    if (this.comparison === null) this.pulls.proceed();
  }

  private compareNext(): void {
    const left = this.uncompared;
    let source = 0;
    for (let slot = left.next(0); slot >= 0 && source === 0; slot = left.next(slot + 1))
      source = this.sourceOf(slot);
    if (source === 0) return;
    const found = new Uint16Array(RUN_SLOTS_MAX);
    let count = 0;
    const { rows, topology } = this.view!;
    const isTold = rows.map(({ owners }) => owners.includes(source));
    for (let slot = left.next(0); slot >= 0 && count < RUN_SLOTS_MAX; slot = left.next(slot + 1)) {
      if (isTold[topology.slotRow[slot]!]!) found[count++] = slot;
    }
    const slots = found.subarray(0, count);
    this.comparison = { slots, source, dueAt: this.parts.clock.now() + this.answerTimeoutMs };
    const digests = this.parts.shelf.digests.of(slots);
    this.parts.send(source, { kind: 'learnDigests', session: this.session, slots, digests });
  }

  private sourceOf(slot: number, preferred = 0, passed = 0): number {
    const owners = this.view!.row(slot).owners.filter((id) => this.parts.isLinked(id));
    if (owners.includes(preferred)) return preferred;
    // Thousands of slots have their owners in the same order, so always starting with the first would ask one owner for
    // all.
    const passedAt = owners.indexOf(passed);
    const at = passedAt < 0 ? this.turn : passedAt + 1;
    return owners.length === 0 ? 0 : owners[at % owners.length]!;
  }

  private onDifferences(from: number, message: LearnDifferences): void {
    const comparison = this.comparison;
    // A late answer of another owner must not be applied to slots that it does not own: it would accept them as equal.
    if (
      comparison === null ||
      comparison.source !== from ||
      comparison.slots[0] !== message.slotFirst ||
      comparison.slots.length !== message.slotCount
    )
      return;
    this.comparison = null;
    // Like everything learnt, floors are on disk before promotion is requested.
    const floors = new Map(message.floors.map(({ slot, counter }) => [slot, counter]));
    for (const floor of message.floors) this.parts.floors.raise(floor);
    const differing = new Set(message.differing);
    for (let at = 0; at < comparison.slots.length; at += 1) {
      const slot = comparison.slots[at]!;
      this.uncompared.delete(slot);
      if (!this.slotsLeft.has(slot)) continue;
      this.parts.floors.forgotten.onSource(slot, floors.get(slot) ?? 0);
      if (differing.has(slot) || this.wasLowered(slot)) this.pulls.add(slot);
      else this.confirm(slot);
    }
    this.noteProgress();
    this.proceed();
  }

  private wasLowered(slot: number): boolean {
    return this.parts.shelf.wasLowered(slot) && this.parts.mutations.trustLowered !== true;
  }

  /** The slot is as its source has it. What this disk says was in flight there is still in flight. */
  private confirm(slot: number): void {
    this.slotsLeft.delete(slot);
    if (this.parts.shelf.isVerified(slot)) return;
    this.parts.shelf.setVerified(slot);
    this.parts.leftInFlight.restore(slot, this.parts.shelf, this.replica!);
  }

  private onCopied(slot: number): void {
    this.slotsLeft.delete(slot);
    this.parts.leftInFlight.forget(slot);
    this.parts.shelf.setVerified(slot);
    this.noteProgress();
    this.proceed();
  }

  /** Everything is copied, each slot from one source. */
  private askForUntold(): void {
    const view = this.view!;
    const members = new Set<number>();
    for (const number of rowsInOrder(view.topology)) {
      const row = view.rows[number]!;
      if (row.learns) for (const id of row.others) members.add(id);
    }
    this.untold = new UntoldVersions(this.session, members, {
      clock: this.parts.clock,
      replica: this.replica!,
      send: this.parts.send,
      onDone: () => this.learnSpool(),
    });
    if (this.parts.mutations.promoteUnasked === true) this.learnSpool();
    else this.untold.begin();
  }

  private learnSpool(): void {
    const { session } = this;
    this.parts.learnSpool(session, () => (session === this.session ? this.finish() : undefined));
  }

  private finish(): void {
    this.told = true;
    const { session } = this;
    this.parts.writer.barrier(() => {
      if (session === this.session) this.parts.onLearned();
    });
  }
}
