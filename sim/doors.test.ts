/**
 * The addresses of members' doors, as each member announces them when it introduces itself: known everywhere without a
 * setting.
 */
import { expect, test } from 'vitest';
import type { ClusterAnswer } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

/** The Redis doors that a node reports, by member. */
function doorsTold(world: SmallWorld, sim: SimNode): Record<string, string> {
  let answer: ClusterAnswer | null = null;
  sim.node!.operate({ kind: 'slots' }, 5_000, (given) => (answer = given));
  world.until(() => answer !== null, 5_000);
  const { map } = answer! as ClusterAnswer & { kind: 'slots' };
  return Object.fromEntries(map.members.map(({ name, resp }) => [name, resp]));
}

function saying(sim: SimNode, resp: string): void {
  sim.doors = { http: '', resp };
}

/** Three nodes, each of which announces its Redis door. */
function threeDoors(seed: number): SmallWorld {
  return new SmallWorld(seed, {
    before: ({ cluster }) => {
      for (const sim of cluster.nodes) saying(sim, `${sim.name}:6379`);
    },
  });
}

test('all know all, a member that joins among them, and where one is after its next start', () => {
  const world = threeDoors(96);
  const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
  const joiner = world.cluster.add('');
  saying(joiner, 'joined:6379');
  world.cluster.start(joiner);
  world.until(() => joiner.node?.membership.leaseHeld() === true, 30_000);
  const names = [one, two, three].map(({ name }) => [name, `${name}:6379`]);
  const all = { ...(Object.fromEntries(names) as Record<string, string>), [joiner.name]: 'joined:6379' };
  for (const sim of [one, joiner]) expect(doorsTold(world, sim)).toEqual(all);
  world.cluster.kill(two);
  world.run(1_000);
  expect(doorsTold(world, one)[two.name]).toBe(`${two.name}:6379`);
  saying(two, 'elsewhere:7000');
  world.cluster.start(two);
  world.until(() => two.node !== null, 5_000);
  world.run(500);
  expect(doorsTold(world, one)[two.name]).toBe('elsewhere:7000');
});

test('a node that was just started tells no map before it has heard the others, and then the whole one', () => {
  const world = threeDoors(97);
  const again = world.nodes[1]!;
  world.cluster.kill(again);
  saying(again, 'again:6379');
  world.cluster.start(again);
  world.until(() => again.node !== null, 5_000);
  expect(Object.values(doorsTold(world, again))).not.toContain('');
});
