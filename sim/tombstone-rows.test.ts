/**
 * Rows of old deletions are removed from PostgreSQL, and nothing comes back in their place: neither from a statement
 * that hung on its way, nor from one that began before the floors were raised, nor when a cluster is founded anew on
 * PostgreSQL's rows, nor from a disk that was away. (PROTOCOL R24, R28)
 */
import { describe, expect, test } from 'vitest';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { PROTOCOL_MIN } from '../src/core/membership/protocol-versions.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { counterOf } from '../src/core/version.ts';
import type { SimNode } from './cluster.ts';
import type { FloorsSeen } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 300;
const KEY = 'key:1';
const SLOT = slotOf(KEY);

function worldOf(seed: number, mutations: Mutations = NO_MUTATIONS, nodeCount = 3): SmallWorld {
  return new SmallWorld(seed, { nodeCount, mutations, tombstoneKeepMs: KEEP_MS });
}

function remove(world: SmallWorld, sim: SimNode): number {
  const result = world.write(sim, { kind: 'delete', key: KEY, operationId: null });
  if (result.kind !== 'done') throw new Error('the deletion was not done');
  return result.version;
}

const holds = ({ node }: SimNode): boolean => node !== null && node.inspect(KEY).record !== undefined;
const rowsRemoved = (world: SmallWorld): number =>
  world.nodes.reduce((sum, { node }) => sum + (node?.status().tombstones.rowsRemoved ?? 0), 0);

function untilForgotten(world: SmallWorld): void {
  world.until(() => !world.nodes.some(holds) && world.database.standing(KEY) === undefined, 20_000);
}

/**
 * The key is written, the statement of its first value hangs, and the key is deleted. Returns a function that makes the
 * statement arrive after all.
 */
function hanging(world: SmallWorld): (seen?: FloorsSeen) => void {
  let arrive: ((seen?: FloorsSeen) => void) | null = null;
  world.database.hold = (run) => (arrive = run);
  world.put(world.nodes[0]!, KEY, 'from before');
  expect(arrive).not.toBeNull();
  remove(world, world.nodes[0]!);
  return arrive!;
}

/** All nodes die and lose their disks: what PostgreSQL has is all that is left. */
function foundAnew(world: SmallWorld): void {
  for (const sim of world.nodes) world.cluster.kill(sim);
  for (const sim of world.nodes) sim.disk.wipe();
  for (const sim of world.nodes) world.cluster.start(sim);
  world.until(() => world.cluster.isWhole(), 20_000);
}

test('a member speaks an earlier version, whose statements pass every floor: rows stay until the later one is in force', () => {
  const world = new SmallWorld(33, {
    before: ({ cluster }) => cluster.versions.install('node-2', PROTOCOL_MIN),
    tombstoneKeepMs: KEEP_MS,
  });
  world.put(world.nodes[0]!, KEY, 'one');
  const version = remove(world, world.nodes[0]!);
  world.until(() => !world.nodes.some(holds), 20_000);
  world.run(20_000);
  expect(world.database.standing(KEY)?.record.version).toBe(version);
  expect(rowsRemoved(world)).toBe(0);
});

describe('a deletion is old', () => {
  test('its row goes, once; what is written next is above it, here and in a cluster founded anew', () => {
    const world = worldOf(31);
    world.put(world.nodes[0]!, KEY, 'one');
    const version = remove(world, world.nodes[1]!);
    expect(world.database.standing(KEY)?.record.version).toBe(version);
    untilForgotten(world);
    expect(rowsRemoved(world)).toBe(1);
    expect(world.nodes.map(({ node }) => node!.status().tombstones.rowsWaiting)).toEqual([0, 0, 0]);
    expect(world.database.server.floorOf(SLOT)).toBeGreaterThanOrEqual(counterOf(version));
    foundAnew(world);
    expect(world.nodes.map((sim) => world.text(sim, KEY))).toEqual([undefined, undefined, undefined]);
    world.put(world.nodes[2]!, KEY, 'again');
    expect(world.database.standing(KEY)!.record.version).toBeGreaterThan(version);
  });

  test('everybody dies between the removal of the row and its own: it is found again, and forgotten', () => {
    const world = worldOf(32);
    world.put(world.nodes[0]!, KEY, 'one');
    remove(world, world.nodes[1]!);
    world.until(() => world.database.server.floorOf(SLOT) > 0, 20_000);
    for (let at = 0; world.database.standing(KEY) !== undefined; at += 1) {
      expect(at).toBeLessThan(5_000);
      world.run(0.5);
    }
    expect(world.nodes.every(holds)).toBe(true);
    for (const sim of world.nodes) world.cluster.kill(sim);
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 20_000);
    untilForgotten(world);
    expect(world.told.get('record.rows_lost')).toBeUndefined();
    expect(world.database.resurrected).toBeNull();
  });

  test('PostgreSQL is away when the row is to go: the owners keep their deletion until it is back', () => {
    const world = worldOf(33);
    world.put(world.nodes[0]!, KEY, 'one');
    remove(world, world.nodes[1]!);
    world.database.goDown(3_000);
    world.run(2_900);
    expect(world.nodes.every(holds)).toBe(true);
    untilForgotten(world);
  });
});

