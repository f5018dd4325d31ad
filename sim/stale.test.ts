/**
 * Old answers for reads that accept them: given only where no lease is held, with an age within which they were true;
 * never what is in flight, never a learner's leftovers, never more than a node can know. (DESIGN 1)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { ReadResult, StaleResult } from '../src/core/operation.ts';
import type { SimNode } from './cluster.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { SmallWorld } from './small-world.ts';

const NOT_READY = { kind: 'failed', failure: { code: 'not_ready' } };

function calm(seed: number, mutations: Mutations = {}, nodeCount = 3, withLegacy = false): SmallWorld {
  return new SmallWorld(seed, { nodeCount, withLegacy, mutations });
}

/** Cut off for long enough that its lease is over and the others go on without it. */
function cutOff(world: SmallWorld, sim: SimNode, ms = 3_000): void {
  world.cluster.network.isolate(sim.name);
  world.run(ms);
}

function shown(result: ReadResult | StaleResult): string {
  if (result.kind === 'failed') return result.failure.code;
  if (result.kind === 'absent') return 'absent';
  const value = result.record === undefined ? 'absent' : Buffer.from(result.record.value).toString();
  return result.kind === 'stale' ? `stale ${value}` : value;
}

describe('a node that is cut off', () => {
  test('answers who takes an old answer, with its age; an ordinary read fails there, and the others go on', () => {
    const world = calm(61);
    const [alone, other] = [world.nodes[2]!, world.nodes[0]!];
    world.put(other, 'key', 'before');
    world.run(500);
    cutOff(world, alone);
    expect(world.put(other, 'key', 'after').kind).toBe('done');
    const askedAt = world.scheduler.time;
    const result = world.getStale(alone, 'key');
    expect(shown(result)).toBe('stale before');
    const { staleMs } = result as StaleResult;
    // It was cut off 3 s ago, and its lease lasted for at most 600 ms.
    expect(staleMs).toBeGreaterThan(2_300);
    expect(staleMs).toBeLessThan(3_000 + world.scheduler.time - askedAt + 700);
    expect(world.get(alone, 'key')).toMatchObject(NOT_READY);
    expect(shown(world.getStale(other, 'key'))).toBe('after');
    expect(alone.node!.status().operations.staleReads).toBe(1);
    expect(other.node!.status().operations.staleReads).toBe(0);
  });

  test('is back: the answer is the ordinary one, without a mark', () => {
    const world = calm(62);
    const alone = world.nodes[2]!;
    world.put(world.nodes[0]!, 'key', 'before');
    cutOff(world, alone);
    world.put(world.nodes[0]!, 'key', 'after');
    world.cluster.network.heal();
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(shown(world.getStale(alone, 'key'))).toBe('after');
  });

  test('knows a deletion, and a key that never was: absent, as an old answer', () => {
    const world = calm(63);
    const [alone, other] = [world.nodes[2]!, world.nodes[0]!];
    world.put(other, 'gone', 'value');
    world.write(other, { kind: 'delete', key: 'gone', operationId: null });
    world.run(500);
    cutOff(world, alone);
    expect(shown(world.getStale(alone, 'gone'))).toBe('stale absent');
    expect(shown(world.getStale(alone, 'never'))).toBe('stale absent');
  });

  test('with a legacy source that may know a key never seen: no answer, for it cannot tell', () => {
    const world = calm(64, {}, 3, true);
    const [alone, other] = [world.nodes[2]!, world.nodes[0]!];
    world.put(other, 'key', 'value');
    world.write(other, { kind: 'delete', key: 'gone', operationId: null });
    world.run(500);
    cutOff(world, alone);
    expect(world.getStale(alone, 'never')).toMatchObject(NOT_READY);
    expect(shown(world.getStale(alone, 'key'))).toBe('stale value');
    expect(shown(world.getStale(alone, 'gone'))).toBe('stale absent');
  });

  test('starts anew meanwhile: it cannot say how old its answers are, and gives none', () => {
    const world = calm(65);
    const alone = world.nodes[2]!;
    world.put(world.nodes[0]!, 'key', 'value');
    cutOff(world, alone);
    world.cluster.kill(alone);
    world.cluster.start(alone);
    world.run(1_000);
    expect(world.getStale(alone, 'key')).toMatchObject(NOT_READY);
  });
});

test('an epoch changes: who takes an old answer waits the moment until a lease is held, and gets the present one', () => {
  const world = calm(66);
  world.put(world.nodes[0]!, 'key', 'value');
  world.cluster.kill(world.nodes[2]!);
  const seen = new Set<string>();
  for (let step = 0; step < 150; step += 1) {
    world.nodes[0]!.node!.getStale('key', 5_000, (result) => seen.add(shown(result)));
    world.run(10);
  }
  expect([...seen]).toEqual(['value']);
});

