/**
 * Lives of the cluster that have not heard of one another: founders whose disks are lost know nothing of a member that
 * joined later; an operator goes on where not every member is known; a majority of an earlier life starts again.
 * PostgreSQL knows which life is in force and who was up in it, and through it the others find that life. (PROTOCOL
 * R27, R28, decision 35)
 */
import { describe, expect, test } from 'vitest';
import { LIFE_FRESH_MS } from '../src/core/lives/life-limits.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { memberByName } from '../src/core/membership/topology.ts';
import { PROBES } from '../src/node/readiness.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt } from './going-on.ts';
import { KEYS, isOneLife, lifeAt, serves, startAll, topologyAt, untilOneLife } from './life-world.ts';
import { SimRecordServer } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

const NOT_READY = { kind: 'failed', failure: { code: 'not_ready' } };

interface Joined {
  readonly world: SmallWorld;
  readonly founders: readonly SimNode[];
  readonly joined: SimNode;
}

/** Three founders, and a fourth node that joined them. */
function fourMembers(seed: number, mutations: Mutations = {}): Joined {
  const world = new SmallWorld(seed, { mutations });
  for (const key of KEYS) world.put(world.nodes[0]!, key, 'old');
  const joined = world.cluster.add('');
  world.cluster.start(joined);
  world.until(() => world.cluster.isWhole(), 60_000);
  return { world, founders: world.nodes.slice(0, 3), joined };
}

function loseAll(world: SmallWorld, sims: readonly SimNode[]): void {
  for (const sim of sims) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
}

