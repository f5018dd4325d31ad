/** The operator of the simulated machines gives up only what is known to be lost, and then everything comes back. */
import { expect, test } from 'vitest';
import type { SimNode } from './cluster.ts';
import { SimOperator } from './operator.ts';
import { SmallWorld } from './small-world.ts';

test('two of three are down, one of them for good: nothing is given up before the other is known to be lost, too', () => {
  const world = new SmallWorld(91);
  const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
  const acts: string[] = [];
  const { cluster, scheduler, prng } = world;
  const operator = new SimOperator({ cluster, scheduler, prng, onAct: (act) => acts.push(act) });
  world.put(one, 'key', 'kept');
  cluster.kill(two);
  operator.lose([three], false);
  cluster.start(three);
  world.run(8_000);
  expect([acts, three.life]).toEqual([[], null]);
  operator.lose([two], true);
  world.until(() => cluster.isWhole(), 30_000);
  expect(acts).toEqual(['lifeBegun']);
  for (const sim of world.nodes) expect(world.text(sim, 'key')).toBe('kept');
});
