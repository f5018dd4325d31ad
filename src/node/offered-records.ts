/**
 * A learner that has most of a slot already tells its source what it holds, and is sent the rest: after a short absence that
 * is one record in a hundred. The source's answer is made whole here from what was offered; everything after that is as
 * if all had been sent. (PROTOCOL R19)
 */
import { NONE } from '../base/short-list.ts';
import { compareUtf8 } from '../base/utf8-order.ts';
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../core/limits.ts';
import type { HeldRecord, LearnFrame, RecordSummary, SameRecord } from '../core/message.ts';
import type { SealedRecord } from '../core/record.ts';
import { heldAtRest } from '../core/replication/follow.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';
import { openRecord } from '../wire/record-codec.ts';
import { slotRangeAfter, splitRecordKey } from '../wire/store-codec.ts';
import type { RecordShelf } from './record-shelf.ts';

/** A page of what this disk holds of a slot, in key order. */
export interface Offer {
  readonly records: readonly SealedRecord[];
  /** Of these and of what is damaged, which is not offered. */
  readonly keys: readonly string[];
  /** Nothing follows on this disk. */
  readonly isWhole: boolean;
}

/** Says nothing of what this disk holds. */
export const NO_OFFER: Offer = { records: NONE, keys: NONE, isWhole: false };
const NOTHING_HELD: Offer = { ...NO_OFFER, isWhole: true };

/** What follows that key. All that was handed to the store before the learning session began must be on disk. */
export function readOffer(
  slot: number,
  afterKey: string,
  shelf: RecordShelf,
  storage: Storage,
  done: (offer: Offer) => void,
): void {
  // A newcomer has nothing: a scan for each slot would be a third of its work.
  if (shelf.digests.holdsNothing(slot)) return done(NOTHING_HELD);
  const { from, to } = slotRangeAfter(slot, afterKey);
  storage.scan(from, to, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX, (error, entries) => {
    // A disk that cannot be read shows that again where the answer is to take its place.
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

/** A page of a scan that nothing follows. */
export function isLastPage(entries: readonly StorageEntry[], countMax: number, bytesMax: number): boolean {
  if (entries.length >= countMax) return false;
  return entries.reduce((sum, entry) => sum + entry.value.length, 0) < bytesMax / 2;
}

export function summariesOf({ records }: Offer): RecordSummary[] {
  return records.map(({ record, checksum }) => ({ version: record.version, checksum }));
}

/** What the asker has is named, not sent; what is in flight is always sent, and said to be. */
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

/** With the records that were offered in their places; undefined where one is named that is of another key. */
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