describe('founders start together with blank disks, and have never heard of a member that joined', () => {
  /** The member that joined has gone on alone, by an operator's order; returns the life in which all end up. */
  function besideLiving(seed: number, mutations: Mutations): number {
    const { world, founders, joined } = fourMembers(seed, mutations);
    loseAll(world, founders);
    world.run(3_000);
    expect(goOnAt(world, joined)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, joined), 10_000);
    startAll(world, founders);
    untilOneLife(world, 30_000);
    for (const sim of world.nodes)
      expect(KEYS.map((key) => world.text(sim, key))).toEqual(KEYS.map(() => 'old'));
    return lifeAt(joined);
  }

  test('it lives: they found nothing, and come back to it as members with new disks', () => {
    expect(besideLiving(401, {})).toBe(2);
  });

  test('they found beside it: another life takes the place of the one that it serves in, which is seen', () => {
    expect(besideLiving(401, { foundBesideLiving: true })).toBe(3);
  });

  test('it is up and waits for an operator: they wait with it, and nothing of what it alone may hold is given up', () => {
    const { world, founders, joined } = fourMembers(402);
    loseAll(world, founders);
    world.run(2 * LIFE_FRESH_MS);
    startAll(world, founders);
    world.run(3 * LIFE_FRESH_MS);
    expect(world.nodes.map(lifeAt)).toEqual([1, 1, 1, 1]);
    expect(world.get(joined, KEYS[0]!)).toMatchObject(NOT_READY);
    expect(goOnAt(world, joined)).toMatchObject({ kind: 'changed' });
    untilOneLife(world, 30_000);
    expect(lifeAt(joined)).toBe(2);
  });

  test('it is gone as well: they found when what it noted has stood for long, and it joins them when it is back', () => {
    const { world, founders, joined } = fourMembers(403);
    loseAll(world, founders);
    world.cluster.kill(joined);
    const killedAt = world.scheduler.time;
    startAll(world, founders);
    world.until(() => founders.every((sim) => lifeAt(sim) === 2), LIFE_FRESH_MS + 3_000);
    expect(world.scheduler.time - killedAt).toBeGreaterThan(LIFE_FRESH_MS - 2_500);
    world.cluster.start(joined);
    untilOneLife(world, 30_000);
    expect(lifeAt(joined)).toBe(2);
    expect(memberByName(topologyAt(founders[0]!)!, joined.name)!.alive).toBe(true);
    expect(world.text(joined, KEYS[0]!)).toBe('old');
  });

  test('PostgreSQL has never seen a cluster: nobody waits', () => {
    expect(new SmallWorld(404).scheduler.time).toBeLessThan(1_500);
  });

  test('nobody was up for long: they look for as long as one that lives leaves no note standing, and found', () => {
    const world = new SmallWorld(404);
    loseAll(world, world.nodes);
    world.run(10 * LIFE_FRESH_MS);
    const startedAt = world.scheduler.time;
    startAll(world, world.nodes);
    world.until(() => world.nodes.every((sim) => lifeAt(sim) === 2), LIFE_FRESH_MS + 3_000);
    expect(world.scheduler.time - startedAt).toBeGreaterThan(LIFE_FRESH_MS);
  });

  /** PostgreSQL was away for long, and the member reaches it last; returns the life of all nodes that come up. */
  function afterOutage(mutations: Mutations): number {
    const { world, founders, joined } = fourMembers(411, mutations);
    loseAll(world, founders);
    world.run(3_000);
    expect(goOnAt(world, joined)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, joined), 10_000);
    world.database.goDown(3 * LIFE_FRESH_MS);
    world.database.unreached.cutOff(joined.life!, 3 * LIFE_FRESH_MS + 2_500);
    world.run(2 * LIFE_FRESH_MS);
    startAll(world, founders);
    untilOneLife(world, 60_000);
    return lifeAt(joined);
  }

  test('PostgreSQL was away, and they look before it has noted anew that it lives: they wait for that', () => {
    expect(afterOutage({})).toBe(2);
  });

  test('an old note is trusted at once: they found beside it, which is seen', () => {
    expect(afterOutage({ trustOldNote: true })).toBe(3);
  });

  test.each([3_600_000, -3_600_000])(
    "PostgreSQL's clock is set by %i ms: it notes anew that it lives, and they wait beside it",
    (ms) => {
      const { world, founders, joined } = fourMembers(412);
      loseAll(world, founders);
      world.database.clockSetMs = ms;
      startAll(world, founders);
      world.run(4 * LIFE_FRESH_MS);
      expect(world.nodes.map(lifeAt)).toEqual([1, 1, 1, 1]);
      expect(goOnAt(world, joined)).toMatchObject({ kind: 'changed' });
      untilOneLife(world, 30_000);
      expect(lifeAt(joined)).toBe(2);
    },
  );
});

describe('an operator goes on at a member that has not heard of one that joined', () => {
  test('that one is up, and finds by PostgreSQL who goes on without it', () => {
    const world = new SmallWorld(405);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'old');
    world.cluster.kill(one);
    world.until(() => world.put(two, KEYS[0]!, 'new').kind === 'done', 5_000);
    const joined = world.cluster.add('');
    world.cluster.start(joined);
    world.until(() => world.cluster.isWhole(one), 60_000);
    loseAll(world, [two, three]);
    world.cluster.network.cut(one.name, joined.name);
    world.cluster.start(one);
    world.run(3_000);
    expect(memberByName(topologyAt(one)!, joined.name)).toBeUndefined();
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, one), 10_000);
    world.cluster.network.heal();
    startAll(world, [two, three]);
    untilOneLife(world, 30_000);
    expect(world.nodes.map(lifeAt)).toEqual([2, 2, 2, 2]);
    expect(world.text(joined, KEYS[0]!)).toBe('new');
  });
});

