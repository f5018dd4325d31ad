/** The operator of the simulated machines gives up only what is known to be lost, and then everything comes back. */
import { expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import type { SimNode } from './cluster.ts';
import { loseForGood } from './loss-faults.ts';
import { SimOperator } from './operator.ts';
import { PROFILES } from './profiles.ts';
import { SmallWorld } from './small-world.ts';
import { SimWorld } from './world.ts';

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

test('all who had a slot are about to be lost, and those who copy it are lost before: the last one stays, to go on with', () => {
  const world = new SimWorld(
    5,
    { nodeCount: 3, profile: PROFILES['lost']! },
    () => undefined,
    () => 0,
  );
  const { cluster, scheduler, operator } = world;
  const run = (until: () => boolean, stepMs: number): void => {
    while (!until() && scheduler.time < 60_000) scheduler.runUntil(scheduler.time + stepMs);
    expect(until()).toBe(true);
  };
  for (const sim of cluster.nodes) cluster.start(sim);
  run(() => cluster.isWhole(), 10);
  const name = loseForGood('ownersLost', world, new Prng(5), () => false);
  const last = cluster.nodes.find((sim) => sim.name === name)!;
  const others = cluster.nodes.filter((sim) => sim !== last);
  const members = () => last.node!.membership.topology!.members;
  expect(others.map(({ life }) => life)).toEqual([null, null]);
  run(() => members().some(({ alive }) => !alive), 1);
  run(() => members().every(({ alive }) => alive), 0.05);
  operator.lose(others, false);
  scheduler.runUntil(scheduler.time + 100);
  expect(last.life).not.toBeNull();
  run(() => cluster.isWhole(), 10);
});
