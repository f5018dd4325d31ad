/**
 * Stores that can no longer be trusted: the node itself sets each of them aside and comes back blank, to copy
 * everything. If nobody is left to copy from, nothing is taken for absent, and no cluster is founded on top of it.
 */
import { describe, expect, it } from 'vitest';
import { reasonsNotReady } from '../src/node/readiness.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const KEYS = Array.from({ length: 40 }, (_, index) => `key:${index}`);

/** Damages one value of the store, as a real disk might. */
function damage(sim: SimNode, prefix: string): void {
  const key = sim.disk.flipBit((each) => each.startsWith(prefix));
  if (key === null) throw new Error(`${sim.name} holds nothing under ${prefix}`);
}

function written(seed: number, nodeCount = 3): SmallWorld {
  const world = new SmallWorld(seed, { nodeCount });
  for (const key of KEYS) expect(world.put(world.nodes[0]!, key, `of ${key}`).kind).toBe('done');
  world.run(1_000);
  return world;
}

/** One write stays unfinished, so that its in-flight entry is on every disk. */
function withUnfinished(seed: number): SmallWorld {
  const world = written(seed);
  world.database.goDown(600_000);
  const base = { ttlMs: 0, operationId: null } as const;
  const operation = { ...base, kind: 'put', key: 'open', value: Buffer.from('unfinished') } as const;
  world.nodes[0]!.node!.write(operation, 5_000, () => undefined);
  world.run(200);
  return world;
}

describe.each([
  { what: 'an in-flight entry', prefix: 'f' },
  { what: 'the acceptor of the register', prefix: 'mregister' },
  { what: 'the identity', prefix: 'midentity' },
  { what: 'the topology', prefix: 'mtopology' },
  // At the node that takes versions.
  { what: 'the entry of the reserved counters', prefix: 'mcounters', at: 0 },
])('$what is damaged', ({ prefix, at = 1 }) => {
  it('the store is set aside, the node comes back under a new id and holds everything again', () => {
    const world = withUnfinished(81);
    const sim = world.nodes[at]!;
    const idBefore = sim.node!.membership.selfId;
    world.cluster.kill(sim);
    damage(sim, prefix);
    world.cluster.start(sim);
    world.until(() => sim.node !== null, 1_000);
    expect(world.told.get('sim.setAside')).toBe(1);
    const { store } = sim.node!.status();
    expect(store.setAside).toHaveLength(1);
    expect(store.reason).toContain('damaged');
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(sim.node!.membership.selfId).toBeGreaterThan(3);
    expect(sim.node!.membership.selfId).not.toBe(idBefore);
    expect(sim.node!.status().store.inDoubt).toBe(false);
    world.database.comeUp();
    world.run(5_000);
    for (const key of KEYS) expect(sim.node!.inspect(key).record).toBeDefined();
    expect(world.text(sim, 'open')).toBe('unfinished');
  });
});

it('all at once: nothing is founded, nothing is absent, and each says what it waits for; emptied by hand, PostgreSQL fills them', () => {
  const world = withUnfinished(82);
  for (const sim of world.nodes) world.cluster.kill(sim);
  for (const sim of world.nodes) {
    damage(sim, 'f');
    world.cluster.start(sim);
  }
  world.database.comeUp();
  world.run(30_000);
  expect(world.told.get('sim.setAside')).toBe(3);
  for (const sim of world.nodes) {
    expect(sim.node!.membership.topology).toBe(null);
    expect(world.get(sim, KEYS[0]!)).toMatchObject({ kind: 'failed' });
    expect(reasonsNotReady(sim.node!.status()).join()).toMatch(
      /its store was damaged and lies in .*store\.broken/,
    );
  }
  // A restart in between changes nothing: what was set aside is still there.
  for (const sim of world.nodes) {
    world.cluster.kill(sim);
    world.cluster.start(sim);
  }
  world.run(20_000);
  for (const sim of world.nodes) expect(sim.node!.membership.topology).toBe(null);
  for (const sim of world.nodes) {
    world.cluster.kill(sim);
    sim.disk.wipe();
    world.cluster.start(sim);
  }
  world.until(() => world.cluster.isWhole(), 30_000);
  for (const key of KEYS) expect(world.text(world.nodes[2]!, key)).toBe(`of ${key}`);
});

it('most of them: the one whose store is good does not go on alone, and the others say what they wait for', () => {
  const world = withUnfinished(83);
  for (const sim of world.nodes) world.cluster.kill(sim);
  for (const sim of world.nodes.slice(1)) damage(sim, 'midentity');
  for (const sim of world.nodes) world.cluster.start(sim);
  world.database.comeUp();
  world.run(30_000);
  for (const sim of world.nodes) expect(world.get(sim, KEYS[0]!)).toMatchObject({ kind: 'failed' });
  for (const sim of world.nodes.slice(1)) {
    expect(sim.node!.status().store.inDoubt).toBe(true);
    expect(reasonsNotReady(sim.node!.status()).join()).toContain('its store was damaged');
  }
});

it('the last complete owner: its keys are unavailable and never absent, whoever else comes back', () => {
  const world = written(84, 5);
  const key = KEYS[0]!;
  const owners = world.ownersOf(key);
  expect(owners).toHaveLength(3);
  const last = owners[2]!;
  for (const sim of owners.slice(0, 2)) {
    world.cluster.kill(sim);
    world.run(3_000);
  }
  world.cluster.kill(last);
  world.run(100);
  damage(last, 'midentity');
  for (const sim of owners) world.cluster.start(sim);
  world.run(30_000);
  expect(world.told.get('sim.setAside')).toBe(1);
  // All five take part in the epoch, and it still knows that nobody holds these slots.
  for (const sim of world.nodes) {
    expect(sim.node!.status().members.filter((member) => member.alive)).toHaveLength(5);
    expect(world.get(sim, key)).toMatchObject({ kind: 'failed' });
  }
});
