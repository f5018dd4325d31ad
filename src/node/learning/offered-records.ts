/**
 * A learner that already has most of a slot tells its source what it holds, and is sent only the rest: after a short
 * absence that is one record in a hundred. Here the source's answer is completed from what was offered; from then on
 * everything is as if all records had been sent. (PROTOCOL R19)
 */
import { NONE } from '../../base/short-list.ts';
import { compareUtf8 } from '../../base/utf8-order.ts';
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import type { HeldRecord, LearnFrame, RecordSummary, SameRecord } from '../../core/message.ts';
import type { SealedRecord } from '../../core/record.ts';
import { heldAtRest } from '../../core/replication/follow.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { slotRangeAfter, splitRecordKey } from '../../wire/store-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** A page of what this disk holds in a slot, in key order. */
export interface Offer {
  readonly records: readonly SealedRecord[];
  /** The keys of these records, and of damaged ones, which are not offered. */
  readonly keys: readonly string[];
  /** Nothing follows on this disk. */
  readonly isWhole: boolean;
}

/** Offers nothing, and says nothing about what this disk holds. */
export const NO_OFFER: Offer = { records: NONE, keys: NONE, isWhole: false };
const NOTHING_HELD: Offer = { ...NO_OFFER, isWhole: true };

/** Reads the offer after that key. Everything handed to the store before the learning session began must be on disk. */
export function readOffer(
  slot: number,
  afterKey: string,
  shelf: RecordShelf,
  storage: Storage,
  done: (offer: Offer) => void,
): void {
  // A newcomer has nothing: a scan of each slot would be a third of its work.
  if (shelf.digests.holdsNothing(slot)) return done(NOTHING_HELD);
  const { from, to } = slotRangeAfter(slot, afterKey);
  storage.scan(from, to, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX, (error, entries) => {
    // If the disk cannot be read, that will show again when the answer is to be stored.
    if (error !== null) return done(NO_OFFER);
    const records: SealedRecord[] = [];
    const keys: string[] = [];
    for (const { key, value } of entries) {
      const sealed = openRecord(value);
      if (sealed !== undefined) records.push(sealed);
      keys.push(sealed?.record.key ?? splitRecordKey(key).key);
    }
    done({ records, keys, isWhole: isLastPage(entries, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX) });
  });
}

/** True if nothing follows this page of a scan. */
export function isLastPage(entries: readonly StorageEntry[], countMax: number, bytesMax: number): boolean {
  if (entries.length >= countMax) return false;
  return entries.reduce((sum, entry) => sum + entry.value.length, 0) < bytesMax / 2;
}

export function summariesOf({ records }: Offer): RecordSummary[] {
  return records.map(({ record, checksum }) => ({ version: record.version, checksum }));
}

/** Records that the asker has are referred to, not sent; records in flight are always sent, and marked as such. */
export function withoutOffered(
  held: readonly HeldRecord[],
  offered: readonly RecordSummary[],
): { records: readonly HeldRecord[]; same: readonly SameRecord[] } {
  if (offered.length === 0) return { records: held, same: NONE };
  const byChecksum = new Map<number, number>();
  for (let index = 0; index < offered.length; index += 1) byChecksum.set(offered[index]!.checksum, index);
  const records: HeldRecord[] = [];
  const same: SameRecord[] = [];
  for (const each of held) {
    const { record, checksum } = each.sealed;
    const index = each.valid ? byChecksum.get(checksum) : undefined;
    if (index !== undefined && offered[index]!.version === record.version)
      same.push({ index, key: record.key });
    else records.push(each);
  }
  return { records, same };
}

/** Puts the offered records into their places; undefined if the frame refers to a record of another key. */
export function madeWhole(frame: LearnFrame, offer: Offer): LearnFrame | undefined {
  if (frame.same.length === 0) return frame;
  const records: HeldRecord[] = [];
  let at = 0;
  for (const { index, key } of frame.same) {
    const sealed = offer.records[index];
    if (sealed === undefined || sealed.record.key !== key) return undefined;
    for (; at < frame.records.length; at += 1) {
      const sent = frame.records[at]!;
      if (compareUtf8(sent.sealed.record.key, key) > 0) break;
      records.push(sent);
    }
    records.push(heldAtRest(sealed));
  }
  return { ...frame, records: [...records, ...frame.records.slice(at)], same: NONE };
}
