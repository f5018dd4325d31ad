/**
 * All complete owners of a slot are lost with their disks. Nobody serves the slot until an operator gives them up; then
 * PostgreSQL and what survivors have left are merged, taking the higher version of each key, before anybody is
 * answered. (DESIGN 3, PROTOCOL R21, R28)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { lossOf } from '../src/core/lives/recovery.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { isForsaken, memberById, recovererOf, rowOfSlot } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import { sealRecord } from '../src/wire/record-codec.ts';
import type { SimNode } from './cluster.ts';
import { loseWhoTeaches, seesLoss } from './scenarios/learners-left.ts';
import { SmallWorld } from './small-world.ts';

const NOT_READY = { kind: 'failed', failure: { code: 'not_ready' } };

function topologyAt(sim: SimNode): Topology {
  return sim.node!.membership.topology!;
}

function remove(world: SmallWorld, key: string): void {
  world.write(world.nodes[0]!, { kind: 'delete', key, operationId: null });
}

const isServed = (world: SmallWorld, sim: SimNode, key: string): boolean =>
  world.get(sim, key).kind !== 'failed';

/** Seven members; the three that share some slots are lost with their disks. */
function threeOfSevenLost(
  seed: number,
  mutations: Mutations = {},
): {
  world: SmallWorld;
  living: SimNode[];
  lost: SimNode[];
  keys: string[];
} {
  const world = new SmallWorld(seed, { nodeCount: 7, mutations });
  const lost = world.ownersOf('key:0');
  const isTheirs = (key: string): boolean => world.ownersOf(key).every((sim) => lost.includes(sim));
  const keys = Array.from({ length: 2_000 }, (_, index) => `key:${index}`)
    .filter(isTheirs)
    .slice(0, 6);
  expect(keys).toHaveLength(6);
  for (const key of keys) world.put(world.nodes[0]!, key, `of ${key}`);
  remove(world, keys[1]!);
  world.run(1_000);
  for (const sim of lost) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
  const living = world.nodes.filter((sim) => !lost.includes(sim));
  world.until(() => living.every(seesLoss), 10_000);
  return { world, living, lost, keys };
}

