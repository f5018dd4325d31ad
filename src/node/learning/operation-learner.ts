/**
 * The last part of catching up: copies the operation ids that the owners remember. It follows the records: by then this
 * node holds every version whose fate was decided before it came, and hears of later ones itself. Each source is read
 * in the order of time; what a source lacks is removed. (PROTOCOL R19, R20, R33)
 */
import { IndexSet } from '../../base/index-set.ts';
import { OPERATION_COPY_ENTRIES_MAX, SLOT_COPY_BYTES_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { LearnOperationsFrame, PeerMessage, RememberedOperation } from '../../core/message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotsToLookAt } from '../../core/replication/slot-view.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import {
  OPERATIONS_FROM,
  OPERATIONS_TO,
  operationKey,
  splitOperationKey,
} from '../../wire/operation-codec.ts';
import type { OperationTable } from '../store/operation-table.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Milliseconds without an answer after which another owner is asked. */
const ANSWER_TIMEOUT_MS = 500;
/** Milliseconds before a source is read again because the fate of an operation was undecided there and not here. */
const AGAIN_MS = 50;

export interface OperationLearnerParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly table: OperationTable;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly isLinked: (memberId: number) => boolean;
  /** A test breaks the rule: nothing is copied. */
  readonly skip: boolean;
  /** Everything is copied; called once per epoch in which there was something to copy. */
  readonly onDone: () => void;
}

/** One source being read, from the oldest operation to the newest. */
interface Run {
  readonly source: number;
  /** The slots that the source answers for. */
  readonly slots: IndexSet;
  after: string;
  dueAt: number;
  applying: boolean;
  /** An operation was undecided at the source, and its version has already been replaced here. */
  unclear: boolean;
}

export class OperationLearner {
  private readonly parts: OperationLearnerParts;
  private view: SlotView | null = null;
  private replica: Replica | null = null;
  /** The epoch. Answers to another process of this member are not accepted. */
  private session = 0;
  private turn = 0;
  private readonly left = new IndexSet(SLOT_COUNT);
  private run: Run | null = null;

  constructor(parts: OperationLearnerParts) {
    this.parts = parts;
  }

  get isDone(): boolean {
    return this.left.size === 0;
  }

  /** Every epoch asks again; copied slots stand. */
  onTopology(view: SlotView, replica: Replica): void {
    const before = this.replica === replica ? this.view : null;
    this.view = view;
    this.replica = replica;
    this.session = view.topology.epoch;
    this.run = null;
    this.left.clear();
    const { table, skip } = this.parts;
    for (const { row, slots } of slotsToLookAt(before, view)) {
      if (row.owns) table.visitUnconfirmed(slots, (slot) => table.confirm(slot));
      // Slots that nobody can teach do not delay promotion.
      else if (!skip && row.owners.length > 0) table.visitUnconfirmed(slots, (slot) => this.left.add(slot));
    }
    if (this.left.size === 0 && view.rows.some((row) => row.owns)) table.begin();
  }

  /** Visits the given slots in which this node does not know what its source remembers. */
  visitUnconfirmed(slots: Uint16Array, visit: (slot: number) => void): void {
    this.parts.table.visitUnconfirmed(slots, visit);
  }

  /** This process is not a member any more. */
  end(): void {
    this.session = 0;
    this.replica = null;
    this.run = null;
    this.left.clear();
  }

  /** All records are copied. */
  start(): void {
    if (this.run === null) this.begin();
  }

  tick(): void {
    const { run } = this;
    if (run === null) return this.begin();
    if (run.applying || run.dueAt > this.parts.clock.now()) return;
    this.run = null;
    this.turn += 1;
    this.begin();
  }

  private begin(): void {
    const first = this.left.next(0);
    if (first < 0) return;
    const view = this.view!;
    const owners = view.row(first).owners.filter((id) => this.parts.isLinked(id));
    if (owners.length === 0) return;
    const source = owners[this.turn % owners.length]!;
    const answers = view.rows.map((row) => row.owners.includes(source));
    const slots = new IndexSet(SLOT_COUNT);
    for (let slot = first; slot >= 0; slot = this.left.next(slot + 1)) {
      if (answers[view.topology.slotRow[slot]!]!) slots.add(slot);
    }
    this.run = { source, slots, after: OPERATIONS_FROM, dueAt: 0, applying: false, unclear: false };
    this.ask(this.run);
  }

  private ask(run: Run): void {
    run.dueAt = this.parts.clock.now() + ANSWER_TIMEOUT_MS;
    this.parts.send(run.source, { kind: 'learnOperations', session: this.session, after: run.after });
  }

  onFrame(from: number, frame: LearnOperationsFrame): void {
    const { run } = this;
    if (run === null || frame.session !== this.session || run.source !== from) return;
    if (run.applying || run.after !== frame.after) return;
    run.applying = true;
    this.parts.table.learnForgotten(frame.forgottenThrough);
    const told = new Set<string>();
    for (const operation of frame.operations) {
      const slot = slotOf(operation.key);
      if (!run.slots.has(slot)) continue;
      const stored = operationKey(operation.key, operation.id);
      told.add(stored);
      this.take(run, slot, stored, operation);
    }
    this.dropLeftovers(run, frame.after, frame.next === '' ? OPERATIONS_TO : frame.next, told, () =>
      this.advance(run, frame),
    );
  }

  /**
   * If the operation is undecided at the source, this node has it with the version itself, or will, unless it has
   * replaced that version.
   */
  private take(run: Run, slot: number, stored: string, operation: RememberedOperation): void {
    const { key, version, kind, number, open } = operation;
    if (!open) return this.parts.table.copy(slot, stored, { version, kind, number });
    const state = this.replica!.stateOf(key);
    const held = state === undefined ? this.parts.shelf.load(key, slot) : state.held;
    const own = held === null || held === undefined || held === 'damaged' ? 0 : held.record.version;
    if (own > version) run.unclear = true;
    else if (own === version && (state === undefined || state.valid))
      this.parts.table.copy(slot, stored, { version, kind, number });
  }

  private dropLeftovers(
    run: Run,
    from: string,
    to: string,
    told: ReadonlySet<string>,
    done: () => void,
  ): void {
    const { storage, table } = this.parts;
    const { session } = this;
    const onPage = (error: unknown, entries: readonly StorageEntry[]): void => {
      if (session !== this.session || this.run !== run) return;
      if (error !== null) {
        run.applying = false;
        return;
      }
      for (const { key: stored } of entries) {
        const slot = slotOf(splitOperationKey(stored).key);
        if (!told.has(stored) && run.slots.has(slot)) table.dropLeftover(slot, stored);
      }
      const last = entries.at(-1);
      if (last === undefined) done();
      else storage.scan(last.key + '\u0000', to, OPERATION_COPY_ENTRIES_MAX, SLOT_COPY_BYTES_MAX, onPage);
    };
    storage.scan(from, to, OPERATION_COPY_ENTRIES_MAX, SLOT_COPY_BYTES_MAX, onPage);
  }

  private advance(run: Run, frame: LearnOperationsFrame): void {
    run.applying = false;
    if (frame.next !== '') {
      run.after = frame.next;
      return this.ask(run);
    }
    if (run.unclear) {
      run.dueAt = this.parts.clock.now() + AGAIN_MS;
      return;
    }
    this.run = null;
    for (let slot = run.slots.next(0); slot >= 0; slot = run.slots.next(slot + 1)) {
      this.parts.table.confirm(slot);
      this.left.delete(slot);
    }
    if (this.left.size > 0) return this.begin();
    this.parts.onDone();
  }
}
