/**
 * Makes slots whole that an operator has given up. Every row that PostgreSQL has of them is compared with this disk's
 * leftovers, and the higher version of each key wins; below PostgreSQL's floor for a slot only keys with a row there
 * are kept, because rows of deletions were removed. Nobody owns the slots meanwhile, so nothing is written to them.
 * Writes that were in flight here when their coordinator was lost, and are not in PostgreSQL, are finished afterwards
 * like any orphan. (PROTOCOL R13, R24, R28)
 */
import type { Mutations } from '../../core/mutations.ts';
import { everythingDriven } from '../../core/record-standing.ts';
import { heldAtRest } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import { VERSION_NONE, counterOf } from '../../core/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type {
  RecordError,
  RecordPlace,
  RecordRow,
  RowVersion,
  SystemOfRecord,
} from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { FloorStore } from '../store/floor-store.ts';
import { aboveEdited } from './above-edited.ts';
import { siftOperations } from './operation-sift.ts';
import type { OperationTable } from '../store/operation-table.ts';
import { ownFloors } from './own-floors.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { RecoveryRows, tooLargeRow } from './recovery-rows.ts';
import type { EndOfSlot, Unreadable } from './recovery-rows.ts';
import { RecoverySweeps } from './recovery-sweep.ts';
import type { SpoolMarks } from '../spool/marks.ts';
import type { LeftInFlight } from '../store/left-in-flight.ts';

/** Milliseconds before PostgreSQL is asked again after a failure. */
const AGAIN_AFTER_MS = 500;
/** Milliseconds before slots with unreadable rows are tried again. */
const ASIDE_AGAIN_MS = 5_000;

export interface RecordRecoveryParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Null if there is no PostgreSQL, so that this disk's leftovers are all there is. */
  readonly systemOfRecord: SystemOfRecord | null;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
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
  private readonly sweeps = new RecoverySweeps();
  private isAsking = false;
  private notBefore = -Infinity;
  private onWhole: (slot: number) => void = () => undefined;

  constructor(parts: RecordRecoveryParts) {
    this.parts = parts;
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
    else if (behind.kind === 'unreadable' && this.hasHeld(slot, behind.row))
      this.place = { slot, key: behind.row.key };
    else this.setAside(slot, behind);
    if (epoch === this.epoch) this.ask();
  }

  /** True if this disk holds the unreadable row's version, or a higher one. */
  private hasHeld(slot: number, row: RowVersion): boolean {
    const { key, version, checksum } = row;
    const held = this.parts.shelf.read(key, slot);
    this.keys.add(key);
    if (this.isOfBefore(slot, held, row) || !isHeld(held, version, checksum))
      return this.parts.mutations.passUnreadable === true;
    this.settle(slot, held, version);
    return true;
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
    const { record, slot, checksum, edited } = row;
    const { shelf, telemetry } = this.parts;
    const sealed = sealRecord(record);
    const held = shelf.read(record.key, slot);
    this.keys.add(record.key);
    // If nobody has another copy, this row is still the only record.
    if (sealed.checksum !== checksum && edited !== true)
      telemetry.event('error', 'recovery.row_damaged', { version: record.version });
    if (held === undefined && edited !== true && this.isForgotten(slot, record)) return;
    // A row that was changed by hand shows the change under the version and checksum of what was changed. Where this disk
    // has that, it stays, and the change is written above it.
    const isOfBefore = this.isOfBefore(slot, held, record);
    if (isOfBefore) this.dropSuperseded(slot, held);
    if (
      !isOfBefore &&
      this.parts.mutations.recoverRowsAlone !== true &&
      isHeld(held, record.version, checksum)
    ) {
      this.settle(slot, held, record.version);
      return;
    }
    const tooLarge = tooLargeRow(row);
    if (tooLarge !== null) return this.setAside(slot, tooLarge);
    this.forgetOpen(slot, record);
    if (edited === true && this.parts.mutations.editAsItStands !== true)
      return this.writeAbove(slot, record, held);
    this.replica!.sawVersion(record.version);
    if (!this.replica!.copy(slot, heldAtRest(sealed))) shelf.replaceAtRest(slot, record.key, sealed);
  }

  /** The row was changed by hand, and nobody knows any more what its version was. */
  private writeAbove(slot: number, shown: KeyRecord, held: SealedRecord | undefined | 'damaged'): void {
    const { floors, writesThrough, mutations } = this.parts;
    const counters = [
      this.counters?.[this.next] ?? 0,
      floors.floors.of(slot),
      floors.forgotten.through(slot),
    ];
    if (held !== undefined && held !== 'damaged') counters.push(counterOf(held.record.version));
    this.replica!.copy(
      slot,
      aboveEdited(shown, this.replica!.view, Math.max(...counters), !writesThrough(shown.key), mutations),
    );
  }

  /** PostgreSQL has exactly the version held here. */
  private settle(slot: number, { record }: SealedRecord, version: number): void {
    if (record.version === version) this.parts.leftInFlight.settle(slot, record.key, version);
  }

  /** What is held is higher but was lost when others went on without this disk: the row must replace it. */
  private isOfBefore(
    slot: number,
    held: SealedRecord | undefined | 'damaged',
    { key, version }: Pick<KeyRecord, 'key' | 'version'>,
  ): held is SealedRecord {
    if (held === undefined || held === 'damaged' || held.record.version <= version) return false;
    return this.parts.writesThrough(key) && this.parts.shelf.isSuperseded(slot, key);
  }

  private dropSuperseded(slot: number, { record: { key, version } }: SealedRecord): void {
    const { spooled, leftInFlight, operations, telemetry } = this.parts;
    telemetry.event('info', 'recovery.cleared', { slot, version, floor: 0 });
    operations.unlearn(key, leftInFlight.operationsBelow(slot, key, version + 1));
    leftInFlight.settle(slot, key, version);
    spooled.drop(slot, key);
  }

  /**
   * The key was deleted, and the deletion forgotten, on this disk while it held the slot to the end: PostgreSQL has
   * lost the deletion since.
   */
  private isForgotten(slot: number, { key, version }: KeyRecord): boolean {
    const { floors, mutations, telemetry, writesThrough } = this.parts;
    const through = floors.forgotten.through(slot);
    if (counterOf(version) > through || !writesThrough(key) || mutations.recoverForgotten === true)
      return false;
    telemetry.event('info', 'recovery.deleted', { slot, version, floor: through });
    return true;
  }

  /**
   * A write in flight here below the row may have been finished before it; or have been refused, and done later under
   * the same id. (R33)
   */
  private forgetOpen(slot: number, { key, version }: KeyRecord): void {
    const { leftInFlight, operations } = this.parts;
    const state = this.replica!.stateOf(key);
    operations.unlearn(key, leftInFlight.operationsBelow(slot, key, version));
    if (state?.valid === false) operations.unlearn(key, state.heldOperations ?? []);
  }
}

/** This disk has what was committed as this version, or a higher one. */
function isHeld(
  held: SealedRecord | undefined | 'damaged',
  version: number,
  checksum: number,
): held is SealedRecord {
  if (held === undefined || held === 'damaged') return false;
  return held.record.version > version || (held.record.version === version && held.checksum === checksum);
}