describe('no owner of some slots lives', () => {
  test('nobody answers; an operator is shown what is lost; given up, all that PostgreSQL has is served again', () => {
    const { world, living, lost, keys } = threeOfSevenLost(71);
    for (const sim of living) expect(world.get(sim, keys[0]!)).toMatchObject(NOT_READY);
    const answer = world.operate(living[0]!, { kind: 'loss' });
    if (answer.kind !== 'lost') throw new Error(answer.kind);
    const { slots, holders, recordsKept, recordsHere } = answer.loss;
    expect(slots).toEqual(lossOf(topologyAt(living[0]!)).slots);
    expect(holders.map(({ name }) => name).sort()).toEqual(lost.map(({ name }) => name).sort());
    expect([recordsKept, recordsHere]).toEqual([6, 0]);

    const wrong = world.operate(living[1]!, { kind: 'recover', slotCount: slots.length - 1 });
    expect(wrong).toMatchObject({ kind: 'failed', failure: { code: 'invalid_argument' } });
    expect(world.operate(living[1]!, { kind: 'recover', slotCount: slots.length }).kind).toBe('changed');
    world.until(() => living.every((sim) => isServed(world, sim, keys[0]!)), 10_000);
    for (const sim of living) {
      expect(world.text(sim, keys[0]!)).toBe(`of ${keys[0]!}`);
      expect(world.text(sim, keys[1]!)).toBeUndefined();
      expect(world.text(sim, keys[5]!)).toBe(`of ${keys[5]!}`);
    }
    world.until(() => world.put(living[0]!, keys[1]!, 'new').kind === 'done', 10_000);
    for (const sim of lost) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    for (const sim of world.nodes) expect(world.text(sim, keys[1]!)).toBe('new');
    expect(world.operate(living[0]!, { kind: 'recover', slotCount: 0 })).toMatchObject({ kind: 'failed' });
  });

  test('PostgreSQL is away: nothing is served until it has been asked', () => {
    const { world, living, keys } = threeOfSevenLost(72);
    world.database.goDown(600_000);
    const { slots } = lossOf(topologyAt(living[0]!));
    const asked = world.operate(living[0]!, { kind: 'loss' });
    expect(asked).toMatchObject({ kind: 'lost', loss: { recordsKept: null } });
    expect(world.operate(living[0]!, { kind: 'recover', slotCount: slots.length }).kind).toBe('changed');
    world.run(10_000);
    for (const sim of living) expect(world.get(sim, keys[0]!)).toMatchObject(NOT_READY);
    world.database.comeUp();
    world.until(() => living.every((sim) => isServed(world, sim, keys[0]!)), 10_000);
    expect(world.text(living[0]!, keys[0]!)).toBe(`of ${keys[0]!}`);
  });

  /** Six rows in as many slots, and four members to rebuild these. */
  function unreadableRows(mutations: Mutations = {}): {
    world: SmallWorld;
    living: SimNode[];
    keys: string[];
  } {
    const { world, living, keys } = threeOfSevenLost(74, mutations);
    for (const key of keys) world.database.server.unreadable.add(key);
    const { slots } = lossOf(topologyAt(living[0]!));
    world.operate(living[0]!, { kind: 'recover', slotCount: slots.length });
    world.run(20_000);
    return { world, living, keys };
  }

  test('rows of them cannot be read at PostgreSQL: each is told, nothing is told absent, and all is served once they are mended', () => {
    const { world, living, keys } = unreadableRows();
    expect(world.told.get('recovery.row_unreadable')).toBe(keys.length);
    for (const key of keys) expect(world.get(living[0]!, key)).toMatchObject(NOT_READY);
    world.database.server.unreadable.clear();
    world.until(() => living.every((sim) => keys.every((key) => isServed(world, sim, key))), 20_000);
    expect(world.text(living[0]!, keys[0]!)).toBe(`of ${keys[0]!}`);
    expect(world.text(living[0]!, keys[1]!)).toBeUndefined();
  });

  test('two rows of one slot cannot be read: once the first is mended the second is told', () => {
    const { world, living, keys } = threeOfSevenLost(75);
    const { unreadable } = world.database.server;
    const [first, second] = [keys[0]!, `{${keys[0]!}}`];
    const row = world.database.standing(first)!;
    const record = { ...row.record, key: second };
    world.database.forge(second, { ...row, record, checksum: sealRecord(record).checksum });
    for (const key of [first, second]) unreadable.add(key);
    const toldCount = (): number => world.told.get('recovery.row_unreadable') ?? 0;
    const { slots } = lossOf(topologyAt(living[0]!));
    world.operate(living[0]!, { kind: 'recover', slotCount: slots.length });
    world.run(20_000);
    const ofFirst = toldCount();
    expect(ofFirst).toBeGreaterThan(0);
    unreadable.delete(first);
    world.until(() => toldCount() > ofFirst, 20_000);
    expect(world.get(living[0]!, first)).toMatchObject(NOT_READY);
    unreadable.clear();
    world.until(() => living.every((sim) => isServed(world, sim, second)), 20_000);
    expect(world.text(living[0]!, second)).toBe(`of ${first}`);
  });

  test('passUnreadable: what was committed is told absent', () => {
    const { world, living, keys } = unreadableRows({ passUnreadable: true });
    expect(world.get(living[0]!, keys[0]!)).toMatchObject({ kind: 'absent' });
  });

  test('whoever makes them whole dies over it: the next one does it, once they are given up again if there is none', () => {
    const { world, living, lost, keys } = threeOfSevenLost(73);
    // With it there are enough votes to go on without another one.
    world.cluster.start(lost[0]!);
    world.until(() => lost[0]!.node?.membership.leaseHeld() === true, 10_000);
    world.database.slowMs = 300;
    const { slots } = lossOf(topologyAt(living[0]!));
    world.operate(living[0]!, { kind: 'recover', slotCount: slots.length });
    const topology = topologyAt(living[0]!);
    const row = rowOfSlot(topology, slotOf(keys[0]!));
    const name = memberById(topology, recovererOf(topology, row))!.name;
    const first = world.nodes.find((sim) => sim.name === name)!;
    world.cluster.kill(first);
    const others = living.filter((sim) => sim !== first);
    const isOver = (): boolean =>
      others[0]!.node!.membership.leaseHeld() &&
      topologyAt(others[0]!).members.every((each) => each.name !== name || !each.alive);
    world.until(isOver, 10_000);
    const left = lossOf(topologyAt(others[0]!)).slots.length;
    const again = { kind: 'recover', slotCount: left } as const;
    if (left > 0) expect(world.operate(others[0]!, again)).toMatchObject({ kind: 'changed' });
    world.until(() => others.every((sim) => isServed(world, sim, keys[0]!)), 20_000);
    for (const sim of others) expect(world.text(sim, keys[0]!)).toBe(`of ${keys[0]!}`);
  });
});

