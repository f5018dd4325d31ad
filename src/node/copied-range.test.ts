/** What a learner reads of its own disk before a copied range takes its place: as little as there can be. */
import { expect, test } from 'vitest';
import type { LearnFrame } from '../core/message.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';
import { recordKey } from '../wire/store-codec.ts';
import { keysInRangeOf } from './copied-range.ts';
import type { RecordShelf } from './record-shelf.ts';
import { SlotDigests } from './slot-digests.ts';

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
  keys: readonly string[],
  digests: SlotDigests,
): { keys: readonly string[] | null; scans: number } {
  const entries: StorageEntry[] = keys.map((key) => ({
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
  keysInRangeOf(FRAME, { digests } as RecordShelf, storage, (told) => (found.keys = told));
  return found;
}

test('nothing is held of the slot: the disk is not asked', () => {
  expect(keysFound([], new SlotDigests())).toEqual({ keys: [], scans: 0 });
});

test('nothing that can be read is held, and something that cannot may be: its key is found', () => {
  const digests = new SlotDigests();
  digests.isPartial = true;
  expect(keysFound(['damaged'], digests)).toEqual({ keys: ['damaged'], scans: 1 });
});

test('a page that is not full is the last; full ones are followed by others', () => {
  const digests = new SlotDigests();
  digests.add(SLOT, 1, 1);
  expect(keysFound(['a', 'b'], digests)).toEqual({ keys: ['a', 'b'], scans: 1 });
  const many = Array.from({ length: 1_000 }, (_, at) => `key-${String(at).padStart(4, '0')}`);
  expect(keysFound([...many, 'key-x'], digests)).toEqual({ keys: [...many, 'key-x'], scans: 2 });
});
