/** How slots change hands, step by step; then random sequences of steps, checked for what must never be lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { founded as foundedWith, place } from '../../../test/support/founded.ts';
import { MOVE_SLOTS_EACH_MIN, MOVE_SLOTS_MAX } from '../copying/copy-limits.ts';
import {
  doChore,
  idleMembers,
  markLeaving,
  planHousekeeping,
  rebalance,
  whyNotLeave,
} from '../membership/housekeeping.ts';
import type { HousekeepingFacts, Joiner } from '../membership/housekeeping.ts';
import { SLOT_COUNT } from '../limits.ts';
import { rowPairs, rowsInOrder } from './slot-index.ts';
import { beginMoves, dropRetired, headFor, movesOf } from './slot-moves.ts';
import { giveUp, lossOf } from '../lives/recovery.ts';
import { changeMembers, promote } from '../membership/topology-change.ts';
import { isAlive, liveOwners, memberByName, placeable, recovererOf } from '../membership/topology.ts';
import type { SlotRow, Topology } from '../membership/topology.ts';

const founded = (count: number): Topology => foundedWith(count, 1_000);

const joiner = (name: string, replaces = ''): Joiner => ({
  ...{ name, address: name, zone: '', host: name, weight: 1, incarnation: 1, replaces },
});
const QUIET: HousekeepingFacts = {
  joiners: [],
  isGoneLong: () => false,
  hasRetired: () => true,
  patienceOver: false,
};

/** Does chores until none is left, promoting every learner as soon as possible; each epoch is checked. */
function settle(
  start: Topology,
  facts: Partial<HousekeepingFacts> = {},
  look = (_: Topology): void => {},
): Topology {
  let topology = start;
  for (let steps = 0; steps < 500; steps += 1) {
    const learner = topology.members.find(
      ({ id, incarnation }) => promote(topology, id, incarnation) !== null,
    );
    const chore = planHousekeeping(topology, { ...QUIET, ...facts });
    const next =
      learner === undefined
        ? chore && doChore(topology, chore, place)
        : promote(topology, learner.id, learner.incarnation);
    if (next === null) return topology;
    expect(next.epoch).toBe(topology.epoch + 1);
    look(next);
    topology = next;
  }
  throw new Error('the chores do not come to an end');
}

const shareOf = (topology: Topology, name: string): number => {
  const { id } = memberByName(topology, name)!;
  return topology.slotRow.filter((row) => topology.rows[row]!.complete.includes(id)).length;
};

/** The numbers of complete owners that occur, each once. */
const completeCounts = (topology: Topology): number[] => {
  const rows = rowsInOrder(topology).map((number) => topology.rows[number]!);
  return [...new Set(rows.map(({ complete }) => complete.length))];
};

