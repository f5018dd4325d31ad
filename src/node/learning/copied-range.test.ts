/** What a learner reads from its own disk when a copied range replaces its content: as little as possible. */
import { expect, test } from 'vitest';
import type { HeldRecord, LearnFrame } from '../../core/message.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT } from '../../core/record.ts';
import { heldAtRest } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { CopyAtRest } from '../../core/upkeep/scrub.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { applyRange, keysInRangeOf } from './copied-range.ts';
import { NO_OFFER } from './offered-records.ts';
import type { Offer } from './offered-records.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

const SLOT = 7;
const FRAME: LearnFrame = {
  kind: 'learnFrame',
  session: 1,
  slot: SLOT,
  afterKey: '',
  records: [],
  same: [],
  last: true,
};

function keysFound(
  held: readonly string[],
  offer: Offer,
  frame = FRAME,
): { keys: readonly string[] | null; scans: number } {
  const entries: StorageEntry[] = held.map((key) => ({
    key: recordKey(SLOT, key),
    value: new Uint8Array(1),
  }));
  const found = { keys: null as readonly string[] | null, scans: 0 };
  const storage = {
    scan: (from, to, countMax, _bytesMax, done) => {
      found.scans += 1;
      done(null, entries.filter(({ key }) => key >= from && key < to).slice(0, countMax));
    },
  } as Pick<Storage, 'scan'> as Storage;
  keysInRangeOf(frame, offer, storage, (told) => (found.keys = told));
  return found;
}

test('the whole range was read for the offer: the disk is not read again, and records after the frame are left alone', () => {
  const offer = { ...NO_OFFER, keys: ['a', 'b', 'c'], isWhole: true };
  expect(keysFound([], offer)).toEqual({ keys: ['a', 'b', 'c'], scans: 0 });
  const upToB = { ...FRAME, last: false, records: [{ sealed: { record: { key: 'b' } } } as HeldRecord] };
  expect(keysFound([], offer, upToB)).toEqual({ keys: ['a', 'b'], scans: 0 });
});

test('only a part was offered: a page that is not full is the last; full ones are followed by others', () => {
  expect(keysFound(['a', 'b'], NO_OFFER)).toEqual({ keys: ['a', 'b'], scans: 1 });
  const many = Array.from({ length: 1_000 }, (_, at) => `key-${String(at).padStart(4, '0')}`);
  expect(keysFound([...many, 'key-x'], NO_OFFER)).toEqual({ keys: [...many, 'key-x'], scans: 2 });
});

const held = (key: string, counter: number): HeldRecord =>
  heldAtRest(
    sealRecord({
      ...{ key, version: counter * 4096 + 1, origin: ORIGIN_CLIENT, tombstone: false, value: EMPTY_VALUE },
      ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
    }),
  );

/** Returns what is written to disk; with `isBlank` the disk must not be read. */
function applied(isBlank: boolean, written: readonly HeldRecord[], sent: readonly HeldRecord[]): string[] {
  const told: string[] = [];
  const shelf = {
    load: (key: string) => written.find(({ sealed }) => sealed.record.key === key)?.sealed,
    read: () => void told.push('looked'),
    isConfirmed: () => false,
    addAtRest: (_slot: number, key: string) => told.push(`added ${key}`),
    replaceAtRest: (_slot: number, key: string) => told.push(`replaced ${key}`),
  } as unknown as RecordShelf;
  const replica = { copy: () => false } as unknown as Replica;
  const local = { keys: [], same: new Set<string>(), isBlank };
  applyRange({ ...FRAME, records: sent }, local, { replica, shelf, mutations: {} });
  return told;
}

test('nothing of the range was on this disk: what comes is added without a look at it', () => {
  expect(applied(true, [], [held('a', 1), held('b', 2)])).toEqual(['added a', 'added b']);
  expect(applied(false, [], [held('a', 1)])).toEqual(['looked', 'replaced a']);
});

test('a key was written since it was requested: an older copy does not replace it, a later one does', () => {
  expect(applied(true, [held('a', 3)], [held('a', 2), held('b', 2)])).toEqual(['added b']);
  expect(applied(true, [held('a', 3)], [held('a', 4)])).toEqual(['looked', 'replaced a']);
});

/** The result of a copy when the record written in this session is damaged and states this version. */
function standingIn(claimed: CopyAtRest, sent: HeldRecord): boolean {
  let isReplaced = false;
  const shelf = {
    load: () => 'damaged',
    read: () => 'damaged',
    claimed: () => claimed,
    isConfirmed: () => true,
    replaceAtRest: () => (isReplaced = true),
  } as unknown as RecordShelf;
  const replica = { copy: () => false } as unknown as Replica;
  const local = { keys: [], same: new Set<string>(), isBlank: false };
  applyRange({ ...FRAME, records: [sent] }, local, { replica, shelf, mutations: {} });
  return isReplaced;
}

test('the record written since the request is damaged: an older copy does not replace it, the same or a later one does', () => {
  const [before, same, later] = [held('a', 2), held('a', 3), held('a', 4)];
  const claimed = { version: same.sealed.record.version, checksum: same.sealed.checksum };
  expect(standingIn(claimed, before)).toBe(false);
  expect(standingIn(claimed, same)).toBe(true);
  expect(standingIn(claimed, later)).toBe(true);
  expect(standingIn({ version: Infinity, checksum: -1 }, later)).toBe(false);
});
