/**
 * Deletions are forgotten by whole nodes: everywhere, never before all of them know the floor, and a node that was away
 * or missed it ends up the same. (PROTOCOL R19, R22)
 */
import { describe, expect, test } from 'vitest';
import { slotOf } from '../src/core/placement/slots.ts';
import { counterOf } from '../src/core/version.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 500;
const KEY = 'key:1';

function worldOf(seed: number, withLegacy = false): SmallWorld {
  return new SmallWorld(seed, { withLegacy, tombstoneKeepMs: KEEP_MS });
}

/** Returns the version of the deletion, which may be forgotten a moment later. */
function remove(world: SmallWorld, sim: SimNode, key = KEY): number {
  const result = world.write(sim, { kind: 'delete', key, operationId: null });
  if (result.kind !== 'done') throw new Error('the deletion was not done');
  return result.version;
}

/** Writes the key a few times and deletes it; returns the version of the deletion. */
function deleted(world: SmallWorld): number {
  for (const value of ['one', 'two', 'three']) world.put(world.nodes[0]!, KEY, value);
  return remove(world, world.nodes[0]!);
}

const holds = ({ node }: SimNode): boolean => node !== null && node.inspect(KEY).record !== undefined;
const floorAt = ({ node }: SimNode): number => node!['assembly'].floors.floors.of(slotOf(KEY));

function untilForgotten(world: SmallWorld, nodes: readonly SimNode[] = world.nodes): void {
  world.until(() => !nodes.some(holds), 20_000);
}

describe('deletions are forgotten', () => {
  test('everywhere, once they are old: absence stays, and what is written next is above all that was there', () => {
    const world = worldOf(71);
    const version = deleted(world);
    expect(world.nodes.map((sim) => sim.node!.status().tombstones.held)).toEqual([1, 1, 1]);
    world.run(KEEP_MS / 2);
    expect(world.nodes.every(holds)).toBe(true);
    untilForgotten(world);
    for (const sim of world.nodes) {
      expect(sim.node!.status().tombstones).toMatchObject({ held: 0, forgotten: 1 });
      expect(sim.node!.status().keysHeld).toBe(0);
      expect(floorAt(sim)).toBeGreaterThanOrEqual(counterOf(version));
      expect(world.text(sim, KEY)).toBeUndefined();
    }
    world.put(world.nodes[2]!, KEY, 'again');
    world.put(world.nodes[1]!, 'key:other', 'of another slot');
    for (const sim of world.nodes) {
      expect(world.text(sim, KEY)).toBe('again');
      expect(sim.node!.inspect(KEY).record!.version).toBeGreaterThan(version);
    }
  });

  test('a legacy source may still have the key: its deletion is kept', () => {
    const world = worldOf(72, true);
    deleted(world);
    world.run(20 * KEEP_MS);
    expect(world.nodes.every(holds)).toBe(true);
  });

  test('everything is killed and started again: floors are on the disks', () => {
    const world = worldOf(73);
    const version = deleted(world);
    untilForgotten(world);
    for (const sim of world.nodes) world.cluster.kill(sim);
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 20_000);
    for (const sim of world.nodes) expect(floorAt(sim)).toBeGreaterThanOrEqual(counterOf(version));
    world.put(world.nodes[1]!, KEY, 'again');
    expect(world.nodes[1]!.node!.inspect(KEY).record!.version).toBeGreaterThan(version);
  });
});

describe('somebody was not there', () => {
  test('a member with the value is away when its deletion is forgotten: it learns the floor, and the value is gone', () => {
    const world = worldOf(74);
    world.put(world.nodes[0]!, KEY, 'one');
    world.run(200);
    const [first, away] = world.nodes as [SimNode, SimNode];
    world.cluster.kill(away);
    world.until(() => world.cluster.isWhole(away), 10_000);
    const version = remove(world, first);
    untilForgotten(
      world,
      world.nodes.filter((sim) => sim !== away),
    );
    world.cluster.start(away);
    world.until(() => world.cluster.isWhole(), 20_000);
    expect([holds(away), world.text(away, KEY)]).toEqual([false, undefined]);
    expect(floorAt(away)).toBeGreaterThanOrEqual(counterOf(version));
    world.put(away, KEY, 'again');
    expect(away.node!.inspect(KEY).record!.version).toBeGreaterThan(version);
  });

  test('an owner is past the floor and does not hear what to remove: it takes it up itself, in its turn', () => {
    const world = worldOf(75);
    const deaf = world.ownersOf(KEY)[1]!;
    const { collector } = deaf.node!['assembly'].background;
    const hear = collector.onMessage.bind(collector);
    collector.onMessage = (from, message) =>
      message.kind === 'deletionsForget' ? undefined : hear(from, message);
    deleted(world);
    const others = world.nodes.filter((sim) => sim !== deaf);
    untilForgotten(world, others);
    expect([holds(deaf), world.text(deaf, KEY)]).toEqual([true, undefined]);
    // A node that has forgotten the deletion has lost nothing, and does not take it back.
    world.scrub(others);
    expect(others.map(({ node }) => node!.status().scrub.last?.found)).toEqual([0, 0]);
    expect(others.some(holds)).toBe(false);
    untilForgotten(world);
  });

  test('a deletion is damaged at one owner when the others forget it: it goes there, too, and writes go on', () => {
    const world = worldOf(76);
    const rotten = world.ownersOf(KEY)[2]!;
    deleted(world);
    world.run(100);
    const stored = recordKey(slotOf(KEY), KEY);
    rotten.node!['shelf']['cache'].drop(KEY);
    expect(rotten.disk.flipBit((key) => key === stored)).toBe(stored);
    const others = world.nodes.filter((sim) => sim !== rotten);
    untilForgotten(world, others);
    world.until(() => rotten.disk.get(stored) === undefined, 20_000);
    world.put(rotten, KEY, 'again');
    for (const sim of world.nodes) expect(world.text(sim, KEY)).toBe('again');
  });
});
