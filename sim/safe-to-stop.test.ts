/** Whole nodes, restarted one after another by whoever asks first: what `/safe-to-stop` says meanwhile. */
import { expect, it } from 'vitest';
import { SmallWorld } from './small-world.ts';

it('one member is killed and returns: the others are not safe to stop until it has everything again', () => {
  const world = new SmallWorld(61);
  const costs = (index: number): readonly string[] => world.nodes[index]!.node!.status().stopCosts;
  world.run(1_000);
  for (const index of [0, 1, 2]) expect(costs(index)).toEqual([]);
  world.cluster.kill(world.nodes[2]!);
  // By the link alone, before any epoch says it.
  world.run(20);
  for (const index of [0, 1]) expect(costs(index).join()).toContain('lack a copy already (node-3)');
  world.run(3_000);
  for (const index of [0, 1]) expect(costs(index).join()).toMatch(/too few owners.*1 of 3 votes/);
  world.put(world.nodes[0]!, 'k', 'v');
  world.cluster.start(world.nodes[2]!);
  world.until(() => world.nodes[2]!.node?.status().phase === 'learning', 10_000);
  expect(costs(0).join()).toContain('lack a copy already (node-3)');
  expect(costs(2).join()).toContain('it is learning');
  world.until(() => world.cluster.isWhole(), 10_000);
  for (const index of [0, 1, 2]) expect(costs(index)).toEqual([]);
});

it('stopped one after another, each when the probe lets it: a client at the others is never refused', () => {
  const world = new SmallWorld(62);
  for (const [index, sim] of world.nodes.entries()) {
    world.until(() => sim.node!.status().stopCosts.length === 0, 20_000);
    let isStopped = false;
    world.cluster.stop(sim, () => (isStopped = true));
    for (let count = 0; count < 20; count += 1) {
      const other = world.nodes[(index + 1 + (count % 2)) % 3]!;
      expect(world.put(other, `k${count}`, 'v').kind).toBe('done');
    }
    world.until(() => isStopped, 10_000);
    world.cluster.start(sim);
    world.until(() => sim.node !== null, 5_000);
  }
});
