/** Whole nodes, restarted one after another by several operators at once: what `/safe-to-stop` answers meanwhile. */
import { describe, expect, it, test } from 'vitest';
import { COUNCIL_COUNT_MAX } from '../src/core/limits.ts';
import { STOP_RESERVED_MS } from '../src/core/membership/stop-limits.ts';
import { PROTOCOL_MIN } from '../src/core/membership/protocol-versions.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

it('one member is killed and returns: the others are not safe to stop until it has everything again', () => {
  const world = new SmallWorld(61);
  const costs = (index: number): readonly string[] => world.nodes[index]!.node!.status().stopCosts;
  world.run(1_000);
  for (const index of [0, 1, 2]) expect(costs(index)).toEqual([]);
  world.cluster.kill(world.nodes[2]!);
  // Noticed by the broken link alone, before any epoch says so.
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

it('told to stop several times: each who said so is told when it is over, and who says so afterwards at once', () => {
  const world = new SmallWorld(62);
  const node = world.nodes[0]!.node!;
  const told: string[] = [];
  for (const name of ['first', 'second']) node.stop(() => told.push(name));
  expect(told).toEqual([]);
  world.until(() => told.length === 2, 10_000);
  node.stop(() => told.push('late'));
  expect(told).toEqual(['first', 'second', 'late']);
});

describe('asked for beforehand', () => {
  /** Several nodes ask at the same time, as when several pods are removed at once; returns the answers. */
  function reserve(world: SmallWorld, ...sims: SimNode[]): (readonly string[])[] {
    const told: (readonly string[])[] = [];
    for (const [index, sim] of sims.entries())
      sim.node!.operate({ kind: 'reserveStop' }, 2_000, (answer) => {
        if (answer.kind === 'stop') told[index] = answer.costs;
      });
    world.until(() => told.filter(Boolean).length === sims.length, 5_000);
    return told;
  }

  const mayStop = (costs: readonly string[]): boolean => costs.length === 0;

  test.each([3, 4, 5, 7])('all of %i members at the same moment: exactly one is told yes', (count) => {
    const world = new SmallWorld(63, { nodeCount: count });
    world.run(1_000);
    const told = reserve(world, ...world.nodes);
    expect(told.filter(mayStop)).toHaveLength(1);
    const name = world.nodes[told.findIndex(mayStop)]!.name;
    for (const costs of told.filter((each) => !mayStop(each)))
      expect(costs).toEqual([`${name} is about to stop`]);
    // A mere look shows it as well, except at the node itself.
    world.run(100);
    const looks = world.nodes.map((sim) => sim.node!.status().stopCosts);
    expect(looks.filter(mayStop)).toHaveLength(1);
  });

  /** Council members with an earlier program, which know of no vote: all the others are asked. */
  test.each([[[1]], [[2]], [[3]], [[1, 2]]])(
    'members %j run the program of before: of the others at most one is told yes, and one in the end',
    (earlier) => {
      const world = new SmallWorld(72, {
        before: ({ cluster }) => {
          for (const number of earlier) cluster.versions.install(`node-${number}`, PROTOCOL_MIN);
        },
      });
      world.run(1_000);
      const later = world.nodes.filter((_, index) => !earlier.includes(index + 1));
      expect(reserve(world, ...later).filter(mayStop)).toHaveLength(1);
    },
  );

  test('the whole council runs the program of before, and two outside it ask: one of them is told yes', () => {
    const world = new SmallWorld(74, {
      before: ({ cluster }) => {
        for (let number = 1; number <= COUNCIL_COUNT_MAX; number += 1)
          cluster.versions.install(`node-${number}`, PROTOCOL_MIN);
      },
      nodeCount: COUNCIL_COUNT_MAX + 2,
    });
    world.run(1_000);
    expect(reserve(world, ...world.nodes.slice(COUNCIL_COUNT_MAX)).filter(mayStop)).toHaveLength(1);
  });

  test('one runs the program of before, and the others do not hear each other: at most one is told yes', () => {
    const world = new SmallWorld(73, {
      before: ({ cluster }) => cluster.versions.install('node-1', PROTOCOL_MIN),
    });
    const [, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    world.run(1_000);
    world.cluster.network.cutOneWay('node-2', 'node-3');
    world.cluster.network.cutOneWay('node-3', 'node-2');
    const told = reserve(world, two, three);
    expect(told.filter(mayStop).length).toBeLessThan(2);
    for (const costs of told.filter((each) => !mayStop(each)))
      expect(costs.join()).toMatch(/^node-|lack a copy|no lease|the members changed/);
  });

  test('voters that keep nothing in mind: two are told yes', () => {
    const world = new SmallWorld(64, { mutations: { letAllStop: true } });
    world.run(1_000);
    expect(reserve(world, ...world.nodes).filter(mayStop).length).toBeGreaterThan(1);
  });

  test('the next one may when the first is back with all that it owns, and not while it is away', () => {
    const world = new SmallWorld(65);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    world.run(1_000);
    expect(reserve(world, one)).toEqual([[]]);
    expect(reserve(world, one), 'asked once more').toEqual([[]]);
    let isStopped = false;
    world.cluster.stop(one, () => (isStopped = true));
    while (!isStopped) {
      expect(reserve(world, two, three).filter(mayStop)).toEqual([]);
      world.run(10);
    }
    for (let look = 0; look < 20; look += 1) {
      expect(reserve(world, two, three).filter(mayStop)).toEqual([]);
      world.run(100);
    }
    world.cluster.start(one);
    world.until(() => world.cluster.isWhole(), 10_000);
    expect(reserve(world, two, three).filter(mayStop)).toHaveLength(1);
  });

  test('the one that may does not stop: another may when its time has passed', () => {
    const world = new SmallWorld(66);
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.run(1_000);
    expect(reserve(world, one)).toEqual([[]]);
    world.run(STOP_RESERVED_MS - 5_000);
    expect(reserve(world, two)).toEqual([['node-1 is about to stop']]);
    world.run(6_000);
    expect(reserve(world, two)).toEqual([[]]);
  });

  test('one that stops unasked tells the others before it is gone', () => {
    const world = new SmallWorld(67);
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.run(1_000);
    world.cluster.stop(one, () => undefined);
    world.run(5);
    expect(two.node!.status().stopCosts.join()).toContain('node-1 is about to stop');
  });

  test('one is told to end while it asks, and then that it may not stop: it ends, and all know it', () => {
    const world = new SmallWorld(72, { nodeCount: 5 });
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    world.run(1_000);
    const told: (readonly string[])[] = [];
    for (const sim of [one, two])
      sim.node!.operate({ kind: 'reserveStop' }, 2_000, (answer) => {
        if (answer.kind === 'stop') told.push(answer.costs);
      });
    world.cluster.stop(two, () => undefined);
    world.until(() => told.length === 2, 1_000);
    expect(told).toContainEqual(['node-1 is about to stop']);
    world.run(5);
    expect(three.node!.status().stopCosts.join()).toContain('node-2 is about to stop');
  });

  test('one that may is asked for once more, and then it costs something: the first answer stands', () => {
    const world = new SmallWorld(71, { nodeCount: 5 });
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.run(1_000);
    expect(reserve(world, one)).toEqual([[]]);
    let costs: readonly string[] = [];
    one.node!.operate({ kind: 'reserveStop' }, 2_000, (answer) => {
      if (answer.kind === 'stop') costs = answer.costs;
    });
    world.cluster.kill(world.nodes[4]!);
    world.until(() => costs.length > 0, 5_000);
    world.run(1_000);
    expect(two.node!.status().stopCosts.join()).toContain('node-1 is about to stop');
  });

  test('a voter that was started anew since the first was told yes: it does not vote for another', () => {
    const world = new SmallWorld(68, { nodeCount: 5 });
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    world.run(1_000);
    expect(reserve(world, one)).toEqual([[]]);
    for (const sim of [two, three]) {
      world.cluster.kill(sim);
      world.cluster.start(sim);
    }
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(reserve(world, two, three).filter(mayStop)).toEqual([]);
  });

  test('too few voters answer: no, with the names of those who do not', () => {
    const world = new SmallWorld(69);
    const [one] = world.nodes as [SimNode];
    world.run(1_000);
    const network = world.cluster.network;
    network.cutOneWay('node-2', 'node-1');
    network.cutOneWay('node-3', 'node-1');
    const [costs] = reserve(world, one);
    expect(costs!.join()).toMatch(/did not say whether it may stop|lack a copy|no lease|the members changed/);
    network.heal();
    world.until(() => world.cluster.isWhole(), 20_000);
    world.until(() => mayStop(reserve(world, one)[0]!), 10_000);
  });
});
