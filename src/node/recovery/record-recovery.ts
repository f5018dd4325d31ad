/**
 * Makes slots whole that an operator has given up. Every row that PostgreSQL has of them is compared with this disk's
 * leftovers, and the higher version of each key wins (`row-intake.ts`); below PostgreSQL's floor for a slot only keys
 * with a row there are kept, because rows of deletions were removed. Nobody owns the slots meanwhile, so nothing is
 * written to them. Writes that were in flight here when their coordinator was lost, and are not in PostgreSQL, are
 * finished afterwards like any orphan. (PROTOCOL R13, R24, R28)
 */
import { everythingDriven } from '../../core/system-of-record/record-standing.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import { VERSION_NONE } from '../../core/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type { RecordError, RecordPlace, RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import { siftOperations } from './operation-sift.ts';
import { ownFloors } from './own-floors.ts';
import { RecoveryRows } from './recovery-rows.ts';
import type { EndOfSlot, Unreadable } from './recovery-rows.ts';
import { RecoverySweeps } from './recovery-sweep.ts';
import { RowIntake } from './row-intake.ts';
import type { RowIntakeParts } from './row-intake.ts';

/** Milliseconds before PostgreSQL is asked again after a failure. */
const AGAIN_AFTER_MS = 500;
/** Milliseconds before slots with unreadable rows are tried again. */
const ASIDE_AGAIN_MS = 5_000;

export interface RecordRecoveryParts extends RowIntakeParts {
  readonly clock: Clock;
  /** Null if there is no PostgreSQL, so that this disk's leftovers are all there is. */
  readonly systemOfRecord: SystemOfRecord | null;
  readonly storage: Storage;
}

export class RecordRecovery {
  private readonly parts: RecordRecoveryParts;
  private replica: Replica | null = null;
  /** Answers to questions of an earlier epoch are not used in this one. */
  private epoch = 0;
  /** Ascending; those before `next` are done. */
  private slots: readonly number[] = [];
  private next = 0;
  private isSifted = false;
  private place: RecordPlace | null = null;
  /** PostgreSQL's floors, in the order of the slots; null if they were not read yet. */
  private counters: readonly number[] | null = null;
  /** Keys of the present slot that have a row. */
  private keys = new Set<string>();
  /**
   * Slots with a row that cannot be read, or has a value above the limit, and is not held here, each with its floor:
   * what they had is unknown until somebody has repaired the row. Other slots do not wait for them.
   */
  private aside = new Map<number, number>();
  private againAt = -Infinity;
  /** By slot: the key last reported, or undefined if not even the key can be read. */
  private readonly told = new Map<number, string | undefined>();
  private readonly rows: RecoveryRows | null;
  private readonly intake: RowIntake;
  private readonly sweeps = new RecoverySweeps();
  private isAsking = false;
  private notBefore = -Infinity;
  private onWhole: (slot: number) => void = () => undefined;

  constructor(parts: RecordRecoveryParts) {
    this.parts = parts;
    this.intake = new RowIntake(parts);
    this.rows = parts.systemOfRecord === null ? null : new RecoveryRows(parts.systemOfRecord);
  }

  /**
   * `slots`: those that this node must make whole in this epoch, ascending. `onWhole` is called for each, in a later
   * turn.
   */
  begin(view: SlotView, replica: Replica, slots: readonly number[], onWhole: (slot: number) => void): void {
    this.epoch = view.topology.epoch;
    this.replica = replica;
    this.goThrough(slots, null);
    this.told.clear();
    this.isSifted = this.parts.mutations.trustLeftOperations === true;
    this.sweeps.clear();
    this.isAsking = false;
    this.onWhole = onWhole;
    if (slots.length === 0) return;
    this.parts.telemetry.event('warn', 'recovery.begun', { slots: slots.length });
    this.ask();
  }

  private goThrough(slots: readonly number[], counters: readonly number[] | null): void {
    this.slots = slots;
    this.counters = counters;
    this.next = 0;
    this.place = null;
    this.keys = new Set();
    this.aside = new Map();
  }

  /** Returns false if nothing was set aside, or only a moment ago. */
  private goAgain(): boolean {
    const { aside } = this;
    if (aside.size === 0 || this.parts.clock.now() < this.againAt) return false;
    this.goThrough([...aside.keys()], [...aside.values()]);
    return true;
  }

  /** This process is not a member any more: later answers of PostgreSQL make nothing whole. */
  end(): void {
    this.epoch = 0;
    this.replica = null;
    this.goThrough([], null);
    this.sweeps.clear();
    this.isAsking = false;
  }

  tick(): void {
    this.ask();
  }

  private ask(): void {
    const { clock, systemOfRecord } = this.parts;
    if (this.isAsking || clock.now() < this.notBefore) return;
    if (this.next >= this.slots.length && !this.goAgain()) return;
    if (this.sweeps.isFull) return;
    const { epoch } = this;
    this.isAsking = true;
    if (!this.isSifted) return this.sift();
    if (systemOfRecord === null || this.rows === null)
      return clock.defer(() => (epoch === this.epoch && this.isAsking ? this.take([]) : undefined));
    if (this.counters === null) return this.askFloors(systemOfRecord);
    // The place before all keys of the slot: no key is empty.
    const place = this.place ?? { slot: this.slots[this.next]!, key: '' };
    this.rows.read(place, (error, behind) => {
      if (epoch !== this.epoch || !this.isAsking) return;
      if (error !== null) this.pause(error);
      else if (behind.kind === 'rows') this.take(behind.rows);
      else this.passUnreadable(place, behind);
    });
  }

  /** Before rows replace what this disk has, because that forgets what was in flight below them. */
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

  /** Rows come in the order of slot and key: a slot is whole once a row of a later slot has come, or none at all. */
  private take(rows: readonly RecordRow[]): void {
    const { epoch } = this;
    this.isAsking = false;
    for (const row of rows) {
      this.finishBefore(row.slot);
      // A row inserted by hand is noted, and written once the cluster serves again.
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

  private passUnreadable({ slot }: RecordPlace, behind: Unreadable | EndOfSlot): void {
    const { epoch } = this;
    this.isAsking = false;
    this.place = null;
    if (behind.kind === 'endOfSlot') this.finishBefore(slot + 1);
    else if (behind.kind === 'unreadable' && this.intake.passUnreadable(slot, behind.row)) {
      this.keys.add(behind.row.key);
      this.place = { slot, key: behind.row.key };
    } else this.setAside(slot, behind);
    if (epoch === this.epoch) this.ask();
  }

  private setAside(slot: number, found: Unreadable): void {
    const { clock, telemetry } = this.parts;
    const { reason } = found;
    this.aside.set(slot, this.counters?.[this.next] ?? 0);
    this.next += 1;
    this.keys = new Set();
    this.againAt = clock.now() + ASIDE_AGAIN_MS;
    const key = found.kind === 'unreadable' ? found.row.key : undefined;
    // Each row is reported once: after one was repaired there may be another.
    if (this.told.has(slot) && this.told.get(slot) === key) return;
    this.told.set(slot, key);
    const named = key === undefined ? {} : { key };
    telemetry.event('error', 'recovery.row_unreadable', { slot, ...named, reason });
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
      const isSuperseded = this.counters !== null && this.parts.shelf.superseded.has(whole);
      if (counter === 0 && !isSuperseded) clock.defer(finish);
      else this.clear(whole, counter, keys, finish);
    }
  }

  /**
   * Valid whatever PostgreSQL may have lost: commits are lost from the end, and everything at rest below a floor was
   * committed before that floor was raised.
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
    const { shelf, leftInFlight, operations, clock } = this.parts;
    // Nobody knows which identified operations the lost owners had done.
    operations.learnForgotten(Math.ceil(clock.wallNow()));
    operations.confirm(whole);
    shelf.setVerified(whole);
    leftInFlight.restore(whole, shelf, this.replica!);
    this.onWhole(whole);
  }

  private takeRow(row: RecordRow): void {
    this.keys.add(row.record.key);
    const floorCounter = this.counters?.[this.next] ?? 0;
    const tooLarge = this.intake.take(row, { replica: this.replica!, floorCounter });
    if (tooLarge !== null) this.setAside(row.slot, tooLarge);
  }
}
