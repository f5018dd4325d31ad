/**
 * PostgreSQL is away, and nodes come and go meanwhile: what is held is served, and what is unfinished is neither read
 * nor lost.
 */
import { expect, it } from 'vitest';
import type { WriteResult } from '../src/core/operation.ts';
import { SmallWorld } from './small-world.ts';

const OUTAGE_MS = 600_000;

function heldAndUnfinished(seed: number): { world: SmallWorld; finished: () => WriteResult | null } {
  const world = new SmallWorld(seed);
  expect(world.put(world.nodes[0]!, 'held', 'value').kind).toBe('done');
  expect(world.put(world.nodes[0]!, 'changed', 'before').kind).toBe('done');
  world.run(1_000);
  world.database.goDown(OUTAGE_MS);
  let result: WriteResult | null = null;
  const operation = {
    kind: 'put',
    key: 'changed',
    value: Buffer.from('after'),
    ttlMs: 0,
    operationId: null,
  } as const;
  world.nodes[0]!.node!.write(operation, OUTAGE_MS, (told) => (result = told));
  world.run(100);
  return { world, finished: () => result };
}

it('a member restarts: it is an owner again and serves what is held; an unfinished write waits for PostgreSQL', () => {
  const { world, finished } = heldAndUnfinished(41);
  world.cluster.kill(world.nodes[2]!);
  world.run(3_000);
  world.cluster.start(world.nodes[2]!);
  world.until(() => world.cluster.isWhole(), 20_000);
  expect(world.database.isDown).toBe(true);
  for (const sim of world.nodes) {
    expect(world.text(sim, 'held')).toBe('value');
    expect(world.get(sim, 'changed')).toMatchObject({ kind: 'failed' });
  }
  expect(finished()).toBe(null);
  world.database.comeUp();
  world.until(() => finished() !== null, 10_000);
  expect(finished()).toMatchObject({ kind: 'done' });
  for (const sim of world.nodes) expect(world.text(sim, 'changed')).toBe('after');
});

it('all members restart at once: the same, and the unfinished write is finished by whoever finds it on its disk', () => {
  const { world } = heldAndUnfinished(42);
  for (const sim of world.nodes) world.cluster.kill(sim);
  world.run(100);
  for (const sim of world.nodes) world.cluster.start(sim);
  world.until(() => world.cluster.isWhole(), 30_000);
  for (const sim of world.nodes) {
    expect(world.text(sim, 'held')).toBe('value');
    expect(world.get(sim, 'changed')).toMatchObject({ kind: 'failed' });
  }
  world.database.comeUp();
  world.run(5_000);
  for (const sim of world.nodes) expect(world.text(sim, 'changed')).toBe('after');
});

it('all members and all their disks: nothing is founded before PostgreSQL is back, then all is there', () => {
  const world = new SmallWorld(43);
  expect(world.put(world.nodes[0]!, 'held', 'value').kind).toBe('done');
  world.database.goDown(OUTAGE_MS);
  for (const sim of world.nodes) {
    world.cluster.kill(sim);
    sim.disk.wipe();
    world.cluster.start(sim);
  }
  world.run(60_000);
  for (const sim of world.nodes) expect(sim.node!.membership.topology).toBe(null);
  world.database.comeUp();
  world.until(() => world.cluster.isWhole(), 30_000);
  for (const sim of world.nodes) expect(world.text(sim, 'held')).toBe('value');
});