test('two of five are cut off together: one that owns nothing of the slot asks the other, which does', () => {
  const world = calm(67, {}, 5);
  const key = ['a', 'b', 'c', 'd', 'e', 'f'].find((each) => world.ownersOf(each).length === 3)!;
  world.put(world.nodes[0]!, key, 'value');
  world.run(500);
  const owner = world.ownersOf(key)[0]!;
  const bystander = world.nodes.find((sim) => !world.ownersOf(key).includes(sim))!;
  for (const sim of world.nodes) {
    if (sim === owner || sim === bystander) continue;
    world.cluster.network.cut(sim.name, owner.name);
    world.cluster.network.cut(sim.name, bystander.name);
  }
  world.run(3_000);
  const result = world.getStale(bystander, key);
  expect(shown(result)).toBe('stale value');
  expect((result as StaleResult).staleMs).toBeGreaterThan(2_300);
  expect(world.get(bystander, key).kind).toBe('failed');
});

describe('what is in flight', () => {
  /** The second value is at every owner, and not in PostgreSQL: nobody may read it yet. */
  const readInFlight = (mutations: Mutations): string => {
    const world = calm(68, mutations);
    const alone = world.nodes[2]!;
    world.put(world.nodes[0]!, 'key', 'before');
    world.run(500);
    world.database.goDown(60_000);
    const put = {
      kind: 'put',
      key: 'key',
      value: Buffer.from('after'),
      ttlMs: 0,
      operationId: null,
    } as const;
    world.nodes[0]!.node!.write(put, 5_000, () => undefined);
    world.run(100);
    cutOff(world, alone);
    return shown(world.getStale(alone, 'key'));
  };

  test('at a node that is cut off: not told', () => {
    expect(readInFlight({})).toBe('not_ready');
  });

  test('at a node that learns, while such a reader waits, that it is out of the epoch: not told', () => {
    const world = calm(70);
    const sleeper = world.nodes[2]!;
    world.put(world.nodes[0]!, 'key', 'before');
    world.run(500);
    world.database.goDown(60_000);
    const put = {
      kind: 'put',
      key: 'key',
      value: Buffer.from('after'),
      ttlMs: 0,
      operationId: null,
    } as const;
    sleeper.node!.write(put, 5_000, () => undefined);
    world.run(100);
    let result: ReadResult | StaleResult | null = null;
    sleeper.node!.getStale('key', 5_000, (told) => (result = told));
    world.run(100);
    world.cluster.suspend(sleeper, 1_500);
    world.until(() => result !== null, 10_000);
    expect(result).toMatchObject({ kind: 'failed' });
  });

  test('told all the same: seen', () => {
    expect(readInFlight({ staleUnfinished: true })).toBe('stale after');
  });
});

describe('a learner', () => {
  /** It lost its disk, came back, and is cut off before it has copied anything. */
  const readAtLearner = (mutations: Mutations): string => {
    const world = calm(69, mutations);
    const alone = world.nodes[2]!;
    world.put(world.nodes[0]!, 'key', 'value');
    world.run(500);
    world.cluster.kill(alone);
    alone.disk.wipe();
    world.run(2_000);
    alone.disk.slowMs = 400;
    world.cluster.start(alone);
    world.until(() => alone.node?.status().phase === 'learning' && alone.node.membership.leaseHeld(), 20_000);
    cutOff(world, alone);
    expect(alone.node!.status().phase).toBe('learning');
    return shown(world.getStale(alone, 'key'));
  };

  test('that is cut off: says nothing', () => {
    expect(readAtLearner({})).toBe('not_ready');
  });

  test('speaks all the same: seen, for it denies what it has not copied', () => {
    expect(readAtLearner({ staleFromLearner: true })).toBe('stale absent');
  });
});

describe('random lives in which members are cut off', () => {
  const caught = (mutations: Mutations, seedsMax: number): string | null => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { violation } = runSeed(seed, { profile: PROFILES['stale']!, mutations });
      if (violation !== null) return violation;
    }
    return null;
  };

  test('every old answer was the truth within its age', () => {
    let told = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const { violation, occurred } = runSeed(seed, { profile: PROFILES['stale']! });
      expect(violation).toBeNull();
      told += occurred.get('staleAnswer') ?? 0;
    }
    expect(told).toBeGreaterThan(10);
  }, 60_000);

  test('what is in flight is told: caught', () => {
    expect(caught({ staleUnfinished: true }, 40)).not.toBeNull();
  }, 60_000);
});