describe('a statement hangs while the row of a deletion is removed', () => {
  function arrivesAfterwards(mutations: Mutations): string | undefined {
    const world = worldOf(34, mutations);
    const arrive = hanging(world);
    untilForgotten(world);
    arrive();
    const stands = world.database.standing(KEY);
    foundAnew(world);
    const text = world.text(world.nodes[0]!, KEY);
    expect([stands === undefined, world.database.resurrected === null]).toEqual(
      text === undefined ? [true, true] : [false, false],
    );
    return text;
  }

  test('it arrives afterwards, sent by one who did not know the floor: nothing stands again', () => {
    expect(arrivesAfterwards({})).toBeUndefined();
  });

  test('the rule broken: it claims to know every floor, and what was deleted is read in a cluster founded anew', () => {
    expect(arrivesAfterwards({ passRecordFloor: true })).toBe('from before');
  });

  /**
   * The statement began just before the floors were raised, and does its work at the end of the longest life of a
   * statement.
   */
  function begunBefore(mutations: Mutations): string | null {
    const world = worldOf(35, mutations);
    const arrive = hanging(world);
    const { server } = world.database;
    let seen = server.seeFloors();
    for (let at = 0; server.floorOf(SLOT) === 0; at += 1) {
      expect(at).toBeLessThan(20_000);
      seen = server.seeFloors();
      world.run(1);
    }
    world.run(world.database.settings.statementMsMax - 1);
    arrive(seen);
    if (world.database.resurrected === null) untilForgotten(world);
    return world.database.resurrected;
  }

  test('it was begun before the floors were raised: the row is still there when it ends', () => {
    expect(begunBefore({})).toBeNull();
  });

  test('the rule broken: rows go at once, and it puts back what was deleted', () => {
    expect(begunBefore({ removeRowsAtOnce: true })).toContain('was removed there');
  });
});

/**
 * All owners have acknowledged the member's write, and PostgreSQL does not have it, when the member is cut off from
 * both. The others finish the write, delete its key and forget the deletion. Then the member reaches PostgreSQL again,
 * and does not hear of the others yet.
 */
describe('a write is under way at a member that is cut off while its key is deleted, and the deletion forgotten', () => {
  function reachesPostgresAlone(mutations: Mutations): { text: string | undefined; keptOut: number } {
    const world = worldOf(39, mutations);
    const cutOff = world.nodes[0]!;
    const others = world.nodes.slice(1);
    world.database.hold = () => {
      world.cluster.network.isolate(cutOff.name, 'silent');
      world.database.unreached.cutOff(cutOff.life!, 60_000);
    };
    const value = Buffer.from('from before');
    const operation = { kind: 'put', key: KEY, value, ttlMs: 0, operationId: null } as const;
    cutOff.node!.write(operation, 1_000, () => undefined);
    world.until(() => world.database.standing(KEY) !== undefined, 10_000);
    remove(world, others[0]!);
    world.until(() => !others.some(holds) && world.database.standing(KEY) === undefined, 30_000);
    world.database.unreached.cutOff(cutOff.life!, 0);
    world.until(() => world.told.get('record.kept_out') !== undefined, 10_000);
    world.run(3_000);
    expect(world.database.standing(KEY) === undefined).toBe(world.database.resurrected === null);
    world.cluster.network.heal();
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(world.nodes.map((sim) => world.text(sim, KEY))).toEqual([undefined, undefined, undefined]);
    const keptOut = world.told.get('record.kept_out')!;
    foundAnew(world);
    return { text: world.text(world.nodes[0]!, KEY), keptOut };
  }

  test('without a lease it does not name the floor: nothing stands again', () => {
    const { text, keptOut } = reachesPostgresAlone({});
    expect(text).toBeUndefined();
    expect(keptOut).toBeGreaterThan(1);
  });

  test('the rule broken: it does, and what was deleted is read in a cluster founded anew', () => {
    expect(reachesPostgresAlone({ nameFloorUnleased: true })).toEqual({ text: 'from before', keptOut: 1 });
  });
});

