/**
 * Turns expired records into tombstones in the background. Readers never see an expired record anyway, so this only
 * frees space and brings PostgreSQL up to date. Each slot's first owner does it, by a conditional write on the exact
 * version, and requests nothing that another owner's clock would refuse. (PROTOCOL R26)
 */
import type { WriteOperation } from '../core/operation.ts';
import { isExpired } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import type { Clock } from '../ports/clock.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { openRecord } from '../wire/record-codec.ts';
import { slotRange, splitRecordKey } from '../wire/store-codec.ts';
import type { PeerClocks } from './peers/peer-clocks.ts';
import { startWrite } from './put.ts';
import { HOPS_MAX, uncounted } from './serving.ts';
import type { Serving } from './serving.ts';

/** Entries and bytes read per page, and milliseconds between two pages: the most that the walk may cost. */
const PAGE_ENTRIES_MAX = 500;
const PAGE_BYTES_MAX = 1024 * 1024;
const PAGE_PAUSE_MS = 100;
/** Expiries in progress; at this number no further page is read. */
const IN_FLIGHT_MAX = 500;
const TIMEOUT_MS = 5_000;
/** Milliseconds after which a slot is visited again if an expiry failed in it, or another owner's clock is behind. */
const AGAIN_AFTER_MS = 1_000;

export interface ExpiryParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly telemetry: Telemetry;
  readonly serving: Serving;
  readonly peerClocks: PeerClocks;
}

interface Walk {
  readonly slot: number;
  /** Store key from which to continue. */
  from: string;
}

export class Expiry {
  private readonly parts: ExpiryParts;
  /** The request flows count what clients ask for, which expiries are not. */
  private readonly serving: Serving;
  private walk: Walk | null = null;
  private reading = false;
  private notBefore = -Infinity;
  private inFlight = 0;

  constructor(parts: ExpiryParts) {
    this.parts = parts;
    this.serving = uncounted(parts.serving);
  }

  tick(): void {
    const now = this.parts.clock.now();
    if (this.reading || now < this.notBefore || this.inFlight >= IN_FLIGHT_MAX) return;
    if (!this.serving.leaseHeld()) return;
    this.notBefore = now + PAGE_PAUSE_MS;
    if (this.walk !== null) return this.readPage(this.walk);
    const walk = this.nextSlot();
    if (walk === null) return;
    this.walk = walk;
    // The slot's time was forgotten for all its records, and some of these may still be on their way to disk.
    this.reading = true;
    this.serving.shelf.whenStored(() => this.readPage(walk));
  }

  private nextSlot(): Walk | null {
    const { expiryTimes } = this.serving.shelf;
    const scope = this.serving.view();
    if (scope === null) return null;
    const choice = { scope, has: (each: number): boolean => this.isOurs(each) };
    const slot = expiryTimes.take(this.parts.clock.wallNow(), choice);
    return slot < 0 ? null : { slot, from: slotRange(slot).from };
  }

  private isOurs(slot: number): boolean {
    const view = this.serving.view();
    return view !== null && view.row(slot).owns && view.row(slot).first === view.selfId;
  }

  private readPage(walk: Walk): void {
    const { slot } = walk;
    this.reading = true;
    this.parts.storage.scan(
      walk.from,
      slotRange(slot).to,
      PAGE_ENTRIES_MAX,
      PAGE_BYTES_MAX,
      (error, entries) => {
        this.reading = false;
        const last = entries.at(-1);
        if (error !== null || !this.isOurs(slot)) {
          this.walk = null;
          this.again(slot);
          return;
        }
        if (last === undefined) this.walk = null;
        else walk.from = last.key + '\u0000';
        for (const entry of entries) this.look(slot, entry);
      },
    );
  }

  private look(slot: number, entry: StorageEntry): void {
    const record = openRecord(entry.value)?.record;
    // The record's time is noted again when the record is repaired.
    if (record === undefined) this.serving.shelf.noticeDamage(splitRecordKey(entry.key).key, slot);
    if (record === undefined || record.tombstone || record.expiresAt === 0) return;
    const { peerClocks, clock } = this.parts;
    if (!isExpired(record, clock.wallNow())) {
      this.serving.shelf.expiryTimes.note(slot, record.expiresAt);
    } else if (peerClocks.havePassed(this.otherOwners(slot), record.expiresAt)) {
      this.expire(slot, record);
    } else {
      this.again(slot);
    }
  }

  private otherOwners(slot: number): readonly number[] {
    const view = this.serving.view()!;
    return view.row(slot).owners.filter((id) => id !== view.selfId);
  }

  private expire(slot: number, record: KeyRecord): void {
    const { key, version } = record;
    const operation: WriteOperation = { kind: 'expire', key, version, operationId: null };
    this.inFlight += 1;
    startWrite(this.serving, { operation, timeoutMs: TIMEOUT_MS, hops: HOPS_MAX }, (result) => {
      this.inFlight -= 1;
      if (result.kind === 'done') this.parts.telemetry.count('store.records_expired');
      // If the condition failed, the key was written meanwhile, and its new time was noted then.
      else if (result.kind === 'failed') this.again(slot);
    });
  }

  private again(slot: number): void {
    this.serving.shelf.expiryTimes.note(slot, this.parts.clock.wallNow() + AGAIN_AFTER_MS);
  }
}
