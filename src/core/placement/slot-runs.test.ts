/**
 * Neighbouring slots have the same owners, in a new cluster and after any joins and departures, while the promised
 * balance is kept and no additional slots are moved. (decision 53)
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cluster,
  countsOf,
  largestLoad,
  member,
  movesBetween,
  ownersIn,
  place,
  spreadFault,
} from '../../../test/support/placed.ts';
import { SLOT_COUNT } from '../limits.ts';
import type { Placement, PlacementMember } from './slot-table.ts';
import { makeSpread } from './spread.ts';

const SLOTS = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);

/** The number of runs of slots for which `of` gives the same. */
function runsBy(of: (slot: number) => unknown): number {
  return SLOTS.filter((slot) => slot === 0 || of(slot) !== of(slot - 1)).length;
}

/** The number of ranges that a client is told. */
const rangesIn = (placement: Placement): number => runsBy((slot) => ownersIn(placement)(slot)[0]);

function runsOfSets(placement: Placement): number {
  const sets = placement.owners.map((owners) => [...owners].sort((a, b) => a - b).join());
  return runsBy((slot) => sets[placement.slotRow[slot]!]);
}

/** The same rows and so the same loads, but neighbouring slots are unrelated: tables from before slots came in runs. */
function scattered(placement: Placement): Placement {
  const slotRow = placement.slotRow.map((_, slot) => placement.slotRow[(slot * 5_003) % SLOT_COUNT]!);
  return { ...placement, slotRow };
}

/**
 * The largest number of slots that one member is first for, as a fraction of its share among the remaining members,
 * over departures of each of the first few.
 */
function fullestWhileOneIsGone(members: readonly PlacementMember[], placement: Placement): number {
  const owners = ownersIn(placement);
  const parts = members.slice(0, 4).flatMap(({ id: gone }) => {
    const firsts = new Map<number, number>();
    for (const slot of SLOTS) {
      const first = owners(slot).find((id) => id !== gone)!;
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    return [...firsts.values()].map((count) => count / (SLOT_COUNT / (members.length - 1)));
  });
  return Math.max(...parts);
}

/** Random joins and departures, within bounds on the number of members. */
function afterChanges(nodes: number, changes: number, seed: number): [readonly PlacementMember[], Placement] {
  const all = cluster(nodes + changes, 1);
  let members = all.slice(0, nodes);
  let placement = place(members, null);
  let random = seed;
  for (let change = 0; change < changes; change += 1) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const isJoin = members.length < 5 || (members.length < 11 && random >>> 31 === 0);
    const leaves = members[random % members.length];
    members = isJoin ? [...members, all[nodes + change]!] : members.filter((one) => one !== leaves);
    placement = place(members, placement);
  }
  return [members, placement];
}

describe('runs', () => {
  test.each([
    [3, 3],
    [5, 150],
    [10, 350],
    [30, 1_000],
    [100, 3_000],
  ])('a new cluster of %d: at most %d ranges, in balance, also while one is gone', (nodes, rangesMax) => {
    const members = cluster(nodes, 1);
    const placement = place(members, null);
    expect(rangesIn(placement)).toBeLessThanOrEqual(rangesMax);
    const { places, firsts } = countsOf(placement);
    expect(largestLoad(places, () => (SLOT_COUNT * 3) / nodes)).toBeLessThanOrEqual(1);
    expect(Math.max(...firsts.values()) / (SLOT_COUNT / nodes)).toBeLessThanOrEqual(1.03);
    expect(fullestWhileOneIsGone(members, placement)).toBeLessThanOrEqual(1.08);
  });

  test.each([1, 2, 3])('ten joins and departures at random (%d): at most a few hundred ranges', (seed) => {
    const [members, placement] = afterChanges(6, 10, seed);
    expect(rangesIn(placement)).toBeLessThanOrEqual(400);
    expect(runsOfSets(placement)).toBeLessThanOrEqual(800);
    expect(fullestWhileOneIsGone(members, placement)).toBeLessThanOrEqual(1.08);
  });

  test('a newcomer takes whole runs: it adds few, and is told in few', () => {
    const before = place(cluster(5, 1), null);
    const after = place(cluster(6, 1), before);
    expect(runsOfSets(after) - runsOfSets(before)).toBeLessThanOrEqual(100);
    expect(runsBy((slot) => ownersIn(after)(slot).includes(6))).toBeLessThanOrEqual(2 * 64);
  });

  test('a departure makes runs longer', () => {
    const before = place(cluster(7, 1), null);
    expect(runsOfSets(place(cluster(7, 1).slice(1), before))).toBeLessThan(runsOfSets(before));
  });
});

