/**
 * Detects whether this disk has silently gone back in time. All owners have a floor on disk before PostgreSQL has it,
 * so an owner whose floor is lower than PostgreSQL's is behind in that slot. Leftovers there at or below PostgreSQL's
 * floor that have no row, and of which some other owner has nothing, were deleted since: they are removed, and then the
 * floor is adopted. Until this is done for every slot that this process owns, once in each drive, it neither writes
 * records at rest back to PostgreSQL nor tells a scrubber what it has. (PROTOCOL R24, R30)
 */
import { IndexSet } from '../../base/index-set.ts';
import { SCRUB_PAGE_BYTES_MAX, SCRUB_TOLD_RECORDS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import { isValueBelow } from '../../core/system-of-record/record-floors.ts';
import { driveOf } from '../../core/system-of-record/record-standing.ts';
import { isInFlight } from '../../core/replication/key-state.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { OwnerInquiry } from '../recovery/owner-inquiry.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Milliseconds before PostgreSQL, or the disk, is asked again after a failure. */
const AGAIN_AFTER_MS = 500;
/** The same for a slot about which another owner did not answer completely: a repair there takes a while. */
const OPEN_AGAIN_MS = 30_000;

export interface FloorCheckParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly systemOfRecord: SystemOfRecord;
  readonly shelf: RecordShelf;
  readonly floors: FloorStore;
  readonly inquiry: OwnerInquiry;
  readonly replica: () => Replica | null;
  /** PostgreSQL never has rows of other keys. */
  readonly writesThrough: (key: string) => boolean;
  readonly mutations: Mutations;
}

/** A slot in which this disk is behind, while it is examined. */
interface Behind {
  readonly slot: number;
  /** PostgreSQL's floor. */
  readonly counter: number;
  from: string;
  /** Some other owner has not answered about some key, or something waits on a leftover: the slot stays behind. */
  isOpen: boolean;
}

interface Suspect {
  readonly key: string;
  readonly version: number;
}

export class FloorCheck {
  private readonly parts: FloorCheckParts;
  private replica: Replica | null = null;
  private view: SlotView | null = null;
  private drive = -1;
  private isDone = false;
  private readonly checked = new IndexSet(SLOT_COUNT);
  /** Examined but still behind, because some other owner has not answered about some key. */
  private readonly open = new IndexSet(SLOT_COUNT);
  private openAgainAt = Infinity;
  private behind: Behind[] | null = null;
  private isAsking = false;
  private notBefore = -Infinity;

  constructor(parts: FloorCheckParts) {
    this.parts = parts;
  }

  /** True once all is checked in this drive, by this process. */
  get isChecked(): boolean {
    if (this.parts.mutations.trustOldFloor === true) return true;
    const replica = this.parts.replica();
    return this.isDone && this.replica === replica && this.view === replica!.view;
  }

  /**
   * True if the floor of the slot may be raised. Only its being lower than PostgreSQL's shows that this disk has gone
   * back: once it is as high, leftovers below it would pass for legitimate.
   */
  mayRaise(slot: number): boolean {
    if (this.parts.mutations.trustOldFloor === true) return true;
    return this.replica === this.parts.replica() && this.checked.has(slot) && !this.open.has(slot);
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    const { replica, clock, systemOfRecord } = this.parts;
    const acting = replica();
    if (this.isDone && clock.now() >= this.openAgainAt) this.lookAgain();
    if (acting === null || this.isChecked) return;
    const { view } = acting;
    // Answers to questions asked in another epoch are not used in this one.
    if (acting !== this.replica || view !== this.view) this.restart(acting, view);
    if (this.isDone || this.isAsking || clock.now() < this.notBefore) return;
    this.isAsking = true;
    if (this.behind === null) this.askFloors(view, systemOfRecord);
    else if (this.behind.length === 0) this.isDone = true;
    else this.readPage(view, this.behind[0]!);
  }

  private restart(replica: Replica, view: SlotView): void {
    const drive = driveOf(view.topology);
    if (replica !== this.replica || drive !== this.drive) {
      this.checked.clear();
      this.open.clear();
      this.openAgainAt = Infinity;
    }
    this.replica = replica;
    this.view = view;
    this.drive = drive;
    this.isDone = this.unchecked(view, 1).length === 0;
    this.behind = null;
    this.isAsking = false;
    this.notBefore = -Infinity;
  }

  private lookAgain(): void {
    this.openAgainAt = Infinity;
    for (let slot = this.open.next(0); slot >= 0; slot = this.open.next(slot + 1)) this.checked.delete(slot);
    this.open.clear();
    this.isDone = false;
    this.behind = null;
    this.isAsking = false;
  }

