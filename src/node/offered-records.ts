/**
 * A learner that has most of a slot already tells its source what it holds, and is sent the rest: after a short absence that
 * is one record in a hundred. The source's answer is made whole here from what was offered; everything after that is as
 * if all had been sent. (PROTOCOL R19)
 */
import { NONE } from '../base/short-list.ts';
import { compareUtf8 } from '../base/utf8-order.ts';
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../core/limits.ts';
import type { HeldRecord, LearnFrame, RecordMark, SameRecord } from '../core/message.ts';
import type { SealedRecord } from '../core/record.ts';
import { heldAtRest } from '../core/replication/follow.ts';
import type { Storage } from '../ports/storage.ts';
import { openRecord } from '../wire/record-codec.ts';
import { slotRangeAfter } from '../wire/store-codec.ts';
import type { RecordShelf } from './record-shelf.ts';

/** In key order. */
export type Offer = readonly SealedRecord[];

/** The first page of what this disk holds of the slot after that key. What is damaged is not offered. */
export function readOffer(
  slot: number,
  afterKey: string,
  shelf: RecordShelf,
  storage: Storage,
  done: (offer: Offer) => void,
): void {
  if (shelf.digests.holdsNothing(slot)) return done(NONE);
  const { from, to } = slotRangeAfter(slot, afterKey);
  storage.scan(from, to, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX, (error, entries) => {
    const offer: SealedRecord[] = [];
    // A disk that cannot be read offers nothing; that it cannot shows where it is to be written.
    if (error === null)
      for (const { value } of entries) {
        const sealed = openRecord(value);
        if (sealed !== undefined) offer.push(sealed);
      }
    done(offer);
  });
}

export function marksOf(offer: Offer): RecordMark[] {
  return offer.map(({ record, checksum }) => ({ version: record.version, checksum }));
}

/** What the asker has is named, not sent; what is in flight is always sent, with its mark. */
export function withoutOffered(
  held: readonly HeldRecord[],
  offered: readonly RecordMark[],
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
    const sealed = offer[index];
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
