/**
 * Makes slots whole that an operator has given up: every row that PostgreSQL has of them is compared with what this disk
 * has left over, and the higher version of each key stands; below the floor that PostgreSQL has of a slot only what has a row
 * there, for rows of deletions were removed. Nobody owns the slots meanwhile, so nothing is written to them. What was in
 * flight here when its coordinator was lost, and is not in PostgreSQL, is finished afterwards like any orphan.
 * (PROTOCOL R13, R24, R28)
 */
import type { Mutations } from '../core/mutations.ts';
import { everythingDriven } from '../core/record-standing.ts';
import { heldAtRest } from '../core/replication/follow.ts';
import type { Replica } from '../core/replication/replica.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import type { KeyRecord, SealedRecord } from '../core/record.ts';
import { VERSION_NONE } from '../core/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Storage } from '../ports/storage.ts';
import type { RecordError, RecordPlace, RecordRow, SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { sealRecord } from '../wire/record-codec.ts';
import type { FloorStore } from './floor-store.ts';
import { siftOperations } from './operation-sift.ts';
import type { OperationTable } from './operation-table.ts';
import { ownFloors } from './own-floors.ts';
import type { RecordShelf } from './record-shelf.ts';
import { RecoverySweeps } from './recovery-sweep.ts';
import type { SpoolMarks } from './spool-marks.ts';
import type { StartMarks } from './start-marks.ts';

/** Few, for most of a page may be of other slots where those to be made whole are scattered. */
const PAGE_ROWS_MAX = 200;
/** Milliseconds before PostgreSQL is asked again after a failure. */
const AGAIN_AFTER_MS = 500;

export interface RecordRecoveryParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Null: what this disk has left over is all there is. */
  readonly systemOfRecord: SystemOfRecord | null;
  readonly shelf: RecordShelf;
  readonly marks: StartMarks;
  readonly operations: OperationTable;
  readonly storage: Storage;
  readonly floors: FloorStore;
  readonly spooled: SpoolMarks;
  readonly writesThrough: (key: string) => boolean;
  readonly mutations: Mutations;
}

export class RecordRecovery {
  private readonly parts: RecordRecoveryParts;
  private replica: Replica | null = null;
  /** What was asked in an earlier epoch is not taken in this one. */
  private epoch = 0;
  /** Ascending, those before `next` are whole. */
  private slots: readonly number[] = [];
  private next = 0;
  private isSifted = false;
  private place: RecordPlace | null = null;
  /** As PostgreSQL has them, in the order of the slots; null: it was not asked yet. */
  private counters: readonly number[] | null = null;
  /** Keys of the slot at hand that have a row. */
  private keys = new Set<string>();
  private readonly sweeps = new RecoverySweeps();
  private isAsking = false;
  private notBefore = -Infinity;
  private onWhole: (slot: number) => void = () => undefined;

  constructor(parts: RecordRecoveryParts) {
    this.parts = parts;
  }

  /** `slots`: those that this node is to make whole in this epoch, ascending; `onWhole` is told of each, in a later turn. */
  begin(view: SlotView, replica: Replica, slots: readonly number[], onWhole: (slot: number) => void): void {
    this.epoch = view.topology.epoch;
    this.replica = replica;
    this.slots = slots;
    this.next = 0;
    this.isSifted = this.parts.mutations.trustLeftOperations === true;
    this.place = null;
    this.counters = null;
    this.keys = new Set();
    this.sweeps.clear();
    this.isAsking = false;
    this.onWhole = onWhole;
    if (slots.length === 0) return;
    this.parts.telemetry.event('warn', 'recovery.begun', { slots: slots.length });
    this.ask();
  }

  /** No member any more: what PostgreSQL still answers makes nothing whole. */
  end(): void {
    this.epoch = 0;
    this.replica = null;
    this.slots = [];
    this.next = 0;
    this.sweeps.clear();
    this.isAsking = false;
  }

  tick(): void {
    this.ask();
  }

  private ask(): void {
    const { clock, systemOfRecord } = this.parts;
    if (this.isAsking || this.next >= this.slots.length || clock.now() < this.notBefore) return;
    if (this.sweeps.isFull) return;
    const { epoch } = this;
    this.isAsking = true;
    if (!this.isSifted) return this.sift();
    if (systemOfRecord === null)
      return clock.defer(() => (epoch === this.epoch && this.isAsking ? this.take([]) : undefined));
    if (this.counters === null) return this.askFloors(systemOfRecord);
    // The place before all keys of the slot: no key is empty.
    const place = this.place ?? { slot: this.slots[this.next]!, key: '' };
    systemOfRecord.scan(place, PAGE_ROWS_MAX, (error, rows) => {
      if (epoch !== this.epoch || !this.isAsking) return;
      if (error === null) this.take(rows);
      else this.pause(error);
    });
  }

  /** Before rows take the place of what this disk has: what was in flight below them is forgotten then. */
  private sift(): void {
    const { epoch, slots } = this;
    siftOperations({ ...this.parts, slots, isCurrent: () => epoch === this.epoch }, () => {
      this.isSifted = true;
      this.isAsking = false;
      this.ask();
    });
  }

