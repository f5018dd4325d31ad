/**
 * The slot table under random clusters and random changes: owners are distinct and spread, loads and first places even,
 * moves few, and the result independent of the order in which members are listed.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash32 } from '../../../test/support/hash32.ts';
import {
  cluster,
  countsOf,
  largestLoad,
  member,
  movesBetween,
  ownersIn,
  place,
  shareByWeight,
  spreadFault,
} from '../../../test/support/placed.ts';
import { SLOT_COUNT } from '../limits.ts';
import { ownersOfSlotIn, rowsOf, type Placement, type PlacementMember } from './slot-table.ts';
import { makeSpread } from './spread.ts';

/** Zones with hosts with nodes, of uneven numbers and weights. */
const anyMembers = fc
  .array(
    fc.record({
      zone: fc.integer({ min: 0, max: 3 }),
      host: fc.integer({ min: 0, max: 3 }),
      weight: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) =>
    list.map(({ zone, host, weight }, at) => member(at + 1, { zone: `z${zone}`, host: `h${host}`, weight })),
  );

describe('checkers', () => {
  const members = cluster(4, 2);
  const bad = (owners: number[]): Placement => ({ owners: [owners], slotRow: new Uint16Array(SLOT_COUNT) });

  test('a table that breaks the spread: said so', () => {
    expect(spreadFault(members, bad([1, 2, 9]), 3)).toMatch('no member');
    expect(spreadFault(members, bad([1, 2]), 3)).toMatch('2 owners');
    expect(spreadFault(members, bad([1, 1, 2]), 3)).toMatch('twice');
    expect(spreadFault(members, bad([1, 3]), 2)).toMatch('a zone twice');
    const oneHost = [member(1, { host: 'a' }), member(2, { host: 'a' }), member(3)];
    expect(spreadFault(oneHost, bad([1, 2]), 2)).toMatch('a host twice');
  });

  test('a table with all slots on the same nodes: out of balance and all moved', () => {
    const skewed = bad([1, 2]);
    expect(largestLoad(countsOf(skewed).places, shareByWeight(members, 2))).toBeGreaterThan(1.5);
    expect(movesBetween(skewed, bad([3, 4]))).toBe(SLOT_COUNT * 2);
  });
});

describe('a new table', () => {
  test.each([
    [3, 1],
    [3, 3],
    [5, 1],
    [5, 5],
    [10, 5],
    [12, 3],
    [50, 1],
    [50, 10],
  ])('%d nodes in %d zones: spread, and every load within 1.05 of the mean', (count, zoneCount) => {
    const members = cluster(count, zoneCount);
    const placement = place(members, null);
    const { places, firsts } = countsOf(placement);
    expect(spreadFault(members, placement, 3)).toBeUndefined();
    expect(largestLoad(places, shareByWeight(members, 3))).toBeLessThanOrEqual(1);
    expect(largestLoad(firsts, shareByWeight(members, 1))).toBeLessThanOrEqual(1);
    expect(Math.min(...members.map(({ id }) => places.get(id) ?? 0))).toBeGreaterThan(0);
  });

  test('weights from 1 to 4 over 20 nodes: loads follow them', () => {
    const members = cluster(20, 1, (id) => 1 + (id % 4));
    const { places, firsts } = countsOf(place(members, null));
    expect(largestLoad(places, shareByWeight(members, 3))).toBeLessThanOrEqual(1);
    expect(largestLoad(firsts, shareByWeight(members, 1))).toBeLessThanOrEqual(1);
  });

  test('1,000 nodes in 20 zones, one joins, one goes: balanced, spread, only its own share moves', () => {
    const members = cluster(1001, 20);
    const founded = place(members.slice(0, 1000), null);
    const joined = place(members, founded);
    const left = place(members.slice(1), joined);
    for (const [placement, of] of [
      [founded, members.slice(0, 1000)],
      [joined, members],
    ] as const) {
      expect(spreadFault(of, placement, 3)).toBeUndefined();
      expect(largestLoad(countsOf(placement).places, shareByWeight(of, 3))).toBeLessThanOrEqual(1);
      expect(largestLoad(countsOf(placement).firsts, shareByWeight(of, 1))).toBeLessThanOrEqual(1);
    }
    const fair = (SLOT_COUNT * 3) / 1001;
    expect(movesBetween(founded, joined)).toBeLessThanOrEqual(1.1 * fair);
    expect(movesBetween(joined, left)).toBeLessThanOrEqual(1.1 * countsOf(joined).places.get(1)!);
  });

  test('fewer nodes than replicas: all of them own every slot; none: nobody does', () => {
    expect(countsOf(place(cluster(2, 1), null)).places).toEqual(
      new Map([
        [1, SLOT_COUNT],
        [2, SLOT_COUNT],
      ]),
    );
    expect(place([], null).owners).toEqual([[]]);
  });

  test('a node of weight 0 among enough others: owns nothing', () => {
    const placement = place([...cluster(4, 1), member(9, { weight: 0 })], null);
    expect(countsOf(placement).places.get(9)).toBeUndefined();
  });

  test('any zones, hosts and weights: spread as far as there are enough, loads within their shares', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer({ min: 1, max: 5 }), (members, replicaCount) => {
        const placement = place(members, null, replicaCount);
        expect(zonesBroken(members, placement, replicaCount)).toBeUndefined();
        const { share } = makeSpread(members, Math.min(replicaCount, members.length), SLOT_COUNT);
        const shareOf = (id: number) => share[id - 1]!;
        expect(largestLoad(countsOf(placement).places, shareOf)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 20 },
    );
  });
});

