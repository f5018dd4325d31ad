/** What is lost, what giving it up does, and how it becomes whole again, epoch by epoch. */
import { describe, expect, it } from 'vitest';
import { founded, place } from '../../../test/support/founded.ts';
import { doChore, planHousekeeping, rebalance } from '../membership/housekeeping.ts';
import { giveUp, lossOf } from './recovery.ts';
import { headFor } from '../placement/slot-moves.ts';
import { changeMembers, promote } from '../membership/topology-change.ts';
import { isForsaken, liveOwners, recovererOf } from '../membership/topology.ts';
import type { SlotRow, Topology } from '../membership/topology.ts';

const gone = (topology: Topology, ...ids: number[]): Topology =>
  changeMembers(topology, { gone: ids, entrants: [] })!;
const back = (topology: Topology, id: number, intact: boolean): Topology =>
  changeMembers(topology, { gone: [], entrants: [{ id, incarnation: 9, intact }] })!;

/** Two members have restarted and learn from the third, which is then lost. */
function lastOwnerLost(): Topology {
  const learning = back(back(gone(founded(3), 2, 3), 2, true), 3, true);
  return gone(learning, 1);
}

/** Promotes every learner as soon as that is possible, and does all chores. */
function settled(start: Topology): Topology {
  let topology = start;
  for (let steps = 0; steps < 200; steps += 1) {
    const promoted = topology.members.map(({ id, incarnation }) => promote(topology, id, incarnation));
    const chore = planHousekeeping(topology, {
      ...{ joiners: [], isGoneLong: () => false, hasRetired: () => true, patienceOver: false },
    });
    const next = promoted.find((each) => each !== null) ?? (chore && doChore(topology, chore, place));
    if (next === null) return topology;
    topology = next;
  }
  throw new Error('it does not come to an end');
}

describe('what is lost', () => {
  it('a complete owner of each slot lives, or is merely learning: nothing, and nothing can be given up', () => {
    expect(lossOf(gone(founded(5), 2, 4))).toEqual({ slots: [], holders: [], recovering: 0 });
    expect(giveUp(founded(3), 0, place)).toBeNull();
    expect(giveUp(founded(3), 16_384, place)).toBeNull();
  });

  it('the last complete owner is gone: its slots, and who it was', () => {
    const { slots, holders } = lossOf(lastOwnerLost());
    expect(slots).toHaveLength(16_384);
    expect(holders).toEqual([{ id: 1, name: 'node-1', slots: 16_384 }]);
  });

  it('it comes back with its disk: nothing is lost; with an empty one it is a stranger, and all stays lost', () => {
    expect(lossOf(back(lastOwnerLost(), 1, true)).slots).toEqual([]);
    const { slots, holders } = lossOf(back(lastOwnerLost(), 1, false));
    expect(slots).toHaveLength(16_384);
    expect(holders).toEqual([{ id: 1, name: '', slots: 16_384 }]);
  });

  it('three of seven are gone: only the slots that they all shared', () => {
    const topology = gone(founded(7), 1, 2, 3);
    const { slots } = lossOf(topology);
    expect(slots.length).toBeGreaterThan(0);
    for (const slot of slots) {
      const { owners } = topology.rows[topology.slotRow[slot]!]!;
      expect([...owners].sort()).toEqual([1, 2, 3]);
    }
  });
});

