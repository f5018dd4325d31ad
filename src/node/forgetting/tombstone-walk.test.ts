/** Which deletions the walk finds, and in which epoch: what was found in one epoch is not used in another. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import type { Deletion } from '../../core/upkeep/collection.ts';
import { COLLECTION_ENTRIES_MAX } from '../../core/limits.ts';
import type { KeyRecord } from '../../core/record.ts';
import { SlotView } from '../../core/replication/slot-view.ts';
import { changeMembers, leave } from '../../core/membership/topology-change.ts';
import { rowOfSlot } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { StorageEntry } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { SlotTombstones } from '../store/slot-tombstones.ts';
import { TombstoneWalk } from './tombstone-walk.ts';
import type { TombstoneWalkParts } from './tombstone-walk.ts';

const SLOT = 7;
const KEEP_MS = 1_000;
const NOW = 50_000;

function recordOf(key: string, tombstone: boolean, updatedAt = 1_000): KeyRecord {
  return {
    ...{ key, version: 4096 * 3 + 1, origin: 0, tombstone, value: new Uint8Array(0), createdAt: 0 },
    ...{ updatedAt, expiresAt: 0, operationId: null, contentType: null },
  };
}

/** A walk over a store with these records, all in one slot. */
function walkOver(records: readonly KeyRecord[], view: () => SlotView): TombstoneWalk {
  const sealed = new Map(records.map((record) => [recordKey(SLOT, record.key), sealRecord(record)]));
  const tombstones = new SlotTombstones();
  for (const record of records) if (record.tombstone) tombstones.add(SLOT, record.updatedAt);
  const names = [...sealed.keys()].sort();
  const scan: TombstoneWalkParts['storage']['scan'] = (from, to, countMax, _bytes, done) => {
    const keys = names.filter((key) => key >= from && key < to).slice(0, countMax);
    done(
      null,
      keys.map((key): StorageEntry => ({ key, value: sealed.get(key)!.bytes })),
    );
  };
  const parts = {
    clock: { wallNow: () => NOW },
    storage: { scan },
    shelf: {
      tombstones,
      whenStored: (done: () => void) => done(),
      load: (key: string) => sealed.get(recordKey(SLOT, key)),
    },
    isSpooled: () => false,
    isUnderWay: () => false,
    replica: () => ({ view: view(), stateOf: () => undefined }),
    mutations: {},
    keepMs: () => KEEP_MS,
  } as unknown as TombstoneWalkParts;
  return new TombstoneWalk(parts);
}

function look(walk: TombstoneWalk, view: SlotView): readonly Deletion[] | null {
  let found: readonly Deletion[] | null = null;
  return walk.look(view, (told) => (found = told)) ? found : null;
}

function firstOwnerOf(topology: Topology): number {
  return rowOfSlot(topology, SLOT).owners[0]!;
}

const many = (prefix: string, count: number): KeyRecord[] =>
  Array.from({ length: count }, (_, at) => recordOf(`${prefix}${String(at).padStart(6, '0')}`, false));

test('old deletions among values: found by the first owner, with their versions; young ones are left for later', () => {
  const topology = founded(3);
  const view = new SlotView(topology, firstOwnerOf(topology));
  const records = [recordOf('a', false), recordOf('b', true), recordOf('c', true, NOW - 1)];
  const walk = walkOver(records, () => view);
  expect(look(walk, view)).toEqual([{ slot: SLOT, key: 'b', version: records[1]!.version }]);
  expect(look(walk, view)).toBeNull();
});

test('another owner finds them, too, much later: what the first owner no longer has to find', () => {
  const topology = founded(3);
  const view = new SlotView(topology, rowOfSlot(topology, SLOT).owners[1]!);
  expect(
    look(
      walkOver([recordOf('b', true, NOW - 2 * KEEP_MS)], () => view),
      view,
    ),
  ).toBeNull();
  expect(
    look(
      walkOver([recordOf('b', true, NOW - 5 * KEEP_MS)], () => view),
      view,
    ),
  ).toHaveLength(1);
});

test('an epoch comes amid a slot, and somebody learns it from then on: nothing of it is found', () => {
  const topology = founded(3);
  const self = firstOwnerOf(topology);
  let view = new SlotView(topology, self);
  const walk = walkOver([...many('a', COLLECTION_ENTRIES_MAX + 600), recordOf('z', true)], () => view);
  expect(look(walk, view)).toEqual([]);
  const other = rowOfSlot(topology, SLOT).owners[1]!;
  const back = { id: other, incarnation: 2, intact: true };
  view = new SlotView(changeMembers(leave(topology, other, 1)!, { gone: [], entrants: [back] })!, self);
  expect(view.row(SLOT).isSteady).toBe(false);
  expect(look(walk, view) ?? []).toEqual([]);
});