describe("postgres.url leads to another cluster's database on the same server, of a higher life", () => {
  /** Restarts one node with that setting; returns the world, which has what the node logged. */
  function misled(mutations: Mutations): SmallWorld {
    const world = new SmallWorld(413, { mutations });
    const two = world.nodes[1]!;
    const theirs = new SimRecordServer();
    for (const [life, clusterId] of ['a', 'b', 'c'].entries()) theirs.found(life, clusterId);
    theirs.sign({ clusterId: 'c', life: 3 }, [{ name: 'stranger', address: 'stranger:1' }], Infinity);
    world.cluster.kill(two);
    world.database.point(two.name, theirs);
    world.cluster.start(two);
    return world;
  }

  test('that node serves nothing, meets nobody of theirs, and ends with the word of what is wrong', () => {
    const world = misled({});
    const two = world.nodes[1]!;
    let isServed = false;
    const hasEnded = (): boolean => {
      isServed ||= two.node?.membership.leaseHeld() === true && world.told.has('membership.life.foreign');
      return two.life === null;
    };
    world.until(hasEnded, 3 * LIFE_FRESH_MS);
    expect(isServed).toBe(false);
    expect(world.fatal.join()).toContain("point it at this one's");
    expect(world.told.has('membership.life.over')).toBe(false);
    world.until(() => world.put(world.nodes[0]!, KEYS[0]!, 'ours').kind === 'done', 10_000);
    world.database.point(two.name, null);
    world.cluster.start(two);
    world.until(() => isOneLife(world), 20_000);
    expect(world.nodes.map(lifeAt)).toEqual([1, 1, 1]);
  });

  test('any later life is believed: it takes its own for over, and looks for the others', () => {
    const world = misled({ trustLaterLife: true });
    world.until(() => world.told.has('membership.life.over'), 10_000);
  });

  test('an operator is not let go on there', () => {
    const world = misled({});
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const sim of [one, three]) world.cluster.kill(sim);
    world.run(3_000);
    expect(JSON.stringify(goOnAt(world, two))).toContain('postgres.url');
  });
});

/** Nobody waits at a node that only an operator can make a member. */
function refusesAtOnce(world: SmallWorld, sim: SimNode, outside: string): void {
  const began = world.scheduler.time;
  for (const { kind, ...rest } of [world.get(sim, KEYS[0]!), world.put(sim, KEYS[0]!, 'never')]) {
    expect(kind).toBe('failed');
    expect(rest).toMatchObject({
      failure: { code: 'not_ready', message: expect.stringContaining(outside) as string },
    });
  }
  expect(world.scheduler.time - began).toBeLessThan(100);
}

describe('a founder was told to leave while it was down, and comes back with its disk', () => {
  /**
   * Why the node stays outside, as it reports after a while. `alone`: the others are lost, and the member that joined
   * has gone on in another life.
   */
  function comesBack(seed: number, alone: boolean): string {
    const { world, founders, joined } = fourMembers(seed);
    const [one, ...others] = founders as [SimNode, ...SimNode[]];
    world.cluster.kill(one);
    world.until(() => memberByName(topologyAt(joined)!, one.name)?.alive === false, 5_000);
    joined.node!.membership.proposals.wishes.add({ kind: 'leave', name: one.name });
    world.until(() => memberByName(topologyAt(joined)!, one.name) === undefined, 20_000);
    if (alone) {
      for (const sim of others) world.cluster.kill(sim);
      world.run(3_000);
      expect(goOnAt(world, joined)).toMatchObject({ kind: 'changed' });
      world.until(() => serves(world, joined), 10_000);
    }
    world.cluster.start(one);
    world.until(() => world.told.has('membership.outside'), 30_000);
    const { outside } = one.node!.status();
    expect(PROBES.ready(one.node!.status()).join()).toContain(outside);
    if (alone) refusesAtOnce(world, one, outside);
    else expect(world.get(one, KEYS[0]!), 'handed on').toMatchObject({ kind: 'value' });
    return outside;
  }

  test.each([
    ['in the same life', 415, false, 'life 1'],
    ['the others have gone on without it', 416, true, 'life 2'],
  ] as const)('%s: it says that it is not let in, and what a person does', (_what, seed, alone, life) => {
    const reason = comesBack(seed, alone);
    expect(reason).toContain(life);
    expect(reason).toContain('set node.join to the address of one of them');
  });
});
