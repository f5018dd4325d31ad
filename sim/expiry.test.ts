/**
 * Expired records of a simulated cluster: they become deletions everywhere, and never before they have expired by every
 * owner's clock.
 */
import { describe, expect, it } from 'vitest';
import { slotOf } from '../src/core/placement/slots.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

describe('expiry', () => {
  it('a record expires: every owner and PostgreSQL get its tombstone, unasked, and the next write stands', () => {
    const world = new SmallWorld(1);
    for (let index = 0; index < 20; index += 1)
      expect(world.put(world.nodes[index % 3]!, `short:${index}`, 'x', 1_000).kind).toBe('done');
    world.put(world.nodes[0]!, 'long', 'stays', 100_000);
    expect(world.text(world.nodes[1]!, 'short:3')).toBe('x');
    const isGone = (key: string): boolean =>
      world.nodes.every((sim) => sim.node!.inspect(key).record?.tombstone === true) &&
      world.database.standing(key)?.record.tombstone === true;
    world.until(() => Array.from({ length: 20 }, (_, index) => `short:${index}`).every(isGone), 10_000);
    expect(world.text(world.nodes[1]!, 'long')).toBe('stays');
    expect(world.put(world.nodes[2]!, 'short:3', 'again').kind).toBe('done');
    world.run(3_000);
    expect(world.text(world.nodes[1]!, 'short:3')).toBe('again');
  });

  it('records that were on disk at start: found without a walk over those that never expire', () => {
    const world = new SmallWorld(2);
    world.put(world.nodes[0]!, 'short', 'x', 1_500);
    for (const sim of world.nodes) world.cluster.kill(sim);
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 15_000);
    world.until(
      () => world.nodes.every((sim) => sim.node!.inspect('short').record?.tombstone === true),
      10_000,
    );
  });

  it('the record that expires is damaged on the disk of the first owner, whom nobody asks: repaired, and deleted everywhere', () => {
    const world = new SmallWorld(6);
    const first = world.ownersOf('short')[0]!;
    expect(world.put(first, 'short', 'x', 1_000).kind).toBe('done');
    world.run(200);
    const stored = recordKey(slotOf('short'), 'short');
    expect(first.disk.flipBit((key) => key === stored)).toBe(stored);
    world.until(
      () => world.nodes.every((sim) => sim.node!.inspect('short').record?.tombstone === true),
      10_000,
    );
    expect(world.told.get('store.record_repaired')).toBe(1);
  });

  it('a record is on its way to the disk when its slot is looked through: its time is not forgotten', () => {
    const world = new SmallWorld(5);
    const first = world.ownersOf('{slot}a')[0]!;
    expect(world.put(first, '{slot}a', 'x', 300).kind).toBe('done');
    first.disk.slowMs = 1_000;
    let written = false;
    const late = {
      kind: 'put',
      key: '{slot}b',
      value: Buffer.from('y'),
      ttlMs: 2_000,
      operationId: null,
    } as const;
    first.node!.write(late, 10_000, () => (written = true));
    world.until(() => written, 5_000);
    first.disk.slowMs = 0;
    const isGone = (key: string): boolean =>
      world.nodes.every((sim) => sim.node!.inspect(key).record?.tombstone === true);
    world.until(() => isGone('{slot}a') && isGone('{slot}b'), 10_000);
  });

  it("one owner's clock is behind: the record stays readable there and elsewhere is not deleted before", () => {
    const world = new SmallWorld(3);
    const behind = world.ownersOf('short')[1]!;
    behind.clocks.wallOffset -= 4_000;
    world.run(500);
    world.put(world.ownersOf('short')[0]!, 'short', 'x', 1_000);
    world.run(3_000);
    expect(world.text(behind, 'short')).toBe('x');
    expect(world.nodes.every((sim) => sim.node!.inspect('short').record?.tombstone === false)).toBe(true);
    expect(world.told.get('replication.refused')).toBeUndefined();
    world.until(
      () => world.nodes.every((sim) => sim.node!.inspect('short').record?.tombstone === true),
      10_000,
    );
  });

  it("an owner's clock is set back an hour when its word has let an expiry begin: nobody waits for that hour", () => {
    const world = new SmallWorld(7);
    const [first, behind] = world.ownersOf('short') as [SimNode, SimNode];
    expect(world.put(first, 'short', 'x', 1_000).kind).toBe('done');
    world.run(800);
    world.cluster.network.lag(first.name, behind.name, 100);
    world.until(() => first.node!.inspect('short').record?.tombstone === true, 5_000);
    behind.clocks.wallOffset -= 3_600_000;
    world.cluster.network.lag(first.name, behind.name, 0);
    world.run(3_000);
    expect(world.get(first, 'short')).toEqual({ kind: 'absent' });
    const one = { kind: 'increment', key: 'short', delta: 1n, operationId: null } as const;
    expect(world.write(first, one).kind).toBe('done');
  });

  it('an expiry is asked for too early by hand: the owner whose time has not come refuses until it has', () => {
    const world = new SmallWorld(4);
    const behind = world.ownersOf('short')[1]!;
    behind.clocks.wallOffset -= 2_000;
    const put = world.put(world.ownersOf('short')[0]!, 'short', 'x', 200);
    world.run(400);
    const version = put.kind === 'done' ? put.version : 0;
    const asked = world.scheduler.time;
    const result = world.write(world.nodes[0]!, { kind: 'expire', key: 'short', version, operationId: null });
    expect(result.kind).toBe('done');
    expect(world.scheduler.time - asked).toBeGreaterThan(1_000);
    expect(world.told.get('replication.refused')).toBeGreaterThan(0);
    expect(world.text(behind, 'short')).toBe(undefined);
  });
});