describe('a value stands below the floor of its slot, and PostgreSQL loses its row', () => {
  const OTHER = '{key:1}other';

  /** A value written before the deletion that raises the floor above it. */
  function worldWithValueBelow(seed: number, mutations: Mutations = NO_MUTATIONS): SmallWorld {
    const world = worldOf(seed, mutations);
    world.put(world.nodes[0]!, OTHER, 'at rest');
    for (const value of ['one', 'two', 'three']) world.put(world.nodes[0]!, KEY, value);
    remove(world, world.nodes[1]!);
    untilForgotten(world);
    const { version } = world.database.standing(OTHER)!.record;
    expect(counterOf(version)).toBeLessThanOrEqual(world.database.server.floorOf(SLOT));
    world.database.forge(OTHER, null);
    return world;
  }

  const isBack = (world: SmallWorld): boolean => world.database.standing(OTHER)?.record.tombstone === false;

  test('a scrubber has it written again: its round knows the floor by then', () => {
    const world = worldWithValueBelow(37);
    world.orderScrub();
    world.until(() => isBack(world), 20_000);
    expect(world.told.get('record.kept_out')).toBe(1);
    world.until(() => world.nodes.every(({ node }) => node!.status().keysInFlight === 0), 5_000);
  });

  test('a failover has the slot compared: what is kept out is looked at once more, knowing the floor', () => {
    const world = worldWithValueBelow(38);
    world.database.failOver(0);
    world.until(() => isBack(world), 20_000);
    const isDriven = ({ node }: SimNode): boolean => node!.status().record.drive?.isDriven === true;
    world.until(() => world.nodes.every(isDriven), 20_000);
    expect(world.text(world.nodes[0]!, OTHER)).toBe('at rest');
  });
});

describe('slots are given up, and a disk has what was deleted and forgotten while it was away', () => {
  function leftOver(mutations: Mutations): { world: SmallWorld; text: string | undefined; version: number } {
    const world = worldOf(36, mutations, 7);
    world.put(world.ownersOf(KEY)[0]!, KEY, 'from before');
    world.run(500);
    const [first, second, away] = world.ownersOf(KEY) as [SimNode, SimNode, SimNode];
    world.cluster.kill(away);
    world.until(() => world.cluster.isWhole(away), 10_000);
    const version = remove(world, first);
    world.until(() => !holds(first) && !holds(second) && world.database.standing(KEY) === undefined, 20_000);
    for (const sim of [first, second]) {
      world.cluster.kill(sim);
      sim.disk.wipe();
    }
    world.cluster.start(away);
    const living = world.nodes.filter((sim) => sim !== first && sim !== second);
    world.giveUp(KEY, living, away);
    const text = world.text(away, KEY);
    for (const sim of [first, second]) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    return { world, text, version };
  }

  test('below the floor that PostgreSQL has only what has a row there counts; what is written next is above it', () => {
    const { world, text, version } = leftOver({});
    expect(text).toBeUndefined();
    expect(world.put(world.nodes[0]!, KEY, 'again').kind).toBe('done');
    expect(world.database.standing(KEY)!.record.version).toBeGreaterThan(version);
  });

  test('the rule broken: what was deleted is read again', () => {
    expect(leftOver({ recoverBelowFloor: true }).text).toBe('from before');
  });
});