describe('steps', () => {
  test('a member is to come: it learns a bounded number of slots, while the owners stay complete', () => {
    const topology = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    expect(movesOf(topology).slotCount).toBe(0);
    const shared = doChore(topology, { kind: 'share' }, place)!;
    expect(movesOf(shared).learning).toEqual(new Map([[4, MOVE_SLOTS_MAX]]));
    expect(movesOf(shared).waiting.get(4)).toBe(12_288 - MOVE_SLOTS_MAX);
    expect(completeCounts(shared)).toEqual([3]);
  });

  test('the owner to come is complete: the next slots begin in the same epoch, and the former owners retire', () => {
    const joined = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    const promoted = promote(doChore(joined, { kind: 'share' }, place)!, 4, 1)!;
    const moves = movesOf(promoted);
    expect(moves.learning.get(4)).toBe(MOVE_SLOTS_MAX);
    expect([...moves.retiring.values()].reduce((sum, count) => sum + count, 0)).toBe(MOVE_SLOTS_MAX);
    expect(dropRetired(promoted, () => false)).toBeNull();
    const [first] = moves.retiring.keys();
    const dropped = { ...promoted, ...dropRetired(promoted, (id) => id === first) };
    expect(movesOf(dropped).retiring.has(first!)).toBe(false);
  });

  /** For each learning member, the number of slots it learns. */
  const learning = (topology: Topology): number[] => [...movesOf(topology).learning.values()];
  const leaving = (topology: Topology, name: string): Topology =>
    doChore(markLeaving(topology, name)!, { kind: 'share' }, place)!;

  test('several members learn at once: together no more slots than one would, because each write there goes to one more member', () => {
    const shared = leaving(founded(5), 'node-2');
    const each = Math.floor(MOVE_SLOTS_MAX / 4);
    expect(learning(shared)).toEqual([each, each, each, each]);
    const id = [...movesOf(shared).learning.keys()][0]!;
    const promoted = promote(shared, id, 1)!;
    expect(learning(promoted)).toEqual([each, each, each, each]);
    expect(movesOf(settle(shared))).toMatchObject({ slotCount: 0, learning: new Map() });
  });

  test('another member joins while one learns as many slots as allowed: it starts its share, and the first goes on', () => {
    const joined = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    const second = doChore(
      doChore(joined, { kind: 'share' }, place)!,
      { kind: 'join', joiners: [joiner('node-5')] },
      place,
    )!;
    const shared = doChore(second, { kind: 'share' }, place)!;
    expect(movesOf(shared).learning.get(5)).toBe(MOVE_SLOTS_MAX / 2);
    expect(movesOf(promote(shared, 4, 1)!).learning.get(4)).toBe(MOVE_SLOTS_MAX / 2);
  });

  test('very many learn: each gets a few slots all the same', () => {
    const joiners = Array.from({ length: 30 }, (_, index) => joiner(`node-${index + 4}`));
    const joined = doChore(founded(3), { kind: 'join', joiners }, place)!;
    const shared = doChore(joined, { kind: 'share' }, place)!;
    expect(learning(shared)).toEqual(joiners.map(() => MOVE_SLOTS_EACH_MIN));
  });

  test('copies are missing: each member learns as many slots as one may, because writes go to no more members than they need', () => {
    const gone = changeMembers(founded(5), { gone: [5], entrants: [] })!;
    const chore = planHousekeeping(gone, { ...QUIET, isGoneLong: () => true })!;
    let topology = doChore(gone, chore, place)!;
    if (learning(topology).length === 0) topology = doChore(topology, { kind: 'share' }, place)!;
    expect(learning(topology).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(MOVE_SLOTS_MAX);
  });

  test('the slots get another destination before they are learnt: the learner is dropped, the owners stay', () => {
    const joined = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    const shared = doChore(joined, { kind: 'share' }, place)!;
    const back = { ...shared, ...headFor(shared, () => [1, 2, 3]) };
    expect(movesOf(back)).toMatchObject({ slotCount: 0, learning: new Map(), waiting: new Map() });
  });

  test('a learner whose teachers are gone has nothing to learn there: it starts to learn from others nevertheless', () => {
    const isGoneLong = (id: number): boolean => id <= 2;
    const restarted = changeMembers(founded(5), {
      gone: [],
      entrants: [{ id: 3, incarnation: 2, intact: true }],
    })!;
    const lost = changeMembers(restarted, { gone: [1, 2], entrants: [] })!;
    expect(lossOf(lost).slots.length).toBeGreaterThan(0);
    const healed = settle(lost, { isGoneLong });
    const copies = (topology: Topology): number[] => [
      ...new Set(rowsInOrder(topology).map((row) => liveOwners(topology, topology.rows[row]!).length)),
    ];
    expect(copies(healed).sort()).toEqual([0, 3]);
  });

  test('a slot without a live owner is given up: the member that makes it whole is learning, the one that gets it afterwards is not', () => {
    const lost = changeMembers(founded(5), { gone: [1, 2, 3], entrants: [] })!;
    const count = lossOf(lost).slots.length;
    const givenUp = giveUp(lost, count, place)!;
    expect(learning(givenUp).reduce((sum, each) => sum + each, 0)).toBe(count);
  });

  test('the last complete owner came back with an empty disk, and the order of the owners changes: the slot is lost as before, and given up by nobody', () => {
    const alone = changeMembers(founded(3), { gone: [2, 3], entrants: [] })!;
    const back = [2, 3].map((id) => ({ id, incarnation: 2, intact: true }));
    const blank = { id: 1, incarnation: 2, intact: false };
    const lost = changeMembers(changeMembers(alone, { gone: [], entrants: back })!, {
      gone: [],
      entrants: [blank],
    })!;
    expect(lossOf(lost)).toMatchObject({ recovering: 0, holders: [{ id: 1, slots: SLOT_COUNT }] });
    const turned = { ...lost, ...headFor(lost, () => [3, 4, 2]) };
    // A member with leftovers comes first, whatever the order will be once some member has everything.
    for (const { owners, coming } of turned.rows) expect([owners.at(-1), coming]).toEqual([4, [3, 4, 2]]);
    expect(lossOf(turned)).toEqual(lossOf(lost));
  });

  test('all holders of the slots are gone, and the slots get another destination: the learners stay, because their leftovers may be all there is', () => {
    const alone = changeMembers(founded(3), { gone: [2, 3], entrants: [] })!;
    const back = [2, 3].map((id) => ({ id, incarnation: 2, intact: true }));
    const lost = changeMembers(alone, { gone: [1], entrants: back })!;
    const joined = doChore(
      lost,
      { kind: 'join', joiners: ['d', 'e', 'f'].map((name) => joiner(name)) },
      place,
    )!;
    const headed = { ...joined, ...headFor(joined, () => [4, 5, 6]) };
    expect(headed.rows.map(({ owners }) => owners)).toEqual(joined.rows.map(({ owners }) => owners));
    const givenUp = giveUp(headed, SLOT_COUNT, place)!;
    for (const row of givenUp.rows) expect([2, 3]).toContain(recovererOf(givenUp, row));
    expect(lossOf(settle(givenUp))).toMatchObject({ slots: [], recovering: 0 });
  });

  test('the owner to come is not alive: no move starts for it', () => {
    const joined = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    const gone = changeMembers(joined, { gone: [4], entrants: [] })!;
    const shared = doChore(gone, { kind: 'share' }, place)!;
    expect(movesOf(shared).learning.size).toBe(0);
    expect(beginMoves(shared)).toBeNull();
  });
});

describe('chores', () => {
  test('a node joins three: a member, then a voter, then its share', () => {
    const topology = settle(founded(3), { joiners: [joiner('node-4')] });
    expect(['node-1', 'node-2', 'node-3', 'node-4'].map((name) => shareOf(topology, name))).toEqual([
      12_288, 12_288, 12_288, 12_288,
    ]);
    expect([topology.council, topology.placed]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  test('a member that has just joined owns nothing: until its first slots are begun it is idle', () => {
    const joined = doChore(founded(3), { kind: 'join', joiners: [joiner('node-4')] }, place)!;
    expect([idleMembers(founded(3)), idleMembers(joined)]).toEqual([[], [4]]);
    expect(idleMembers(doChore(joined, { kind: 'share' }, place)!)).toEqual([]);
    expect(idleMembers(changeMembers(joined, { gone: [4], entrants: [] })!)).toEqual([]);
  });

  test('one of four leaves: it has neither vote nor slot before it is no member', () => {
    let last: Topology | null = null;
    const end = settle(markLeaving(founded(4), 'node-2')!, {}, (next) => {
      if (memberByName(next, 'node-2') !== undefined) last = next;
    });
    expect([shareOf(last!, 'node-2'), last!.council]).toEqual([0, [1, 3, 4]]);
    expect(memberByName(end, 'node-2')).toBeUndefined();
  });

  test('too few would stay: a member may not leave', () => {
    const two = changeMembers(founded(3), { gone: [3], entrants: [] })!;
    expect(whyNotLeave(two, 'node-1')).toContain('1 live members would stay');
    expect(whyNotLeave(two, 'node-3')).toBeNull();
    expect(whyNotLeave(two, 'node-9')).toContain('no member');
  });

  test('the member to be replaced is alive, or unknown: nobody joins in its place', () => {
    const facts = { ...QUIET, joiners: [joiner('node-5', 'node-4'), joiner('node-6', 'node-9')] };
    expect(planHousekeeping(founded(4), facts)).toBeNull();
  });

  test('a member is gone for long: its slots go to the others, and its vote to nobody where none is without', () => {
    const gone = changeMembers(founded(5), { gone: [5], entrants: [] })!;
    const healed = settle(gone, { isGoneLong: (id) => id === 5 });
    expect(memberByName(healed, 'node-5')!.standing).toBe('healed');
    expect(healed.council).toEqual([1, 2, 3, 4]);
    expect(completeCounts(healed)).toEqual([3]);
  });

  test('asked to rebalance slots that are in place: no epoch', () => {
    expect(rebalance(settle(founded(5), { joiners: [joiner('node-6')] }), place)).toBeNull();
  });

  test('the slots are shared out by other rules, as in a cluster from before: nothing moves until a member comes', () => {
    const standing = founded(5);
    const slotRow = standing.slotRow.map((_, slot) => standing.slotRow[(slot * 5_003) % SLOT_COUNT]!);
    const before: Topology = { ...standing, slotRow };
    expect(planHousekeeping(before, QUIET)).toBeNull();
    expect(movesOf(rebalance(before, place) ?? before)).toMatchObject({ slotCount: 0, hasLeavings: false });
    const after = settle(before, { joiners: [joiner('node-6')] });
    expect(shareOf(after, 'node-6')).toBe(8_192);
  });

  test('owners in another order alone: one epoch, in which nobody learns and nothing is left to move', () => {
    const standing = founded(3);
    const turned = ({ owners: [first, ...others] }: SlotRow): SlotRow => {
      const owners = [...others, first!];
      return { owners, complete: owners };
    };
    const rows = [...standing.rows, ...standing.rows.map(turned)];
    const slotRow = standing.slotRow.map((row, slot) => (slot % 2 === 0 ? row : row + standing.rows.length));
    const before: Topology = { ...standing, rows, slotRow };
    const after = rebalance(before, place)!;
    expect(after.epoch).toBe(before.epoch + 1);
    expect(after.rows.every(({ owners, complete }) => owners.join() === complete.join())).toBe(true);
    expect(movesOf(after)).toMatchObject({ slotCount: 0, hasLeavings: false });
    expect(rowsInOrder(after).length).toBeLessThanOrEqual(6);
    expect(planHousekeeping(after, QUIET)).toBeNull();
  });
});

test('any sequence of joins, departures, failures and returns: no slot is emptied, nobody becomes complete without having everything, no move leaves a slot with fewer live owners, one voter changes at a time', () => {
  const step = fc.record({
    kind: fc.constantFrom(
      'join',
      'replace',
      'leave',
      'gone',
      'back',
      'lost',
      'promote',
      'chore',
      'chore',
      'heal',
    ),
    who: fc.nat(9),
    word: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      let topology = founded(4);
      let count = 4;
      let incarnation = 1;
      const act = (kind: string, who: number, word: boolean): Topology | null => {
        const member = topology.members[who % topology.members.length]!;
        const entrant = { id: member.id, incarnation: ++incarnation, intact: kind === 'back' };
        const chore = (facts: Partial<HousekeepingFacts>): Topology | null => {
          const planned = planHousekeeping(topology, { ...QUIET, hasRetired: () => word, ...facts });
          return planned === null ? null : doChore(topology, planned, place);
        };
        if (kind === 'join') return count > 9 ? null : chore({ joiners: [joiner(`node-${++count}`)] });
        if (kind === 'replace')
          return count > 9 ? null : chore({ joiners: [joiner(`node-${++count}`, member.name)] });
        if (kind === 'leave')
          return whyNotLeave(topology, member.name) === null ? markLeaving(topology, member.name) : null;
        if (kind === 'gone') return changeMembers(topology, { gone: [member.id], entrants: [] });
        if (kind === 'promote') return promote(topology, member.id, member.incarnation);
        if (kind === 'heal') return chore({ isGoneLong: () => true });
        if (kind === 'chore') return chore({});
        // The last copy of a slot is never given up without an operator's order.
        const isLast = topology.rows.some(
          ({ complete }) =>
            complete.includes(member.id) && !complete.some((id) => id !== member.id && isAlive(topology, id)),
        );
        if (kind === 'lost' && isLast) return null;
        return changeMembers(topology, { gone: [], entrants: [entrant] });
      };
      for (const { kind, who, word } of steps) {
        const next = act(kind, who, word);
        if (next === null) continue;
        const isMove = kind === 'chore' || kind === 'promote';
        const voters = next.council.filter((id) => !topology.council.includes(id));
        const lostVoters = topology.council.filter((id) => !next.council.includes(id));
        expect(Math.max(voters.length, lostVoters.length)).toBeLessThanOrEqual(1);
        for (const pair of rowPairs(topology, next)) {
          const before = topology.rows[pair.before]!;
          const after = next.rows[pair.after]!;
          expect(after.complete.length).toBeGreaterThan(0);
          const isKnown = (id: number): boolean => after.owners.includes(id);
          if (after.complete.some((id) => isAlive(next, id)))
            expect(after.complete.every(isKnown)).toBe(true);
          const gained = after.complete.filter((id) => !before.complete.includes(id));
          if (kind !== 'promote') expect(gained).toEqual([]);
          if (!isMove) continue;
          const living = (of: Topology, ids: readonly number[]): number =>
            ids.filter((id) => isAlive(of, id)).length;
          // If fewer members than replicas are to stay, there cannot be more owners than that.
          const wanted = Math.min(3, placeable(topology).length, living(topology, before.complete));
          expect(living(next, after.complete)).toBeGreaterThanOrEqual(wanted);
        }
        topology = next;
      }
      // Whatever happened, once everybody is back everything comes to rest, and every slot has its owners.
      const entrants = topology.members
        .filter((member) => !member.alive)
        .map((member) => ({ id: member.id, incarnation: ++incarnation, intact: true }));
      const end = settle(changeMembers(topology, { gone: [], entrants }) ?? topology);
      expect(movesOf(end).slotCount).toBe(0);
    }),
    { numRuns: 12 },
  );
}, 60_000);
