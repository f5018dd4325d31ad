/** Copies that clients keep, and what makes a node tell them to drop them: directed stories, and the rules broken on purpose. */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { SimNode } from './cluster.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { SmallWorld } from './small-world.ts';

function calm(seed: number, nodeCount = 3): SmallWorld {
  return new SmallWorld(seed, undefined, nodeCount);
}

/** What that node tells its clients from now on. */
function listen({ node }: SimNode, toAll = false): string[] {
  const told: string[] = [];
  node!.keyWatch.listen({
    changed: (key) => told.push(key),
    allChanged: () => told.push('all'),
    settled: (key) => told.push(`settled ${key}`),
    unsure: () => told.push('unsure'),
  });
  node!.keyWatch.watchAll(toAll);
  return told;
}

function kept(world: SmallWorld, sim: SimNode, key: string): void {
  sim.node!.keyWatch.watch(key);
  world.get(sim, key);
}

describe('a client keeps what it has read', () => {
  test('at an owner, and another owner coordinates a write: told before the write is acknowledged', () => {
    const world = calm(71);
    const [one, other] = [world.nodes[0]!, world.nodes[1]!];
    world.put(other, 'k', 'before');
    world.run(200);
    const told = listen(one);
    kept(world, one, 'k');
    let seen: readonly string[] | null = null;
    const value = Buffer.from('after');
    other.node!.write({ kind: 'put', key: 'k', value, ttlMs: 0, operationId: null }, 5_000, () => {
      seen = [...told];
    });
    world.until(() => seen !== null, 5_000);
    expect(seen).toEqual(['k']);
  });

  test('at an owner, and the value expires: told once its deletion is written', () => {
    const world = calm(72);
    const sim = world.nodes[0]!;
    world.put(sim, 'k', 'value', 300);
    const told = listen(sim);
    kept(world, sim, 'k');
    expect(told).toEqual([]);
    world.until(() => told.length > 0, 5_000);
    expect(told).toEqual(['k']);
  });

  test('at a node that owns nothing of it: told with the reply', () => {
    const world = calm(73, 5);
    const bystander = world.nodes.find((sim) => !world.ownersOf('k').includes(sim))!;
    const told = listen(bystander);
    kept(world, bystander, 'k');
    expect(told).toEqual(['k']);
  });

  test('at a node that is cut off, and the others go on without it: told within a second', () => {
    const world = calm(74);
    const [alone, other] = [world.nodes[2]!, world.nodes[0]!];
    world.put(other, 'k', 'before');
    const told = listen(alone);
    kept(world, alone, 'k');
    world.cluster.network.isolate(alone.name);
    const written = world.put(other, 'k', 'after');
    expect(written.kind).toBe('done');
    world.run(100);
    expect(told).toEqual(['all']);
  });
});

describe('a client listens to all changes', () => {
  test('at a node that owns everything: each is told when it can be read, once', () => {
    const world = calm(75);
    const told = listen(world.nodes[2]!, true);
    world.put(world.nodes[0]!, 'k', 'value');
    world.run(3_000);
    expect(told).toEqual(['settled k']);
  });

  test('at one of five: that anything may have changed, about every second', () => {
    const world = calm(76, 5);
    const told = listen(world.nodes[2]!, true);
    world.run(3_500);
    expect(told.filter((each) => each === 'unsure').length).toBeGreaterThanOrEqual(3);
  });
});

/** What is kept of slots that go to a member that joins, is changed there, and was not told. */
function untoldOfMoved(mutations: Mutations): number {
  const world = new SmallWorld(77, undefined, 3, 0, false, mutations);
  const sim = world.nodes[0]!;
  const keys = Array.from({ length: 20 }, (_, at) => `key:${at}`);
  for (const key of keys) world.put(sim, key, 'before');
  world.run(200);
  const told = listen(sim);
  for (const key of keys) kept(world, sim, key);
  expect(told).toEqual([]);
  const joiner = world.cluster.add('');
  world.cluster.start(joiner);
  const movedAway = (): string[] => keys.filter((key) => !world.ownersOf(key).includes(sim));
  world.until(() => movedAway().length > 1 && world.cluster.isWhole(), 30_000);
  const gone = movedAway();
  expect(gone.length).toBeGreaterThan(1);
  for (const key of gone) expect(world.put(joiner, key, 'after').kind).toBe('done');
  world.run(1_000);
  return gone.filter((key) => !told.includes(key) && !told.includes('all')).length;
}

test('slots go to another member: what was kept of them is told, and without that rule it is not', () => {
  expect(untoldOfMoved({})).toBe(0);
  expect(untoldOfMoved({ watchOverEpochs: true })).toBeGreaterThan(1);
});

test('what is read at another node counts as heard of: a seed shows copies that are too old', () => {
  let caught: string | null = null;
  for (let seed = 1; seed <= 5 && caught === null; seed += 1) {
    const options = { profile: PROFILES['hotKey']!, nodeCount: 5, mutations: { watchUnheard: true } };
    caught = runSeed(seed, options).violation;
  }
  expect(caught).toContain(' keeps ');
});