  private askFloors(systemOfRecord: SystemOfRecord): void {
    const { epoch } = this;
    const { life } = this.replica!.view.topology;
    const take = (error: RecordError | null, counters: readonly number[]): void => {
      if (epoch !== this.epoch || !this.isAsking) return;
      if (error !== null) return this.pause(error);
      this.counters = counters;
      this.isAsking = false;
      this.ask();
    };
    if (this.parts.mutations.recoverUnturned !== true)
      return ownFloors(systemOfRecord, life, this.slots, take);
    systemOfRecord.readFloors(this.slots, (error, floors) =>
      take(
        error,
        floors.map(({ counter }) => counter),
      ),
    );
  }

  private pause({ message: reason }: RecordError): void {
    const { clock, telemetry } = this.parts;
    this.isAsking = false;
    this.notBefore = clock.now() + AGAIN_AFTER_MS;
    telemetry.event('warn', 'recovery.paused', { reason });
  }

  /** Rows come in the order of slot and key: a slot is whole when one of a later slot has come, or none. */
  private take(rows: readonly RecordRow[]): void {
    const { epoch } = this;
    this.isAsking = false;
    for (const row of rows) {
      this.finishBefore(row.slot);
      // What was put there by hand is noted, and written when all is served again.
      const isCommitted = row.record.version !== VERSION_NONE;
      if (isCommitted && this.slots[this.next] === row.slot) this.takeRow(row);
    }
    const last = rows.at(-1);
    if (last === undefined) this.finishBefore(Infinity);
    if (epoch !== this.epoch) return;
    this.place =
      last !== undefined && this.slots[this.next] === last.slot
        ? { slot: last.slot, key: last.record.key }
        : null;
    this.ask();
  }

  private finishBefore(slot: number): void {
    const { clock } = this.parts;
    const { epoch } = this;
    for (; this.next < this.slots.length && this.slots[this.next]! < slot;) {
      const whole = this.slots[this.next]!;
      const counter = this.counters?.[this.next] ?? 0;
      const { keys } = this;
      this.keys = new Set();
      this.next += 1;
      const finish = (): void => (epoch === this.epoch ? this.finish(whole) : undefined);
      if (counter === 0) clock.defer(finish);
      else this.clear(whole, counter, keys, finish);
    }
  }

  /**
   * Whatever PostgreSQL may have lost: commits are lost from the end, and what was at rest below its floor was committed
   * before that floor was raised.
   */
  private clear(slot: number, counter: number, keys: ReadonlySet<string>, done: () => void): void {
    const { clock, floors, mutations } = this.parts;
    floors.raise({ slot, counter });
    const isDriven = everythingDriven(this.replica!.view.topology);
    if (mutations.recoverBelowFloor === true || (mutations.keepBelowInDrive === true && !isDriven))
      return clock.defer(done);
    const { epoch } = this;
    this.sweeps.add({ ...this.parts, slot, counter, keys, isCurrent: () => epoch === this.epoch }, () => {
      done();
      this.ask();
    });
  }

  private finish(whole: number): void {
    const { shelf, marks, operations, clock } = this.parts;
    // Which operations the lost owners had done under an id is not known to anybody.
    operations.learnForgotten(Math.ceil(clock.wallNow()));
    operations.confirm(whole);
    shelf.setVerified(whole);
    marks.restore(whole, shelf, this.replica!);
    this.onWhole(whole);
  }

  private takeRow({ record, slot, checksum }: RecordRow): void {
    const { shelf, telemetry } = this.parts;
    const sealed = sealRecord(record);
    this.keys.add(record.key);
    // Changed there by hand, it is still the only word that there is.
    if (sealed.checksum !== checksum)
      telemetry.event('error', 'recovery.row_damaged', { version: record.version });
    const held = shelf.read(record.key, slot);
    if (this.parts.mutations.recoverRowsAlone !== true && !isBehind(held, sealed)) {
      if (held !== 'damaged' && held?.record.version === record.version)
        this.parts.marks.settle(slot, record.key, record.version);
      return;
    }
    this.forgetOpen(slot, record);
    this.replica!.sawVersion(record.version);
    if (!this.replica!.copy(slot, heldAtRest(sealed))) shelf.replaceAtRest(slot, record.key, sealed);
  }

  /**
   * What was in flight here below the row may have been finished before it, or have been refused, and done another time
   * under the same id. (R33)
   */
  private forgetOpen(slot: number, { key, version }: KeyRecord): void {
    const { marks, operations } = this.parts;
    const state = this.replica!.stateOf(key);
    operations.unlearn(key, marks.operationsBelow(slot, key, version));
    if (state?.valid === false) operations.unlearn(key, state.heldOperations ?? []);
  }
}

function isBehind(held: SealedRecord | undefined | 'damaged', row: SealedRecord): boolean {
  if (held === undefined || held === 'damaged') return true;
  const { version } = held.record;
  return version < row.record.version || (version === row.record.version && held.checksum !== row.checksum);
}
