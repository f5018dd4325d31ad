/**
 * Damaged records of a simulated cluster: never served, never absent, never replaced by older ones, and repaired
 * automatically.
 */
import { describe, expect, it } from 'vitest';
import { slotOf } from '../src/core/placement/slots.ts';
import { sealRecord } from '../src/wire/record-codec.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

/** Too large to be cached: every read goes to the disk. */
const large = (mark: string): string => mark.repeat(200_000);
const stored = recordKey(slotOf('key'), 'key');

function damaged(
  seed: number,
  count: number,
  value = large('a'),
): { world: SmallWorld; hit: SimNode[]; whole: SimNode[] } {
  const world = new SmallWorld(seed);
  expect(world.put(world.nodes[0]!, 'key', value).kind).toBe('done');
  world.run(1_000);
  const owners = world.ownersOf('key');
  const hit = owners.slice(0, count);
  for (const sim of hit) expect(sim.disk.flipBit((key) => key === stored)).toBe(stored);
  return { world, hit, whole: owners.slice(count) };
}

const isWhole = (world: SmallWorld): boolean =>
  new Set(world.nodes.map((sim) => Buffer.from(sim.disk.get(stored)!).toString('base64'))).size === 1;

describe('a damaged record', () => {
  it('it is read at its owner: another owner answers, and the record is fetched from there', () => {
    const { world, hit } = damaged(21, 1);
    expect(world.text(hit[0]!, 'key')).toBe(large('a'));
    world.until(() => isWhole(world), 2_000);
    expect(world.told.get('store.record_damaged')).toBe(1);
    expect(world.told.get('store.record_repaired')).toBe(1);
    expect(world.text(hit[0]!, 'key')).toBe(large('a'));
  });

  it.each([
    ['another owner', 1],
    ['the damaged one', 0],
  ])('%s coordinates a write: it waits for the repair and is done', (_who, place) => {
    const { world } = damaged(22 + place, 1);
    expect(world.put(world.ownersOf('key')[place]!, 'key', large('b')).kind).toBe('done');
    expect(world.told.get('store.record_repaired')).toBe(1);
    for (const sim of world.nodes) expect(world.text(sim, 'key')).toBe(large('b'));
    world.until(() => isWhole(world), 2_000);
  });

  it('a condition on it: judged on what another owner holds', () => {
    const { world, hit } = damaged(24, 2);
    const expect_ = { kind: 'value', value: Buffer.from(large('a')) } as const;
    const swap = {
      kind: 'compareAndPut',
      key: 'key',
      expect: expect_,
      value: Buffer.from('c'),
      ttlMs: 0,
    } as const;
    expect(world.write(hit[1]!, { ...swap, operationId: null }).kind).toBe('done');
    for (const sim of world.nodes) expect(world.text(sim, 'key')).toBe('c');
    world.until(() => isWhole(world), 2_000);
  });

  it('it is damaged at every owner: PostgreSQL has it, and it goes round anew', () => {
    const { world } = damaged(27, 3);
    for (const sim of world.nodes) expect(world.text(sim, 'key')).toBe(large('a'));
    world.until(() => isWhole(world), 5_000);
    expect(world.put(world.nodes[1]!, 'key', 'new').kind).toBe('done');
  });

  it('it is damaged at every owner: no answer, neither absence nor an older value', () => {
    const { world } = damaged(25, 3);
    const row = world.database.standing('key')!;
    const older = sealRecord({
      ...row.record,
      version: row.record.version - 4_096,
      value: Buffer.from('older'),
    });
    world.database.forge('key', { record: older.record, slot: row.slot, checksum: older.checksum });
    for (const sim of world.nodes) expect(world.get(sim, 'key').kind).toBe('failed');
    expect(world.put(world.nodes[1]!, 'key', 'new')).toMatchObject({ failure: { code: 'record_damaged' } });
    expect(world.told.get('store.record_repaired')).toBeUndefined();
  });

  it('a learner meets it at sources that have it in memory, too: it is repaired all the same', () => {
    const { world, whole } = damaged(28, 2, 'small');
    world.cluster.kill(whole[0]!);
    whole[0]!.disk.wipe();
    world.run(100);
    world.cluster.start(whole[0]!);
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(world.told.get('store.record_repaired')).toBeGreaterThan(0);
    expect(world.text(whole[0]!, 'key')).toBe('small');
  });

  it('a learner meets it at its source: the source repairs it first, and the learner gets it', () => {
    const { world, hit, whole } = damaged(26, 1);
    world.cluster.kill(whole[1]!);
    whole[1]!.disk.wipe();
    world.run(100);
    world.cluster.start(whole[1]!);
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(world.text(hit[0]!, 'key')).toBe(large('a'));
    world.until(() => isWhole(world), 2_000);
  });
});
