/** A cluster founded anew on a database that has rows: all of them reach their owners, whichever nodes fail. */
import { describe, expect, it } from 'vitest';
import type { ScanResult } from '../src/core/operation.ts';
import { SmallWorld } from './small-world.ts';

/** An earlier life has left rows in the database, and no disk that remembers them. */
function foundedAnew(
  seed: number,
  count: number,
  between: (world: SmallWorld) => void = () => undefined,
): SmallWorld {
  const world = new SmallWorld(seed);
  for (let index = 0; index < count; index += 1)
    world.put(world.nodes[index % 3]!, `key:${index}`, `v${index}`);
  world.write(world.nodes[0]!, { kind: 'delete', key: 'key:1', operationId: null });
  for (const sim of world.nodes) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
  world.run(1_000);
  between(world);
  for (const sim of world.nodes) world.cluster.start(sim);
  world.until(() => world.cluster.isWhole(), 20_000);
  return world;
}

const isLoaded = (world: SmallWorld): boolean =>
  world.nodes.every((sim) => sim.node?.membership.topology?.loaded === true);

/** Counts the reads of keys that PostgreSQL gets from now on. */
function countReads(world: SmallWorld): () => number {
  let count = 0;
  const readRows = world.database.readRows.bind(world.database);
  world.database.readRows = (keys) => {
    count += 1;
    return readRows(keys);
  };
  return () => count;
}

function expectAllHeld(world: SmallWorld, count: number): void {
  for (const sim of world.nodes) {
    for (let index = 0; index < count; index += 1) {
      const { record } = sim.node!.inspect(`key:${index}`);
      expect(record === undefined ? undefined : record.tombstone).toBe(index === 1);
    }
  }
}

describe('loading after a founding', () => {
  it('every row is brought to every owner, deletions too; then a miss is final and PostgreSQL is not asked', () => {
    const world = foundedAnew(31, 40);
    expect(isLoaded(world)).toBe(false);
    for (const sim of world.nodes) expect(world.text(sim, 'key:7')).toBe('v7');
    world.until(() => isLoaded(world), 30_000);
    expectAllHeld(world, 40);
    const reads = countReads(world);
    expect(world.text(world.nodes[1]!, 'key:none')).toBeUndefined();
    expect(world.text(world.nodes[2]!, 'key:1')).toBeUndefined();
    expect(reads()).toBe(0);
  });

  it('before it is done a miss asks PostgreSQL, and a scan says that it may lack records', () => {
    const world = foundedAnew(32, 10);
    const reads = countReads(world);
    let page: ScanResult | null = null;
    world.nodes[0]!.node!.scan(null, 500, 5_000, (told) => (page = told));
    expect(world.text(world.nodes[1]!, 'key:none')).toBeUndefined();
    world.until(() => page !== null, 5_000);
    expect(reads()).toBeGreaterThan(0);
    expect(page).toMatchObject({ kind: 'page', incomplete: true });
    world.until(() => isLoaded(world), 30_000);
  });

  it('the node that loads is killed, and PostgreSQL goes away for a while: another begins again and ends', () => {
    const world = foundedAnew(33, 60);
    const topology = world.nodes[0]!.node!.membership.topology!;
    const first = topology.members.find((member) => member.id === topology.council[0])!;
    const loading = world.nodes.find((sim) => sim.name === first.name)!;
    world.run(60);
    world.cluster.kill(loading);
    world.database.goDown(1_500);
    world.run(3_000);
    world.cluster.start(loading);
    world.until(() => isLoaded(world) && world.cluster.isWhole(), 40_000);
    expectAllHeld(world, 60);
  });

  it('a row that fails its checksum: never taken for absent, so the loading does not end before it is mended', () => {
    const world = foundedAnew(35, 30, (fresh) => {
      (fresh.database.standing('key:5') as { checksum: number }).checksum += 1;
    });
    world.run(15_000);
    expect(isLoaded(world)).toBe(false);
    expect(world.get(world.nodes[1]!, 'key:5')).toMatchObject({ failure: { code: 'record_unavailable' } });
    expect(world.text(world.nodes[2]!, 'key:6')).toBe('v6');
    (world.database.standing('key:5') as { checksum: number }).checksum -= 1;
    world.until(() => isLoaded(world), 30_000);
    expectAllHeld(world, 30);
  });

  it('a database without rows: loaded from the first epoch on', () => {
    expect(isLoaded(new SmallWorld(34))).toBe(true);
  });
});
