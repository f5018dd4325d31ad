/**
 * Replaces what this disk holds in a range of keys by what an owner has there: differing records are replaced, and
 * records that the owner lacks are removed. Records written through Invalidate in this learning session take precedence
 * over both. (PROTOCOL R19)
 */
import { compareUtf8 } from '../../base/utf8-order.ts';
import type { HeldRecord, LearnFrame } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { SealedRecord } from '../../core/record.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { mayStandIn } from '../../core/upkeep/scrub.ts';
import type { CopyAtRest } from '../../core/upkeep/scrub.ts';
import type { Storage } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { slotRangeAfter, splitRecordKey } from '../../wire/store-codec.ts';
import { isLastPage } from './offered-records.ts';
import type { Offer } from './offered-records.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Entries per page of this disk's content: a leftover may be far larger than what may be in memory. */
const SCAN_ENTRIES_MAX = 1_000;
const SCAN_BYTES_MAX = 1024 * 1024;

/**
 * The keys that this disk holds in the frame's range, from what was offered or read page by page; null if the disk
 * cannot be read.
 */
export function keysInRangeOf(
  frame: LearnFrame,
  offer: Offer,
  storage: Storage,
  done: (keys: readonly string[] | null) => void,
): void {
  const { slot, afterKey } = frame;
  const lastKey = frame.last ? undefined : frame.records.at(-1)?.sealed.record.key;
  if (offer.isWhole) {
    const { keys } = offer;
    return done(lastKey === undefined ? keys : keys.filter((key) => compareUtf8(key, lastKey) <= 0));
  }
  const { from, to } = slotRangeAfter(slot, afterKey);
  collectKeys(storage, from, lastKey === undefined ? to : slotRangeAfter(slot, lastKey).from, [], done);
}

function collectKeys(
  storage: Storage,
  from: string,
  to: string,
  keys: string[],
  done: (keys: readonly string[] | null) => void,
): void {
  storage.scan(from, to, SCAN_ENTRIES_MAX, SCAN_BYTES_MAX, (error, entries) => {
    if (error !== null) return done(null);
    for (const entry of entries) keys.push(splitRecordKey(entry.key).key);
    const last = entries.at(-1);
    if (last === undefined || isLastPage(entries, SCAN_ENTRIES_MAX, SCAN_BYTES_MAX)) done(keys);
    else collectKeys(storage, `${last.key}\u0000`, to, keys, done);
  });
}

function withoutType(held: HeldRecord): HeldRecord {
  return { ...held, sealed: sealRecord({ ...held.sealed.record, contentType: null }) };
}

/**
 * True if what was written here in this session takes precedence over the copy. A damaged record counts as the version
 * it states: the copy may be older than that, and the record is repaired from an owner that has it. (R10)
 */
function isAtLeast(
  confirmed: SealedRecord | 'damaged',
  { sealed }: HeldRecord,
  claimed: () => CopyAtRest | null,
): boolean {
  if (confirmed !== 'damaged') return confirmed.record.version >= sealed.record.version;
  const claim = claimed();
  const copy = { version: sealed.record.version, checksum: sealed.checksum };
  return claim !== null && !mayStandIn(copy, claim);
}

/** What this disk holds of a range. */
interface LocalRange {
  /** All keys that it holds there. */
  readonly keys: readonly string[];
  /** Those for which both sides are known to hold the same record at rest. */
  readonly same: ReadonlySet<string>;
  /**
   * It held nothing of the range when that was requested, so nothing needs to be looked up; otherwise a newcomer would
   * do that for every record it copies.
   */
  readonly isBlank: boolean;
}

interface Around {
  readonly replica: Replica;
  readonly shelf: RecordShelf;
  readonly mutations: Mutations;
}

/** Makes the frame's range equal to the source's. */
export function applyRange(
  frame: LearnFrame,
  { keys, same, isBlank }: LocalRange,
  { replica, shelf, mutations }: Around,
): void {
  const { slot } = frame;
  const told = new Set<string>();
  for (const sent of frame.records) {
    const { key, tombstone } = sent.sealed.record;
    if (tombstone && mutations.learnNoTombstones === true) continue;
    const copied = mutations.learnUntyped === true ? withoutType(sent) : sent;
    const held = mutations.learnPendingAsValid === true ? { ...copied, valid: true } : copied;
    told.add(key);
    if (replica.copy(slot, held)) continue;
    const confirmed = shelf.load(key, slot);
    if (confirmed === undefined && same.has(key)) continue;
    if (confirmed !== undefined && isAtLeast(confirmed, held, () => shelf.claimed(key, slot))) continue;
    if (isBlank && confirmed === undefined) {
      shelf.addAtRest(slot, key, held.sealed);
      continue;
    }
    const present = shelf.read(key, slot);
    const isSame =
      present !== undefined &&
      present !== 'damaged' &&
      present.record.version === held.sealed.record.version &&
      present.checksum === held.sealed.checksum;
    const isKept =
      mutations.keepHigherLeftovers === true &&
      present !== undefined &&
      present !== 'damaged' &&
      present.record.version > held.sealed.record.version;
    if (!isSame && !isKept) shelf.replaceAtRest(slot, key, held.sealed);
  }
  if (mutations.keepUnknownLeftovers === true) return;
  for (const key of keys) {
    if (!told.has(key) && !shelf.isConfirmed(slot, key)) shelf.replaceAtRest(slot, key, null);
  }
}