  /** Ascending, and at most `countMax`. */
  private unchecked(view: SlotView, countMax = SLOT_COUNT): number[] {
    const slots: number[] = [];
    const { checked } = this;
    // Usually the drive continues from one epoch to the next.
    if (checked.size === SLOT_COUNT) return slots;
    const isOwned = view.rows.map((row) => row.owns);
    const { slotRow } = view.topology;
    for (let slot = 0; slot < SLOT_COUNT && slots.length < countMax; slot += 1)
      if (isOwned[slotRow[slot]!]! && !checked.has(slot)) slots.push(slot);
    return slots;
  }

  private askFloors(view: SlotView, systemOfRecord: SystemOfRecord): void {
    const { telemetry, floors } = this.parts;
    const slots = this.unchecked(view);
    systemOfRecord.readFloors(slots, (error, stand) => {
      if (view !== this.view) return;
      this.isAsking = false;
      if (error !== null) return this.pause();
      this.behind = [];
      slots.forEach((slot, at) => {
        const { counter } = stand[at]!;
        const isBehind = counter > floors.floors.of(slot);
        if (isBehind && !this.isBlank(view, slot, counter))
          return void this.behind!.push({ slot, counter, from: slotRange(slot).from, isOpen: false });
        if (isBehind) floors.raise({ slot, counter });
        this.checked.add(slot);
      });
      const { length } = this.behind;
      if (length > 0) telemetry.event('error', 'store.gone_back', { slots: length });
      else this.isDone = true;
    });
  }

  /**
   * True if the slot holds nothing, or nothing but what was loaded from PostgreSQL since the founding, above whose
   * floors all new versions started: then the disk has not gone back.
   */
  private isBlank(view: SlotView, slot: number, counter: number): boolean {
    const { loaded, floorCounter } = view.topology;
    return this.parts.shelf.digests.countOf(slot) === 0 || (!loaded && counter <= floorCounter);
  }

  private pause(): void {
    this.isAsking = false;
    this.notBefore = this.parts.clock.now() + AGAIN_AFTER_MS;
  }

  private readPage(view: SlotView, slot: Behind): void {
    const { storage } = this.parts;
    const { to } = slotRange(slot.slot);
    storage.scan(slot.from, to, SCRUB_TOLD_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX, (error, entries) => {
      if (view !== this.view) return;
      if (error !== null) return this.pause();
      const last = entries.at(-1);
      if (last === undefined) return this.end(slot);
      const next = (): void => {
        slot.from = `${last.key}\u0000`;
        this.goOn();
      };
      const suspects = entries.flatMap((entry) => this.suspectOf(slot, entry));
      if (suspects.length === 0) return next();
      this.askRows(view, slot, suspects, next);
    });
  }

  /** Records at rest here, at or below the floor. */
  private suspectOf({ counter }: Behind, entry: StorageEntry): Suspect[] {
    const { key } = splitRecordKey(entry.key);
    const record = openRecord(entry.value)?.record;
    if (record === undefined || !isValueBelow(record, counter)) return [];
    const state = this.parts.replica()?.stateOf(key);
    if (!this.parts.writesThrough(key) || (state !== undefined && isInFlight(state))) return [];
    return [{ key, version: record.version }];
  }

  private askRows(view: SlotView, slot: Behind, suspects: readonly Suspect[], next: () => void): void {
    const { systemOfRecord, inquiry } = this.parts;
    const keys = suspects.map(({ key }) => key);
    systemOfRecord.read(keys, (error, rows) => {
      if (view !== this.view) return;
      if (error !== null) return this.pause();
      const rowless = suspects.filter((_suspect, at) => rows[at] === undefined);
      const versions = new Map(rowless.map(({ key, version }) => [key, version]));
      inquiry.ask(
        slot.slot,
        [...versions.keys()],
        (key, { isAbsentAt, isWhole }) => {
          if (!isWhole) slot.isOpen = true;
          else if (isAbsentAt) this.clear(slot, key, versions.get(key)!);
        },
        next,
      );
    });
  }

  private clear(behind: Behind, key: string, version: number): void {
    const { shelf, telemetry } = this.parts;
    const { slot, counter } = behind;
    const state = this.parts.replica()?.stateOf(key);
    const held = shelf.read(key, slot);
    if (held === undefined || held === 'damaged' || held.record.version !== version) return;
    if (state !== undefined) {
      // Something waits on the leftover and has its record in memory: the slot stays behind until that is over.
      if (!isInFlight(state)) behind.isOpen = true;
      return;
    }
    telemetry.event('warn', 'store.leftover_cleared', { slot, version, floor: counter });
    shelf.replaceAtRest(slot, key, null);
  }

  private end(slot: Behind): void {
    this.behind!.shift();
    this.checked.add(slot.slot);
    if (!slot.isOpen) this.parts.floors.raise(slot);
    else {
      this.open.add(slot.slot);
      this.openAgainAt = this.parts.clock.now() + OPEN_AGAIN_MS;
    }
    this.goOn();
  }

  /**
   * Continues at once, one step at a time: with a tick for each slot all slots would take a quarter of an hour, and a
   * drive waits for this.
   */
  private goOn(): void {
    this.isAsking = false;
    this.tick();
  }
}