describe('a table in which slots lie scattered, from before', () => {
  const founded = scattered(place(cluster(5, 1), null));

  test('nobody comes or goes: nobody owns another slot', () => {
    expect(runsOfSets(founded)).toBeGreaterThan(10_000);
    expect(movesBetween(founded, place(cluster(5, 1), founded))).toBe(0);
  });

  test('members come and go: no more moves than they must, and the runs grow', () => {
    const joined = place(cluster(6, 1), founded);
    expect(movesBetween(founded, joined)).toBeLessThanOrEqual((1.1 * (SLOT_COUNT * 3)) / 6);
    const left = place(cluster(6, 1).slice(1), joined);
    expect(movesBetween(joined, left)).toBeLessThanOrEqual(1.1 * countsOf(joined).places.get(1)!);
    expect(runsOfSets(left)).toBeLessThan(0.8 * runsOfSets(founded));
  });
});

/** The minimum of moves: what nobody may lack of its share, and what the departed members had. */
function leastMoves(
  before: Placement,
  members: readonly PlacementMember[],
  shareOf: (id: number) => number,
): number {
  const { places } = countsOf(before);
  const lacking = members.map(({ id }) => Math.max(0, Math.floor(shareOf(id)) - (places.get(id) ?? 0)));
  const stays = new Set(members.map(({ id }) => id));
  const freed = [...places].filter(([id]) => !stays.has(id)).map(([, count]) => count);
  const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  return Math.max(sumOf(lacking), sumOf(freed));
}

test('any weights and zones, one to five replicas, 3 to 100 nodes, some come and some go: spread, in balance, few moves, long runs', () => {
  const anyCluster = fc.record({
    nodes: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 3, max: 12 }) },
      fc.integer({ min: 3, max: 100 }),
    ),
    zones: fc.constantFrom(1, 1, 3, 5),
    weights: fc.constantFrom(1, 1, 3),
    replicas: fc.integer({ min: 1, max: 5 }),
    isScattered: fc.boolean(),
    steps: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
  });
  fc.assert(
    fc.property(anyCluster, ({ nodes, zones, weights, replicas, isScattered, steps }) => {
      const made = (id: number): PlacementMember =>
        member(id, { zone: `zone-${id % zones}`, weight: 1 + (id % weights) });
      let members = Array.from({ length: nodes }, (_, at) => made(at + 1));
      const founded = place(members, null, replicas);
      let placement = isScattered ? scattered(founded) : founded;
      steps.forEach((step, at) => {
        const isJoin = step % 2 === 0 || members.length <= 3;
        const leaves = members[step % members.length];
        members = isJoin ? [...members, made(nodes + at + 1)] : members.filter((one) => one !== leaves);
        const before = placement;
        placement = place(members, before, replicas);
        const sorted = [...members].sort((a, b) => a.id - b.id);
        const ownerCount = Math.min(replicas, members.length);
        const { share } = makeSpread(sorted, ownerCount, SLOT_COUNT);
        const shareOf = (id: number): number => share[sorted.findIndex((one) => one.id === id)]!;
        if (replicas <= 3) expect(spreadFault(members, placement, replicas)).toBeUndefined();
        expect(largestLoad(countsOf(placement).places, shareOf)).toBeLessThanOrEqual(1);
        // With weights, and where most members own most slots, some steps that keep shares cannot be direct: the least
        // is not possible there. (1,800 random runs: at most 1.36, and 1.05 with equal weights.)
        const isRoomy = 2 * replicas <= members.length;
        const timesLeast = weights === 1 ? 1.1 : isRoomy ? 1.25 : 1.5;
        if (zones === 1)
          expect(movesBetween(before, placement)).toBeLessThanOrEqual(
            timesLeast * leastMoves(before, members, shareOf),
          );
        // Runs of departed members, which had more weight, remain for a while.
        if (!isScattered) expect(rangesIn(placement)).toBeLessThanOrEqual(160 * members.length);
      });
      expect(place(members, placement, replicas)).toEqual(placement);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('a member of weight 0 must own everything because there are too few others: the rest are first for equal parts, whoever joins', () => {
  const members = [1, 2, 0, 1, 1].map((weight, at) => member(at + 1, { weight }));
  let placement: Placement | null = null;
  for (const count of [2, 3, 4, 5]) placement = place(members.slice(0, count), placement, 5);
  const { firsts } = countsOf(placement!);
  for (const id of [1, 2, 4, 5]) expect(firsts.get(id)).toBeLessThanOrEqual((1.03 * SLOT_COUNT) / 4);
});
