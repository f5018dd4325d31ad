/**
 * A disk was set back unnoticed, together with its floor of a slot: it has a value at rest that was deleted since,
 * while the deletion was forgotten and its row removed. PostgreSQL keeps a floor of its own, which reveals this.
 * (PROTOCOL R24)
 */
import { describe, expect, test } from 'vitest';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { counterOf } from '../src/core/version.ts';
import { floorKey, recordKey } from '../src/wire/store-codec.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 300;
const KEY = 'key:1';
/** In the same slot. */
const OTHER = '{key:1}other';
const SLOT = slotOf(KEY);

type Which = (owners: readonly SimNode[]) => SimNode;
const FIRST: Which = (owners) => owners[0]!;
const SECOND: Which = (owners) => owners[1]!;

const held = (world: SmallWorld, key: string): (string | undefined)[] =>
  world.nodes.map(({ node }) => {
    const { record } = node!.inspect(key);
    return record === undefined ? undefined : Buffer.from(record.value).toString();
  });
const told = (world: SmallWorld, name: string): number => world.told.get(name) ?? 0;

/** Restarts all nodes, one of them on a disk whose copy of this slot dates from before the deletion. */
function goneBack(seed: number, which: Which, mutations: Mutations = NO_MUTATIONS, lacksOther = false) {
  const world = new SmallWorld(seed, { mutations, tombstoneKeepMs: KEEP_MS });
  world.put(world.nodes[0]!, KEY, 'from before');
  world.put(world.nodes[0]!, OTHER, 'at rest');
  world.run(500);
  const sim = which(world.ownersOf(KEY));
  const stored = sim.disk.get(recordKey(SLOT, KEY))!;
  for (const value of ['one', 'two']) world.put(world.nodes[1]!, KEY, value);
  world.write(world.nodes[1]!, { kind: 'delete', key: KEY, operationId: null });
  const isForgotten = (): boolean =>
    held(world, KEY).every((each) => each === undefined) && world.database.standing(KEY) === undefined;
  world.until(isForgotten, 20_000);
  world.run(500);
  const { version } = world.database.standing(OTHER)!.record;
  expect(counterOf(version)).toBeLessThanOrEqual(world.database.server.floorOf(SLOT));
  for (const each of world.nodes) world.cluster.kill(each);
  sim.disk.forge(recordKey(SLOT, KEY), stored);
  sim.disk.forge(floorKey(SLOT), null);
  if (lacksOther) world.database.forge(OTHER, null);
  for (const each of world.nodes) world.cluster.start(each);
  const isDriven = (): boolean => world.nodes.every(({ node }) => node!.status().record.drive!.isDriven);
  world.until(() => world.cluster.isWhole() && isDriven(), 20_000);
  return { world, sim };
}

/** Time for checks of the last writes and for a round of every scrubber; twice. */
function lookAround(world: SmallWorld): void {
  for (let round = 0; round < 2; round += 1) {
    world.run(15_000);
    world.scrub();
  }
}

describe.each([
  ['of the first owner', FIRST],
  ['of another owner', SECOND],
] as const)('the disk %s went back with its floor', (_who, which) => {
  test('what was deleted goes from it, and comes back neither in PostgreSQL nor at the others; what has its row stays', () => {
    const { world, sim } = goneBack(81, which);
    lookAround(world);
    expect(world.database.resurrected).toBeNull();
    expect(world.database.standing(KEY)).toBeUndefined();
    expect(held(world, KEY)).toEqual([undefined, undefined, undefined]);
    expect([told(world, 'store.gone_back'), told(world, 'store.leftover_cleared')]).toEqual([1, 1]);
    expect(held(world, OTHER)).toEqual(['at rest', 'at rest', 'at rest']);
    expect(sim.node!['assembly'].floors.floors.of(SLOT)).toBe(world.database.server.floorOf(SLOT));
  });

  test('PostgreSQL lacks a row below its floor that all owners hold: it is no leftover, and is brought back', () => {
    const { world } = goneBack(82, which, NO_MUTATIONS, true);
    lookAround(world);
    expect(world.database.standing(OTHER)?.record.tombstone).toBe(false);
    expect(held(world, OTHER)).toEqual(['at rest', 'at rest', 'at rest']);
    expect(world.database.standing(KEY)).toBeUndefined();
  });

  test('the rule broken: what was deleted stands in PostgreSQL and at all owners', () => {
    const { world } = goneBack(81, which, { trustOldFloor: true });
    lookAround(world);
    expect(world.database.resurrected).toContain('was removed there');
    expect(held(world, KEY)).toEqual(['from before', 'from before', 'from before']);
  });
});