describe('two members are learning from the third when it is lost', () => {
  /** Their disks have old values: node-3 lacks everything written after it went down, node-2 lacks less. */
  function learnersLeft(
    seed: number,
    isWiped = true,
    mutations: Mutations = {},
  ): { world: SmallWorld; living: SimNode[]; keys: string[] } {
    const world = new SmallWorld(seed, { mutations });
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    const keys = Array.from({ length: 9 }, (_, index) => `key:${index}`);
    for (const key of keys) world.put(one, key, 'old');
    world.run(500);
    world.cluster.kill(three);
    world.until(() => world.put(one, keys[0]!, 'new').kind === 'done', 5_000);
    for (const key of keys.slice(1, 6)) world.put(one, key, 'new');
    remove(world, keys[6]!);
    world.run(500);
    world.cluster.kill(two);
    world.run(500);
    return { world, living: loseWhoTeaches(world, isWiped), keys };
  }

  test('given up: the newer of what PostgreSQL and the disk have, also of a deletion', () => {
    const { world, living, keys } = learnersLeft(84);
    expect(lossOf(topologyAt(living[0]!)).slots).toHaveLength(16_384);
    for (const sim of living) expect(world.get(sim, keys[0]!)).toMatchObject(NOT_READY);
    expect(world.operate(living[0]!, { kind: 'recover', slotCount: 16_384 })).toMatchObject({
      kind: 'changed',
    });
    world.until(() => living.every((sim) => keys.every((key) => isServed(world, sim, key))), 20_000);
    for (const sim of living) {
      expect(keys.map((key) => world.text(sim, key))).toEqual([
        ...['new', 'new', 'new', 'new', 'new', 'new', undefined, 'old', 'old'],
      ]);
    }
    world.cluster.start(world.nodes[0]!);
    world.until(() => world.cluster.isWhole(), 30_000);
    for (const sim of world.nodes) expect(world.text(sim, keys[0]!)).toBe('new');
    expect(topologyAt(living[0]!).rows.some(isForsaken)).toBe(false);
  });

  test('rows cannot be read at PostgreSQL, or have lost their values: what a disk has left over of the same versions stands', () => {
    const { world, living, keys } = learnersLeft(85);
    const { database } = world;
    const [held, rotten] = [keys[7]!, keys[8]!];
    database.server.unreadable.add(held);
    const row = database.standing(rotten)!;
    database.forge(rotten, { ...row, record: { ...row.record, value: Buffer.from('rot') } });
    world.operate(living[0]!, { kind: 'recover', slotCount: 16_384 });
    world.until(() => living.every((sim) => keys.every((key) => isServed(world, sim, key))), 20_000);
    for (const sim of living)
      expect([held, rotten].map((key) => world.text(sim, key))).toEqual(['old', 'old']);
  });

  test('given up, and PostgreSQL is not asked: what came after a member went is missing, which is seen', () => {
    const { world, living, keys } = learnersLeft(84, true, { recoverUnread: true });
    world.operate(living[0]!, { kind: 'recover', slotCount: 16_384 });
    world.until(() => living.every((sim) => keys.every((key) => isServed(world, sim, key))), 20_000);
    const values = keys.map((key) => world.text(living[0]!, key));
    expect(values.slice(0, 6)).toContain('old');
  });

  test('it comes back with its disk after all, before anybody gave it up: nothing is lost', () => {
    const { world, living, keys } = learnersLeft(76, false);
    expect(lossOf(topologyAt(living[0]!)).holders).toMatchObject([{ name: 'node-1' }]);
    expect(world.get(living[0]!, keys[0]!)).toMatchObject(NOT_READY);
    world.cluster.start(world.nodes[0]!);
    world.until(() => world.cluster.isWhole(), 30_000);
    for (const sim of world.nodes) expect(world.text(sim, keys[0]!)).toBe('new');
  });
});
