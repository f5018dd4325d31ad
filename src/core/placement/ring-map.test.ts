/** What people are shown of who holds the slots: at rest, while they move, and when members are gone. */
import { expect, test } from 'vitest';
import { founded, place } from '../../../test/support/founded.ts';
import { doChore, planHousekeeping } from '../membership/housekeeping.ts';
import { SLOT_COUNT } from '../limits.ts';
import { ringMapOf } from './ring-map.ts';
import type { RingMap } from './ring-map.ts';
import { changeMembers } from '../membership/topology-change.ts';
import type { Topology } from '../membership/topology.ts';

const statesIn = ({ rows }: RingMap): string[] => [
  ...new Set(rows.flatMap(({ holders }) => holders.map(({ state }) => state))),
];
/** The same condition as on the page. */
const isServed = (holders: RingMap['rows'][number]['holders']): boolean =>
  holders.some(({ state }) => state === 'serving' || state === 'retiring');
const slotsIn = ({ rows }: RingMap): number => rows.reduce((sum, { slotCount }) => sum + slotCount, 0);

/** Advances epochs until members learn. */
function joined(start: Topology, name: string): Topology {
  const joiner = { name, address: name, zone: '', host: name, weight: 1, incarnation: 1, replaces: '' };
  let topology = start;
  for (let steps = 0; steps < 4; steps += 1) {
    const chore = planHousekeeping(topology, {
      joiners: steps === 0 ? [joiner] : [],
      isGoneLong: () => false,
      hasRetired: () => false,
      patienceOver: false,
    });
    if (chore !== null) topology = doChore(topology, chore, place) ?? topology;
  }
  return topology;
}

test('a cluster at rest: every slot has three holders that serve it, and every slot is told', () => {
  const ring = ringMapOf(founded(4));
  expect(ring.members.map(({ name }) => name)).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  expect(slotsIn(ring)).toBe(SLOT_COUNT);
  expect(statesIn(ring)).toEqual(['serving']);
  expect(ring.rows.every(({ holders }) => holders.length === 3)).toBe(true);
  const counts = new Uint32Array(ring.rows.length);
  for (const row of ring.slotRow) counts[row]! += 1;
  expect([...counts]).toEqual(ring.rows.map(({ slotCount }) => slotCount));
});

test('a member that joins: it learns some slots and waits for others, and who gives them up still serves', () => {
  const ring = ringMapOf(joined(founded(3), 'node-4'));
  expect(statesIn(ring).sort()).toEqual(['learning', 'retiring', 'serving', 'waiting']);
  const moving = ring.rows.filter(({ holders }) => holders.length === 4);
  expect(moving.length).toBeGreaterThan(0);
  for (const { holders } of moving) {
    expect(holders.filter(({ state }) => state === 'retiring')).toHaveLength(1);
    expect(ring.members[holders.at(-1)!.member]!.name).toBe('node-4');
    expect(isServed(holders)).toBe(true);
  }
});

test('members that are gone: told as down, and slots that only they held are served by nobody', () => {
  const topology = founded(3);
  const gone = changeMembers(topology, { gone: [topology.members[0]!.id], entrants: [] })!;
  const ring = ringMapOf(gone);
  expect(statesIn(ring).sort()).toEqual(['down', 'serving']);
  expect(ring.rows.every(({ holders }) => isServed(holders))).toBe(true);
  const all = { ...topology, members: topology.members.map((member) => ({ ...member, alive: false })) };
  const lost = ringMapOf(all);
  expect(statesIn(lost)).toEqual(['down']);
  expect(lost.rows.some(({ holders }) => isServed(holders))).toBe(false);
});

test('asked for again: the same object', () => {
  const topology = founded(3);
  expect(ringMapOf(topology)).toBe(ringMapOf(topology));
});