describe('giving up', () => {
  it('fewer or more slots than the operator was shown: nothing changes', () => {
    expect(giveUp(lastOwnerLost(), 16_383, place)).toBeNull();
    expect(giveUp(lastOwnerLost(), 16_384, place)).not.toBeNull();
  });

  it('owners live that were learning: the first of them alone may become complete, then the others', () => {
    const topology = giveUp(lastOwnerLost(), 16_384, place)!;
    expect(topology.epoch).toBe(lastOwnerLost().epoch + 1);
    for (const row of topology.rows) {
      expect(isForsaken(row)).toBe(true);
      const first = recovererOf(topology, row);
      expect(first).toBe(row.owners.find((id) => id !== 1));
      const other = [2, 3].find((id) => id !== first)!;
      const early = promote(topology, other, 9);
      const at = topology.rows.indexOf(row);
      if (early !== null) expect(early.rows[at]!.complete).toEqual([]);
      expect(promote(topology, first, 9)!.rows[at]!.complete).toEqual([first]);
    }
    const end = settled(topology);
    for (const row of end.rows) expect([...row.complete].sort()).toEqual([2, 3]);
    expect(lossOf(end)).toEqual({ slots: [], holders: [], recovering: 0 });
  });

  it('no owner lives: three living members hold each slot in the end; shared out anew, all who came back have theirs', () => {
    const lost = gone(founded(7), 1, 2, 3);
    const { slots } = lossOf(lost);
    const topology = giveUp(lost, slots.length, place)!;
    expect(lossOf(topology)).toEqual({ slots: [], holders: [], recovering: slots.length });
    const end = settled(topology);
    for (const slot of slots) {
      const row = end.rows[end.slotRow[slot]!]!;
      expect(liveOwners(end, row)).toHaveLength(3);
    }
    const returned = settled([1, 2, 3].reduce((topology, id) => back(topology, id, false), end));
    const whole = settled(rebalance(returned, place) ?? returned);
    for (const each of [returned, whole])
      expect(each.rows.every(({ owners, complete }) => owners.length === 3 && complete.length === 3)).toBe(
        true,
      );
    const shares = new Map<number, number>();
    for (const row of whole.slotRow)
      for (const id of whole.rows[row]!.owners) shares.set(id, (shares.get(id) ?? 0) + 1);
    expect(shares.size).toBe(7);
    expect(Math.max(...shares.values())).toBeLessThanOrEqual(1.05 * ((3 * 16_384) / 7));
  });

  it('other slots keep their owners, complete ones and learners', () => {
    const lost = gone(founded(7), 1, 2, 3);
    const { slots } = lossOf(lost);
    const topology = giveUp(lost, slots.length, place)!;
    for (let slot = 0; slot < 16_384; slot += 1) {
      if (slots.includes(slot)) continue;
      expect(topology.rows[topology.slotRow[slot]!]).toEqual(lost.rows[lost.slotRow[slot]!]);
    }
  });

  it('whoever makes it whole dies: the next living owner takes over', () => {
    const topology = giveUp(lastOwnerLost(), 16_384, place)!;
    const after = gone(topology, 2);
    for (const row of after.rows) expect(recovererOf(after, row)).toBe(3);
    const none = gone(after, 3);
    expect(lossOf(none).slots).toHaveLength(16_384);
    expect(giveUp(none, 16_384, place)).toBeNull();
    const heir = {
      name: 'node-9',
      address: '',
      zone: '',
      host: 'x',
      weight: 1,
      incarnation: 1,
      replaces: '',
    };
    const joined = doChore(none, { kind: 'join', joiners: [heir] }, place)!;
    const again = giveUp(joined, 16_384, place)!;
    for (const row of again.rows) expect(recovererOf(again, row)).toBe(4);
  });

  it('a given-up owner comes back with its disk: it is a learner like any other', () => {
    const end = settled(giveUp(lastOwnerLost(), 16_384, place)!);
    const returned = back(end, 1, true);
    for (const row of returned.rows) expect(row.complete).not.toContain(1);
    for (const row of settled(returned).rows) expect(row.complete).toHaveLength(3);
  });

  it('somebody joins before it is whole: nobody who may have something left of it goes', () => {
    const topology = giveUp(lastOwnerLost(), 16_384, place)!;
    const joiner = {
      name: 'node-9',
      address: '',
      zone: '',
      host: 'x',
      weight: 1,
      incarnation: 1,
      replaces: '',
    };
    const joined = doChore(topology, { kind: 'join', joiners: [joiner] }, place)!;
    const shared = doChore(joined, { kind: 'share' }, place)!;
    for (const row of shared.rows) expect([...row.owners].sort()).toEqual([1, 2, 3]);
    const end = settled(shared);
    expect(lossOf(end)).toEqual({ slots: [], holders: [], recovering: 0 });
  });

  it('the order of its owners is to be another: who makes it whole goes on, and the order comes when it has', () => {
    const topology = giveUp(lastOwnerLost(), 16_384, place)!;
    const rowAt = ({ rows, slotRow }: Topology, slot: number): SlotRow => rows[slotRow[slot]!]!;
    const to = (slot: number): number[] => [...rowAt(topology, slot).owners].reverse();
    const headed = { ...topology, ...headFor(topology, to) };
    const end = settled(headed);
    for (let slot = 0; slot < 16_384; slot += 100) {
      const first = recovererOf(topology, rowAt(topology, slot));
      expect(recovererOf(headed, rowAt(headed, slot))).toBe(first);
      expect(rowAt(end, slot).owners).toEqual(to(slot));
      expect(rowAt(end, slot).coming).toBeUndefined();
    }
  });

  it('a given-up owner comes back before it is whole: who is making it whole goes on, whatever disk the other has', () => {
    const topology = giveUp(lastOwnerLost(), 16_384, place)!;
    for (const intact of [true, false]) {
      const returned = back(topology, 1, intact);
      for (const row of returned.rows) expect([2, 3]).toContain(recovererOf(returned, row));
      for (const row of settled(returned).rows) expect(row.complete).toHaveLength(3);
    }
  });

  it('one with an empty disk comes back, and who was making it whole dies: it is lost again, and nobody goes on with the empty one', () => {
    const topology = gone(giveUp(lastOwnerLost(), 16_384, place)!, 3);
    const returned = back(topology, 1, false);
    for (const row of returned.rows) expect(recovererOf(returned, row)).toBe(2);
    const dead = gone(returned, 2);
    for (const row of dead.rows) expect(recovererOf(dead, row)).toBe(0);
    expect(lossOf(dead).slots).toHaveLength(16_384);
    const alive = changeMembers(dead, { gone: [], entrants: [{ id: 2, incarnation: 10, intact: true }] })!;
    for (const row of alive.rows) expect(recovererOf(alive, row)).toBe(2);
    expect(lossOf(alive).slots).toEqual([]);
  });
});
