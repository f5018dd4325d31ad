/**
 * The number of keys that a simulated cluster reports, whichever node is asked: after writes, deletions, expiry,
 * failures and moves.
 */
import { expect, it } from 'vitest';
import type { ClusterAnswer } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

function count(world: SmallWorld, sim: SimNode): number | string {
  const answer = world.operate(sim, { kind: 'count' });
  if (answer.kind === 'counted') return answer.incomplete ? 'incomplete' : answer.count;
  return answer.kind === 'failed' ? answer.failure.code : answer.kind;
}

function counts(world: SmallWorld): (number | string)[] {
  return world.nodes.filter((sim) => sim.node !== null).map((sim) => count(world, sim));
}

function remove(world: SmallWorld, key: string, at = world.nodes[0]!): void {
  world.write(at, { kind: 'delete', key, operationId: null });
}

it('keys that are written, written again, deleted and set anew: each that stands counts once, at every node', () => {
  const world = new SmallWorld(21, { nodeCount: 4 });
  expect(counts(world)).toEqual([0, 0, 0, 0]);
  for (let at = 0; at < 40; at += 1) world.put(world.nodes[at % 4]!, `key:${at}`, 'v');
  for (let at = 0; at < 10; at += 1) world.put(world.nodes[at % 4]!, `key:${at}`, 'w');
  expect(counts(world)).toEqual([40, 40, 40, 40]);
  for (let at = 0; at < 5; at += 1) remove(world, `key:${at}`);
  remove(world, 'never there');
  expect(counts(world)).toEqual([35, 35, 35, 35]);
  world.put(world.nodes[1]!, 'key:0', 'x');
  expect(counts(world)).toEqual([36, 36, 36, 36]);
});

it('a key whose time passes: it counts until it is removed', () => {
  const world = new SmallWorld(22);
  world.put(world.nodes[0]!, 'stays', 'v');
  world.put(world.nodes[0]!, 'short', 'v', 100);
  expect(count(world, world.nodes[1]!)).toBe(2);
  world.until(() => count(world, world.nodes[1]!) === 1, 10_000);
});

it('a node is killed while others count, and comes back with its disk: the others take its slots over, none twice', () => {
  const world = new SmallWorld(23, { nodeCount: 4 });
  for (let at = 0; at < 40; at += 1) world.put(world.nodes[at % 4]!, `key:${at}`, 'v');
  let told: ClusterAnswer | null = null;
  world.nodes[1]!.node!.operate({ kind: 'count' }, 10_000, (answer) => (told = answer));
  world.cluster.kill(world.nodes[0]!);
  world.until(() => told !== null, 10_000);
  expect(told).toEqual({ kind: 'counted', count: 40, incomplete: false });
  remove(world, 'key:4', world.nodes[1]);
  expect(counts(world)).toEqual([39, 39, 39]);
  world.cluster.start(world.nodes[0]!);
  world.until(() => world.cluster.isWhole(), 20_000);
  expect(counts(world)).toEqual([39, 39, 39, 39]);
});
