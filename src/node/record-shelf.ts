/**
 * The records of this node as the rules see them: hot ones in memory, all of them in the store, digests kept with
 * every write. For a learner it also knows which of its leftovers its source has confirmed: the others count as
 * not held. (DESIGN section 5, PROTOCOL R19)
 */
import { visitZeroes } from '../base/index-set.ts';
import { compareUtf8 } from '../base/utf8-order.ts';
import { NO_INSTRUMENTS } from '../core/instruments.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import type { StoredWrite } from '../core/replication/context.ts';
import type { KeyRecord, SealedRecord } from '../core/record.ts';
import type { CopyAtRest } from '../core/scrub.ts';
import { claimOf, openRecord } from '../wire/record-codec.ts';
import { recordKey } from '../wire/store-codec.ts';
import type { ExpiryTimes } from './expiry-times.ts';
import { HotCache } from './hot-cache.ts';
import { RecordWitnesses } from './record-witnesses.ts';
import type { SlotDigests } from './slot-digests.ts';
import type { SlotTombstones } from './slot-tombstones.ts';
import type { StoreChange, StoreWriter } from './store-writer.ts';
import { SupersededSlots } from './superseded-slots.ts';
import type { SupersededFound } from './superseded-slots.ts';

/** What is known of the records by their slots, from the start and with every write. */
export interface ShelfIndexes {
  readonly digests: SlotDigests;
  readonly expiryTimes: ExpiryTimes;
  readonly tombstones: SlotTombstones;
  /** Left out: none is known yet. */
  readonly witnesses?: RecordWitnesses;
  readonly superseded?: SupersededFound;
}

interface LearnSession {
  readonly written: Set<string>;
  copiedThrough: string;
  /** Something lower took the place of a leftover: what the source said of the slot's digest says nothing any more. */
  wasLowered: boolean;
}

export class RecordShelf {
  readonly witnesses: RecordWitnesses;
  readonly digests: SlotDigests;
  readonly expiryTimes: ExpiryTimes;
  readonly tombstones: SlotTombstones;
  /** What of the leftovers is of before their slot was given up. */
  readonly superseded: SupersededSlots;
  private readonly writer: StoreWriter;
  private readonly instruments: typeof NO_INSTRUMENTS;
  private readonly onDamaged: (slot: number, key: string) => void;
  private readonly cache: HotCache;
  /** 1 where everything held of the slot counts: complete, or confirmed by its source. */
  private readonly verified = new Uint8Array(SLOT_COUNT);
  /** Per unverified slot: keys written in this learning session, and how far the source's copy has come. */
  private readonly sessions = new Map<number, LearnSession>();

  /** `onDamaged`: a record that counts was asked for and fails its checksum; called from within. */
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

  /** It is damaged on this disk, whatever memory has kept of it. */
  noticeDamage(key: string, slot: number): void {
    if (this.read(key, slot) !== 'damaged') return;
    this.cache.drop(key);
    this.onDamaged(slot, key);
  }

  /** The record as it stands on this disk, whatever it is worth. */
  read(key: string, slot: number): SealedRecord | undefined | 'damaged' {
    const bytes = this.writer.get(recordKey(slot, key));
    if (bytes === undefined) return undefined;
    return openRecord(bytes) ?? 'damaged';
  }

  /** What a damaged record says of itself, for what that is worth; null where it is not damaged. */
  claimed(key: string, slot: number): CopyAtRest | null {
    const bytes = this.writer.get(recordKey(slot, key));
    return bytes === undefined || openRecord(bytes) !== undefined ? null : claimOf(bytes);
  }

  /** The hit path: from memory or the store, and into memory. */
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

  /** `changes`: what must be on disk together with the record. */
  store(write: StoredWrite, changes: readonly StoreChange[] | null = null): number {
    const previous = this.account(write.slot, write.sealed.record.key, write.sealed, write.replaced);
    this.cache.drop(write.sealed.record.key);
    if (this.verified[write.slot] === 0) this.noteWritten(write, previous);
    return this.writer.put(write, changes);
  }

  /** A learner's copy of a valid record, or the removal of what its source lacks. */
  replaceAtRest(slot: number, key: string, sealed: SealedRecord | null): void {
    this.account(slot, key, sealed, null);
    this.cache.drop(key);
    this.writer.putAtRest(slot, key, sealed === null ? null : sealed.bytes);
  }

  /** The same where nothing of the key is on this disk. */
  addAtRest(slot: number, key: string, sealed: SealedRecord): void {
    this.count(slot, undefined, sealed);
    this.cache.drop(key);
    this.writer.putAtRest(slot, key, sealed.bytes);
  }

  /** `replaced`, where it is known, saves a read of the store: an eighth of a put's time on the main thread. */
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

  /** It became valid: what is looked for in PostgreSQL now and then. */
  settled(sealed: SealedRecord): void {
    this.keepHot(sealed);
    this.witnesses.note(sealed.record.key);
  }

  /** It is read from the disk next. */
  forgetHot(key: string): void {
    this.cache.drop(key);
  }

  forgetAllHot(): void {
    this.cache.clear();
  }

  /** Calls back when everything stored so far is on disk, where a scan sees it. */
  whenStored(done: () => void): void {
    this.writer.barrier(done);
  }

  isVerified(slot: number): boolean {
    return this.verified[slot] === 1;
  }

  /** Those of the slots of which what is held does not count. */
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

  /** What is held of the slot counts no more until a source confirms it. */
  doubt(slot: number): void {
    this.verified[slot] = 0;
    this.sessions.delete(slot);
  }

  /** How far a copy that was broken off has come; '': it is to begin. */
  copiedThroughOf(slot: number): string {
    return this.sessions.get(slot)?.copiedThrough ?? '';
  }

  /** Everything up to this key is as the source has it. */
  copiedThrough(slot: number, key: string): void {
    this.session(slot).copiedThrough = key;
  }

  /** Of before its slot was given up, and nobody has confirmed it since. */
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
   * Since digests were compared: a leftover that the source has, too, and that this node no longer has. Where something
   * higher took its place, the source will hear of that; where it was lower, the slot is to be copied after all. (R19)
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
