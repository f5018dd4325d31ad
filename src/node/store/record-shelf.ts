/**
 * This node's records as the rules see them: hot ones in memory, all of them in the store, and digests updated with
 * every write. For a learner it also knows which leftovers its source has confirmed: others count as not held. (DESIGN
 * section 5, PROTOCOL R19)
 */
import { visitZeroes } from '../../base/index-set.ts';
import { compareUtf8 } from '../../base/utf8-order.ts';
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import type { StoredWrite } from '../../core/replication/context.ts';
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import type { CopyAtRest } from '../../core/upkeep/scrub.ts';
import { claimOf, openRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import type { ExpiryTimes } from './expiry-times.ts';
import { HotCache } from './hot-cache.ts';
import { RecordWitnesses } from '../system-of-record/record-witnesses.ts';
import type { SlotDigests } from './slot-digests.ts';
import type { SlotTombstones } from './slot-tombstones.ts';
import type { StoreChange, StoreWriter } from './store-writer.ts';
import { SupersededSlots } from '../recovery/superseded-slots.ts';
import type { SupersededFound } from '../recovery/superseded-slots.ts';

/** Indexes of the records by slot, built at the start and updated with every write. */
export interface ShelfIndexes {
  readonly digests: SlotDigests;
  readonly expiryTimes: ExpiryTimes;
  readonly tombstones: SlotTombstones;
  /** Left out if none is known yet. */
  readonly witnesses?: RecordWitnesses;
  readonly superseded?: SupersededFound;
}

interface LearnSession {
  readonly written: Set<string>;
  copiedThrough: string;
  /** Something lower replaced a leftover, so the source's comparison of the slot's digest is no longer valid. */
  wasLowered: boolean;
}

export class RecordShelf {
  readonly witnesses: RecordWitnesses;
  readonly digests: SlotDigests;
  readonly expiryTimes: ExpiryTimes;
  readonly tombstones: SlotTombstones;
  /** Leftovers from before their slot was given up. */
  readonly superseded: SupersededSlots;
  private readonly writer: StoreWriter;
  private readonly instruments: typeof NO_INSTRUMENTS;
  private readonly onDamaged: (slot: number, key: string) => void;
  private readonly cache: HotCache;
  /** 1 if everything held of the slot counts: it is complete, or confirmed by its source. */
  private readonly verified = new Uint8Array(SLOT_COUNT);
  /** Per unverified slot: keys written in this learning session, and how far the source's copy has come. */
  private readonly sessions = new Map<number, LearnSession>();

  /** `onDamaged`: called, from within a call, when a record that counts is requested and fails its checksum. */
  constructor(
    writer: StoreWriter,
    { digests, expiryTimes, tombstones, witnesses = new RecordWitnesses(), superseded }: ShelfIndexes,
    cacheBytesMax: number,
    onDamaged: (slot: number, key: string) => void = () => undefined,
    instruments = NO_INSTRUMENTS,
  ) {
    this.instruments = instruments;
    this.onDamaged = onDamaged;
    this.digests = digests;
    this.expiryTimes = expiryTimes;
    this.tombstones = tombstones;
    this.superseded = new SupersededSlots(writer, superseded);
    this.witnesses = witnesses;
    this.writer = writer;
    this.cache = new HotCache(cacheBytesMax);
  }

  /** The record as the rules may use it. */
  load(key: string, slot: number): SealedRecord | undefined | 'damaged' {
    if (this.verified[slot] === 0 && !this.isConfirmed(slot, key)) return undefined;
    const hot = this.cache.get(key);
    if (hot !== undefined) return hot;
    const sealed = this.read(key, slot);
    if (sealed === 'damaged') this.onDamaged(slot, key);
    return sealed;
  }

  /** Checks whether the record is damaged on disk, whatever is in memory. */
  noticeDamage(key: string, slot: number): void {
    if (this.read(key, slot) !== 'damaged') return;
    this.cache.drop(key);
    this.onDamaged(slot, key);
  }

  /** The record as it is on this disk, whether it counts or not. */
  read(key: string, slot: number): SealedRecord | undefined | 'damaged' {
    const bytes = this.writer.get(recordKey(slot, key));
    if (bytes === undefined) return undefined;
    return openRecord(bytes) ?? 'damaged';
  }

  /** What a damaged record says about itself, which may be wrong; null if it is not damaged. */
  claimed(key: string, slot: number): CopyAtRest | null {
    const bytes = this.writer.get(recordKey(slot, key));
    return bytes === undefined || openRecord(bytes) !== undefined ? null : claimOf(bytes);
  }

  /** The hit path: returns the record from memory or the store, and keeps it in memory. */
  loadHot(key: string, slot: number): KeyRecord | undefined | 'damaged' {
    const hot = this.cache.recordOf(key);
    if (hot !== undefined) {
      this.instruments.cacheHits += 1;
      return hot;
    }
    this.instruments.cacheMisses += 1;
    const sealed = this.load(key, slot);
    if (sealed === undefined || sealed === 'damaged') return sealed;
    this.keepHot(sealed);
    return sealed.record;
  }

  /** `changes`: entries that must be written together with the record. */
  store(write: StoredWrite, changes: readonly StoreChange[] | null = null): number {
    const previous = this.account(write.slot, write.sealed.record.key, write.sealed, write.replaced);
    this.cache.drop(write.sealed.record.key);
    if (this.verified[write.slot] === 0) this.noteWritten(write, previous);
    return this.writer.put(write, changes);
  }

  /** Stores a learner's copy of a valid record, or removes what its source lacks. */
  replaceAtRest(slot: number, key: string, sealed: SealedRecord | null): void {
    this.account(slot, key, sealed, null);
    this.cache.drop(key);
    this.writer.putAtRest(slot, key, sealed === null ? null : sealed.bytes);
  }

  /** The same for a key of which nothing is on this disk. */
  addAtRest(slot: number, key: string, sealed: SealedRecord): void {
    this.count(slot, undefined, sealed);
    this.cache.drop(key);
    this.writer.putAtRest(slot, key, sealed.bytes);
  }

  /** If `replaced` is known it saves a read of the store: an eighth of a put's time on the main thread. */
  private account(
    slot: number,
    key: string,
    next: SealedRecord | null,
    replaced: SealedRecord | null,
  ): SealedRecord | undefined {
    const read = replaced ?? this.read(key, slot);
    const previous = read === 'damaged' ? undefined : read;
    this.count(slot, previous, next);
    return previous;
  }

  private count(slot: number, previous: SealedRecord | undefined, next: SealedRecord | null): void {
    this.digests.replace(slot, previous, next);
    this.tombstones.replaced(slot, previous, next);
    if (next !== null) {
      const { tombstone, expiresAt } = next.record;
      if (!tombstone && expiresAt !== 0) this.expiryTimes.note(slot, expiresAt);
    }
  }

  keepHot(sealed: SealedRecord): void {
    this.cache.keep(sealed);
  }

  /** The record became valid; its key may be looked up in PostgreSQL now and then. */
  settled(sealed: SealedRecord): void {
    this.keepHot(sealed);
    this.witnesses.note(sealed.record.key);
  }

  /** The next read goes to the disk. */
  forgetHot(key: string): void {
    this.cache.drop(key);
  }

  forgetAllHot(): void {
    this.cache.clear();
  }

  /** Calls back when everything stored so far is on disk and visible to scans. */
  whenStored(done: () => void): void {
    this.writer.barrier(done);
  }

  isVerified(slot: number): boolean {
    return this.verified[slot] === 1;
  }

  /** Visits the given slots in which what is held does not count. */
  visitUnverified(slots: Uint16Array, visit: (slot: number) => void): void {
    visitZeroes(this.verified, slots, visit);
  }

  setVerified(slot: number): void {
    this.verified[slot] = 1;
    this.sessions.delete(slot);
    this.superseded.drop(slot);
  }

  /** Nothing held counts any more until a source confirms it. */
  doubtAll(): void {
    this.verified.fill(0);
    this.sessions.clear();
    this.cache.clear();
  }

  /** What is held of the slot does not count until a source confirms it. */
  doubt(slot: number): void {
    this.verified[slot] = 0;
    this.sessions.delete(slot);
  }

  /** How far an interrupted copy has come; '' if it has not begun. */
  copiedThroughOf(slot: number): string {
    return this.sessions.get(slot)?.copiedThrough ?? '';
  }

  /** Everything up to this key is as the source has it. */
  copiedThrough(slot: number, key: string): void {
    this.session(slot).copiedThrough = key;
  }

  /** True if the record is from before its slot was given up, and was not confirmed since. */
  isSuperseded(slot: number, key: string): boolean {
    return this.superseded.hasKey(slot, key) && !this.isConfirmed(slot, key);
  }

  isConfirmed(slot: number, key: string): boolean {
    if (this.verified[slot] === 1) return true;
    const session = this.sessions.get(slot);
    if (session === undefined) return false;
    return (
      session.written.has(key) ||
      (session.copiedThrough !== '' && compareUtf8(key, session.copiedThrough) <= 0)
    );
  }

  /**
   * True if, since digests were compared, this node has lost a leftover that the source also has. If something higher
   * replaced it, the source will hear of that; if it was something lower, the slot must be copied after all. (R19)
   */
  wasLowered(slot: number): boolean {
    return this.sessions.get(slot)?.wasLowered === true;
  }

  private noteWritten({ slot, sealed }: StoredWrite, previous: SealedRecord | undefined): void {
    const session = this.session(slot);
    session.written.add(sealed.record.key);
    this.superseded.noteWritten(slot, sealed.record.key);
    if (previous !== undefined && previous.record.version > sealed.record.version) session.wasLowered = true;
  }

  private session(slot: number): LearnSession {
    let session = this.sessions.get(slot);
    if (session === undefined) {
      session = { written: new Set(), copiedThrough: '', wasLowered: false };
      this.sessions.set(slot, session);
    }
    return session;
  }
}
