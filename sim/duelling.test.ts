/**
 * Several members try to change the topology at once: each change is chosen after few attempts, whoever makes it.
 * (PROTOCOL R29)
 */
import { expect, test } from 'vitest';
import { idleMembers, isSettled } from '../src/core/membership/housekeeping.ts';
import { memberById } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const JOINING = 6;

function joinAll(seed: number): SmallWorld {
  const world = new SmallWorld(seed);
  const joining = Array.from({ length: JOINING }, () => world.cluster.add(''));
  for (const sim of joining) world.cluster.start(sim);
  return world;
}

const attempts = (world: SmallWorld): number => world.counted.get('membership.attempts') ?? 0;

function latest(world: SmallWorld): Topology {
  const known = world.nodes.flatMap(({ node }) => node?.membership.topology ?? []);
  return known.reduce((one, other) => (other.epoch > one.epoch ? other : one));
}

/** The number of attempts for each epoch, up to the one for which `isLast` holds. */
function attemptsUntil(world: SmallWorld, isLast: (topology: Topology) => boolean): number[] {
  const counted: number[] = [];
  let before = latest(world);
  let begun = attempts(world);
  world.until(() => {
    const now = latest(world);
    if (now.epoch > before.epoch) {
      counted.push(attempts(world) - begun);
      before = now;
      begun = attempts(world);
    }
    return isLast(now);
  }, 60_000);
  return counted;
}

test.each([1, 3])(
  'six join at once: one of them works out how the slots are shared, and no other outbids it (seed %i)',
  (seed) => {
    const counted = attemptsUntil(joinAll(seed), ({ placed }) => placed.length > 3);
    expect(counted.at(-1)).toBeLessThanOrEqual(2);
  },
);

test('all of them are to be made complete: each epoch is chosen after a few attempts', () => {
  const world = joinAll(4);
  const isWhole = (topology: Topology): boolean =>
    topology.members.length === 9 &&
    isSettled(topology) &&
    topology.rows.every((row) => row.coming === undefined);
  const counted = attemptsUntil(world, isWhole);
  expect(counted.length).toBeGreaterThan(JOINING);
  expect(Math.max(...counted)).toBeLessThanOrEqual(2 * JOINING);
});

test('who would be the first to share them out dies: another does', () => {
  const world = joinAll(5);
  world.until(() => idleMembers(latest(world)).length === JOINING, 10_000);
  const name = memberById(latest(world), idleMembers(latest(world))[0]!)!.name;
  world.cluster.kill(world.nodes.find((sim: SimNode) => sim.name === name)!);
  world.until(() => idleMembers(latest(world)).length === 0, 20_000);
  expect(latest(world).placed.length).toBeGreaterThanOrEqual(3 + JOINING - 1);
});