/** With up to three replicas, even zones and distinct hosts never conflict; with more, even zones take precedence. */
function zonesBroken(members: readonly PlacementMember[], placement: Placement, replicaCount: number) {
  if (replicaCount <= 3) return spreadFault(members, placement, replicaCount);
  return spreadFault(
    members.map((one) => ({ ...one, host: 'any' })),
    placement,
    replicaCount,
  );
}

describe('a change', () => {
  test('members listed in another order: the same table', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer(), (members, seed) => {
        const shuffled = [...members].sort((a, b) => hash32(`${seed}${a.name}`) - hash32(`${seed}${b.name}`));
        expect(place(shuffled, null)).toEqual(place(members, null));
      }),
      { numRuns: 6 },
    );
  });

  test('nothing changes: nothing moves, not even the order of owners', () => {
    const members = cluster(10, 3);
    const placement = place(members, null);
    expect(place(members, placement)).toEqual(placement);
  });

  test.each([3, 4, 5, 10, 50])('one node joins %d others: at most 1.1 of its fair share moves', (count) => {
    const members = cluster(count + 1, 1);
    const before = place(members.slice(0, count), null);
    const after = place(members, before);
    expect(movesBetween(before, after)).toBeLessThanOrEqual((1.1 * (SLOT_COUNT * 3)) / (count + 1));
    expect(largestLoad(countsOf(after).places, shareByWeight(members, 3))).toBeLessThanOrEqual(1);
    expect(countsOf(after).places.get(count + 1)!).toBeGreaterThan(
      (0.95 * (SLOT_COUNT * 3)) / (count + 1) - 1,
    );
  });

  test.each([4, 5, 10, 50])('one of %d nodes goes: at most 1.1 of what it held moves', (count) => {
    const members = cluster(count, 1);
    const before = place(members, null);
    const after = place(members.slice(1), before);
    expect(movesBetween(before, after)).toBeLessThanOrEqual(1.1 * countsOf(before).places.get(1)!);
    expect(largestLoad(countsOf(after).places, shareByWeight(members.slice(1), 3))).toBeLessThanOrEqual(1);
  });

  // With fewer members, sets of owners are equal for such long runs that another order has far fewer runs
  // (slot-order.ts).
  test('the first owner of many goes: the second takes its place, and the newcomer stands last', () => {
    const before = place(cluster(12, 1), null);
    const after = place(cluster(12, 1).slice(1), before);
    let promoted = 0;
    let lost = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const [first, second] = ownersIn(before)(slot);
      if (first !== 1) continue;
      lost++;
      if (ownersIn(after)(slot)[0] === second) promoted++;
    }
    expect(promoted).toBeGreaterThan(0.9 * lost);
  });

  test('a third zone comes: every slot has an owner in it, and no more moves than that', () => {
    const two = [1, 2, 3, 4].map((id) => member(id, { zone: `zone-${id % 2}` }));
    const three = [...two, member(5, { zone: 'new' }), member(6, { zone: 'new' })];
    const before = place(two, null);
    const after = place(three, before);
    expect(spreadFault(three, after, 3)).toBeUndefined();
    expect(movesBetween(before, after)).toBeLessThanOrEqual(1.1 * SLOT_COUNT);
  });

  test('a member returns under another id: it gets a share again, and the others keep theirs', () => {
    const members = cluster(5, 1);
    const before = place(members, null);
    const without = place(members.slice(1), before);
    const back = [{ ...members[0]!, id: 77 }, ...members.slice(1)];
    const after = place(back, without);
    expect(movesBetween(without, after)).toBeLessThanOrEqual((1.1 * (SLOT_COUNT * 3)) / 5);
    expect(spreadFault(back, after, 3)).toBeUndefined();
  });

  test('fewer replicas: next to nothing is copied; more: one place a slot', () => {
    const members = cluster(6, 3);
    const three = place(members, null, 3);
    const two = place(members, three, 2);
    expect(movesBetween(three, two)).toBeLessThanOrEqual(0.01 * SLOT_COUNT);
    expect(movesBetween(two, place(members, two, 3))).toBeLessThanOrEqual(1.1 * SLOT_COUNT);
  });

  test('any run of joins and departures: after each, spread and balanced within the shares', () => {
    fc.assert(
      fc.property(anyMembers, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (all, steps) => {
        const present = new Set(all.map((one) => one.id));
        let placement = place(all, null);
        for (const step of steps) {
          const id = all[step % all.length]!.id;
          if (!present.delete(id)) present.add(id);
          const members = all.filter((one) => present.has(one.id));
          if (members.length === 0) return;
          placement = place(members, placement);
          expect(spreadFault(members, placement, 3)).toBeUndefined();
          const { share } = makeSpread(members, Math.min(3, members.length), SLOT_COUNT);
          const shareOf = (one: number) => share[members.findIndex((each) => each.id === one)]!;
          expect(largestLoad(countsOf(placement).places, shareOf)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('rows of a topology', () => {
  test('a placement at a founding: every owner complete, and read back the same', () => {
    const placement = place(cluster(5, 1), null);
    const topology = rowsOf(placement);
    expect(topology.rows.every((row) => row.complete.length === 3)).toBe(true);
    for (let slot = 0; slot < SLOT_COUNT; slot += 97) {
      expect(ownersOfSlotIn(topology)(slot)).toEqual(ownersIn(placement)(slot));
    }
  });
});
