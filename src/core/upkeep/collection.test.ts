/** When deletions may be forgotten, and in which order: not before every owner has passed the floor of their slot. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { Collection, isOldDeletion, mayForget } from './collection.ts';
import type { KeyRecord } from '../record.ts';
import { SlotView } from '../replication/slot-view.ts';
import { changeMembers, leave } from '../membership/topology-change.ts';
import { rowOfSlot } from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';
import { makeVersion } from '../version.ts';

const SLOT = 7;

function ownerOf(topology: Topology): number {
  return rowOfSlot(topology, SLOT).owners[0]!;
}

function mayForgetAt(topology: Topology, selfId = ownerOf(topology)): boolean {
  return mayForget(new SlotView(topology, selfId), SLOT, {});
}

test('every complete owner lives, nobody copies, all rows are loaded: deletions may be forgotten, by an owner', () => {
  const topology = founded(4);
  const stranger = [1, 2, 3, 4].find((id) => !rowOfSlot(topology, SLOT).owners.includes(id))!;
  expect([mayForgetAt(topology), mayForgetAt(topology, stranger)]).toEqual([true, false]);
});

test('rows of PostgreSQL are not all held yet: none may be forgotten', () => {
  expect(mayForgetAt({ ...founded(3), loaded: false })).toBe(false);
});

test('PostgreSQL may lack what the owners hold: none may be forgotten until all of it was compared', () => {
  const record = { system: 'a', timeline: 2, drive: 1, driven: false };
  expect(mayForgetAt({ ...founded(3), record })).toBe(false);
  expect(mayForgetAt({ ...founded(3), record: { ...record, driven: true } })).toBe(true);
});

test('an owner is gone: the others forget meanwhile, and it must learn the slot afterwards; while it learns they do not', () => {
  const topology = founded(3);
  const gone = rowOfSlot(topology, SLOT).owners[1]!;
  const without = leave(topology, gone, 1)!;
  expect(mayForgetAt(without)).toBe(true);
  const back = changeMembers(without, {
    gone: [],
    entrants: [{ id: gone, incarnation: 2, intact: true }],
  })!;
  expect(mayForgetAt(back)).toBe(false);
});

test('the slot changes hands: none may be forgotten', () => {
  const topology = founded(4);
  const rows = topology.rows.map((row) => ({ ...row, coming: [...row.owners].reverse() }));
  expect(mayForgetAt({ ...topology, rows })).toBe(false);
});

test('a complete owner that the row still names is dead: none may be forgotten', () => {
  const topology = founded(3);
  const { owners } = rowOfSlot(topology, SLOT);
  const dead = topology.members.map((member) => ({ ...member, alive: member.id === owners[0] }));
  expect(mayForgetAt({ ...topology, members: dead })).toBe(false);
});

const deletion = (slot: number, counter: number, key = `${slot}/${counter}`) => ({
  slot,
  key,
  version: makeVersion(counter, 1),
});

test('deletions of one slot: the floor goes above the highest, and nothing is ready before every owner has said so', () => {
  const topology = founded(3);
  const view = new SlotView(topology, 1);
  const collection = new Collection(1, view, [deletion(SLOT, 4), deletion(SLOT, 9), deletion(8, 2)]);
  expect([...collection.questions().keys()].sort()).toEqual([1, 2, 3]);
  expect(collection.questions().get(2)).toEqual([
    { slot: SLOT, counter: 9 },
    { slot: 8, counter: 2 },
  ]);
  collection.raised(1, [SLOT, 8]);
  collection.raised(2, [SLOT]);
  collection.raised(2, [SLOT]);
  expect(collection.takeReady().floors).toEqual([]);
  collection.raised(3, [SLOT, 8]);
  expect(collection.takeReady()).toEqual({
    floors: [{ slot: SLOT, counter: 9 }],
    deletions: [deletion(SLOT, 4), deletion(SLOT, 9)],
  });
  expect([collection.isOver, collection.slots]).toEqual([false, [8]]);
  expect([...collection.questions()]).toEqual([[2, [{ slot: 8, counter: 2 }]]]);
  collection.raised(2, [8]);
  expect(collection.takeReady().deletions).toEqual([deletion(8, 2)]);
  expect([collection.isOver, collection.takeReady().floors]).toEqual([true, []]);
});

test('a deletion is old when its time has passed; a value never is', () => {
  const record = { tombstone: true, updatedAt: 1_000 } as KeyRecord;
  expect([1_999, 2_000].map((now) => isOldDeletion(record, now, 1_000))).toEqual([false, true]);
  expect(isOldDeletion({ ...record, tombstone: false }, 9_000, 1_000)).toBe(false);
});

test('nothing is to be forgotten, but all owners must pass a floor: ready when all have confirmed', () => {
  const topology = founded(3);
  const collection = new Collection(
    1,
    new SlotView(topology, ownerOf(topology)),
    [],
    [{ slot: SLOT, counter: 9 }],
  );
  const { owners } = rowOfSlot(topology, SLOT);
  expect([...collection.questions().keys()].sort()).toEqual([...owners].sort());
  for (const id of owners.slice(1)) collection.raised(id, [SLOT]);
  expect(collection.takeReady().floors).toEqual([]);
  collection.raised(owners[0]!, [SLOT]);
  expect(collection.takeReady()).toEqual({ floors: [{ slot: SLOT, counter: 9 }], deletions: [] });
  expect(collection.isOver).toBe(true);
});
