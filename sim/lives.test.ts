/**
 * Lives of the cluster that have not heard of one another: founders whose disks are lost know nothing of a member that joined
 * later, an operator goes on where not everybody is known, a majority of an earlier life starts again. PostgreSQL knows
 * which life is in force, and who was up in it; by that the others find it. (PROTOCOL R27, R28, decision 35)
 */
import { describe, expect, test } from 'vitest';
import { LIFE_FRESH_MS } from '../src/core/life-limits.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { memberByName } from '../src/core/topology.ts';
import type { Topology } from '../src/core/topology.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt } from './going-on.ts';
import { SmallWorld } from './small-world.ts';

const KEYS = Array.from({ length: 8 }, (_, index) => `key:${index}`);
const NOT_READY = { kind: 'failed', failure: { code: 'not_ready' } };

const topologyAt = (sim: SimNode): Topology | null => sim.node?.membership.topology ?? null;
const lifeAt = (sim: SimNode): number => topologyAt(sim)?.life ?? 0;
const serves = (world: SmallWorld, sim: SimNode): boolean =>
  KEYS.every((key) => world.get(sim, key).kind !== 'failed');

/** All hold a lease in one life of one cluster. */
function isOneLife(world: SmallWorld): boolean {
  return world.cluster.isWhole() && new Set(world.nodes.map((sim) => topologyAt(sim)!.clusterId)).size === 1;
}

interface Joined {
  readonly world: SmallWorld;
  readonly founders: readonly SimNode[];
  readonly joined: SimNode;
}

/** Three founders, and a fourth that joined them. */
function fourMembers(seed: number, mutations: Mutations = {}): Joined {
  const world = new SmallWorld(seed, undefined, 3, 0, false, mutations);
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

function startAll(world: SmallWorld, sims: readonly SimNode[]): void {
  for (const sim of sims) world.cluster.start(sim);
}

/** Processes that PostgreSQL has fenced are started again, as whoever looks after them does. */
function untilOneLife(world: SmallWorld, msMax: number): void {
  world.until(() => {
    startAll(
      world,
      world.nodes.filter((sim) => sim.life === null),
    );
    return isOneLife(world);
  }, msMax);
}

describe('founders start together with blank disks, and have never heard of a member that joined', () => {
  /** The member has gone on alone, by an operator's word; the life that all are in afterwards. */
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

  test('it is gone as well: they found as soon as what it noted is old, and it joins them when it is back', () => {
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

  test('PostgreSQL has never seen a cluster, or nobody was up for long: nobody waits', () => {
    const world = new SmallWorld(404);
    expect(world.scheduler.time).toBeLessThan(1_500);
    loseAll(world, world.nodes);
    world.run(LIFE_FRESH_MS + 1_000);
    const startedAt = world.scheduler.time;
    startAll(world, world.nodes);
    world.until(() => world.nodes.every((sim) => lifeAt(sim) === 2), 2_000);
    expect(world.scheduler.time - startedAt).toBeLessThan(1_500);
  });
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

describe('a life has begun that most members have not heard of', () => {
  /** Two of three start with the disks of life 1, while the third has gone on without them, and cannot be heard. */
  function majorityOfBefore(seed: number, mutations: Mutations = {}) {
    const world = new SmallWorld(seed, undefined, 3, 0, false, mutations);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'old');
    for (const sim of [two, three]) {
      world.cluster.kill(sim);
      world.cluster.network.cut(one.name, sim.name);
    }
    world.run(3_000);
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, one), 10_000);
    return { world, one, two, three };
  }

  /** Whether anybody of the life before has held a lease for a moment. */
  function serveAgain(mutations: Mutations): boolean {
    const { world, two, three } = majorityOfBefore(406, mutations);
    startAll(world, [two, three]);
    let isServed = false;
    for (let step = 0; step < 1_500; step += 1) {
      world.run(10);
      isServed ||= [two, three].some((sim) => sim.node?.membership.leaseHeld() === true);
    }
    return isServed;
  }

  test('they start together: PostgreSQL tells them that their life is over, and they serve nothing', () => {
    expect(serveAgain({})).toBe(false);
  });

  test('nobody asks: they tell what is old, which is seen', () => {
    expect(serveAgain({ ignoreLaterLife: true })).toBe(true);
  });

  test('when they are heard they join the life in force', () => {
    const { world, one, two, three } = majorityOfBefore(407);
    startAll(world, [two, three]);
    world.run(5_000);
    world.cluster.network.heal();
    untilOneLife(world, 30_000);
    expect([one, two, three].map(lifeAt)).toEqual([2, 2, 2]);
  });

  test('PostgreSQL cannot be asked: they start, and stop when it can', () => {
    const world = new SmallWorld(408);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const sim of [two, three]) {
      world.cluster.kill(sim);
      world.cluster.network.cut(one.name, sim.name);
    }
    world.run(3_000);
    for (const sim of [two, three]) {
      world.cluster.start(sim);
      world.database.unreached.cutOff(sim.life!, 12_000);
    }
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    const leases = (): boolean[] => [two, three].map((sim) => sim.node?.membership.leaseHeld() === true);
    world.until(() => leases().every(Boolean), 8_000);
    world.until(() => !leases().some(Boolean), 15_000);
  });

  test('one that serves cannot ask PostgreSQL, and the other can: it loses the lease with its vote', () => {
    const world = new SmallWorld(409);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'old');
    for (const sim of [two, three]) world.cluster.network.cut(one.name, sim.name);
    world.until(() => topologyAt(two)!.members.some(({ alive }) => !alive), 5_000);
    world.database.unreached.cutOff(two.life!, 30_000);
    expect(two.node!.membership.leaseHeld()).toBe(true);
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    world.until(() => two.node!.membership.leaseHeld() === false, 4_000);
    expect(world.get(two, KEYS[0]!)).toMatchObject({ kind: 'failed' });
  });

  test('an operator is not let go on beside it: it is told who is up there', () => {
    const { world, two, three } = majorityOfBefore(410);
    startAll(world, [two, three]);
    world.run(4_000);
    const answer = goOnAt(world, two);
    expect(answer).toMatchObject({ kind: 'failed', failure: { code: 'invalid_argument' } });
    expect(JSON.stringify(answer)).toContain(
      'life 2 of the cluster is in force, and these are up in it: node-1',
    );
  });
});
