/**
 * Finds deletions that are old enough to be forgotten, slot by slot, a bounded piece at a time. A slot's first owner
 * searches first; the others search much later, for deletions that the first no longer has and they still do. (PROTOCOL
 * R22)
 */
import { isOldDeletion, mayForget } from '../../core/upkeep/collection.ts';
import type { Deletion } from '../../core/upkeep/collection.ts';
import { COLLECTION_DELETIONS_MAX, COLLECTION_ENTRIES_MAX, COLLECTION_SLOTS_MAX } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { slotRange } from '../../wire/store-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { TOMBSTONES_OF } from '../store/slot-tombstones.ts';

/** One page of the store: entries, and bytes. */
const PAGE_ENTRIES_MAX = 500;
const PAGE_BYTES_MAX = 1024 * 1024;
/** The other owners handle a deletion at this many times the age at which the first owner does. */
const OTHERS_FACTOR = 4;
/** Milliseconds after which a slot is visited again in which something could not be forgotten. */
const AGAIN_AFTER_MS = 1_000;

export interface TombstoneWalkParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly replica: () => Replica | null;
  readonly mutations: Mutations;
  /** PostgreSQL lacks what is held of the key: a deletion that it never heard of would come back from there. (R34) */
  readonly isSpooled: (slot: number, key: string) => boolean;
  /** Its row waits to be removed. */
  readonly isUnderWay: (key: string) => boolean;
  /** Milliseconds for which a deletion is kept at least. */
  readonly keepMs: () => number;
}

interface Look {
  readonly view: SlotView;
  readonly found: Deletion[];
  readonly done: (found: readonly Deletion[]) => void;
  entriesLeft: number;
}

export class TombstoneWalk {
  private readonly parts: TombstoneWalkParts;
  /** Slots that are due and not walked to the end. */
  private readonly slots: number[] = [];
  /** Store key from which to continue in the first of these slots; '' for its beginning. */
  private from = '';

  constructor(parts: TombstoneWalkParts) {
    this.parts = parts;
  }

  /** Reports deletions that may be forgotten, in a later turn. Returns false if nothing is due. */
  look(view: SlotView, done: (found: readonly Deletion[]) => void): boolean {
    if (this.slots.length === 0) this.takeSlots(view);
    if (this.slots.length === 0) return false;
    const look: Look = { view, found: [], done, entriesLeft: COLLECTION_ENTRIES_MAX };
    // The slot's time was forgotten for all its deletions, and some of these may still be on their way to disk.
    this.parts.shelf.whenStored(() => this.next(look));
    return true;
  }

  /** Something in the slot could not be forgotten now. */
  again(slot: number): void {
    const { clock, keepMs, shelf } = this.parts;
    shelf.tombstones.times.note(slot, clock.wallNow() - keepMs() + AGAIN_AFTER_MS);
  }

  private takeSlots(view: SlotView): void {
    const { clock, keepMs, mutations, shelf } = this.parts;
    const { times } = shelf.tombstones;
    const due = clock.wallNow() - keepMs();
    const isFirst = (slot: number): boolean => view.row(slot).first === view.selfId;
    const may = (slot: number): boolean => mayForget(view, slot, mutations);
    const ours = { scope: view, has: (slot: number): boolean => may(slot) && isFirst(slot) };
    const left = { scope: view, has: (slot: number): boolean => may(slot) && !isFirst(slot) };
    while (this.slots.length < COLLECTION_SLOTS_MAX) {
      const own = times.take(due, ours, TOMBSTONES_OF.first);
      const othersDue = due - (OTHERS_FACTOR - 1) * keepMs();
      const slot = own >= 0 ? own : times.take(othersDue, left, TOMBSTONES_OF.others);
      if (slot < 0) return;
      this.slots.push(slot);
    }
  }

  private next(look: Look): void {
    const { view, found, done } = look;
    const slot = this.slots[0];
    if (this.parts.replica()?.view !== view) {
      for (const each of this.slots.splice(0)) this.again(each);
      this.from = '';
      for (const each of found) this.again(each.slot);
      return done([]);
    }
    if (slot === undefined || look.entriesLeft <= 0 || found.length >= COLLECTION_DELETIONS_MAX)
      return done(found);
    this.readPage(slot, look);
  }

  /** What was found in an earlier epoch may not be forgotten in this one. */
  private putBack(slot: number, look: Look): void {
    this.slots.shift();
    this.from = '';
    this.again(slot);
    look.entriesLeft -= 1;
    this.next(look);
  }

  private readPage(slot: number, look: Look): void {
    if (!mayForget(look.view, slot, this.parts.mutations)) return this.putBack(slot, look);
    const range = slotRange(slot);
    const from = this.from === '' ? range.from : this.from;
    this.parts.storage.scan(from, range.to, PAGE_ENTRIES_MAX, PAGE_BYTES_MAX, (error, entries) => {
      const last = entries.at(-1);
      const isEnd = error !== null || last === undefined;
      if (error !== null) this.again(slot);
      for (const entry of entries) this.consider(slot, entry, look);
      this.from = isEnd ? '' : `${last.key}\u0000`;
      if (isEnd) this.slots.shift();
      look.entriesLeft -= entries.length + 1;
      this.next(look);
    });
  }

  /** The record must be at rest here, hence valid; the listed entry may be in flight, or replaced since. */
  private consider(slot: number, entry: StorageEntry, look: Look): void {
    const record = openRecord(entry.value)?.record;
    if (record === undefined || !record.tombstone) return;
    const { clock, keepMs, replica, shelf } = this.parts;
    const { key, version, updatedAt } = record;
    if (!isOldDeletion(record, clock.wallNow(), keepMs()))
      return shelf.tombstones.times.note(slot, updatedAt);
    if (this.parts.isUnderWay(key)) return;
    if (this.parts.isSpooled(slot, key)) return this.again(slot);
    const held = shelf.load(key, slot);
    const isAtRest =
      replica()?.stateOf(key) === undefined &&
      held !== undefined &&
      held !== 'damaged' &&
      held.record.version === version;
    if (isAtRest) look.found.push({ slot, key, version });
    else shelf.tombstones.times.note(slot, updatedAt);
  }
}
