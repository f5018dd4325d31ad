/**
 * A new life of the cluster has begun, and members of an earlier one have not heard of it: they must not serve any
 * more, wherever PostgreSQL is by then, and no operator can go on with them beside it. (PROTOCOL R27, decision 35)
 */
import { describe, expect, test } from 'vitest';
import { LIFE_FRESH_MS } from '../src/core/lives/life-limits.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt } from './going-on.ts';
import { KEYS, lifeAt, serves, startAll, topologyAt, untilOneLife } from './life-world.ts';
import { SimRecordServer } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

describe('a life has begun that most members have not heard of', () => {
  /** Two of three start with the disks of life 1, while the third has gone on without them and cannot be heard. */
  function majorityOfBefore(seed: number, mutations: Mutations = {}) {
    const world = new SmallWorld(seed, { mutations });
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

  /** Whether a member of the earlier life has held a lease for a moment. */
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

  /**
   * Right after an outage of PostgreSQL, before the living member has signed again; `lives`: whether it is alive
   * afterwards.
   */
  function goOnAfterOutage(lives: boolean, mutations: Mutations = {}) {
    const { world, one, two, three } = majorityOfBefore(415, mutations);
    startAll(world, [two, three]);
    world.run(3_000);
    if (!lives) world.cluster.kill(one);
    world.database.goDown(2 * LIFE_FRESH_MS);
    world.run(2 * LIFE_FRESH_MS + 50);
    return { answer: goOnAt(world, two), lives: [one, two].map(lifeAt) };
  }

  test('an operator goes on beside it right after an outage of PostgreSQL: its note is old, and it is waited for', () => {
    const { answer, lives } = goOnAfterOutage(true);
    expect(JSON.stringify(answer)).toContain('these are up in it: node-1');
    expect(lives).toEqual([2, 1]);
  });

  test('its old note is trusted: another life is begun beside it, which is seen', () => {
    expect(goOnAfterOutage(true, { trustOldNote: true }).answer).toMatchObject({ kind: 'changed' });
  });

  test('and nobody lives in it: the operator goes on when its note has stood for long', () => {
    const { answer, lives } = goOnAfterOutage(false);
    expect(answer).toMatchObject({ kind: 'changed' });
    expect(lives).toEqual([0, 3]);
  });

  test('and the cluster has moved to an empty PostgreSQL since: that one, too, tells them that their life is over', () => {
    const { world, one, two, three } = majorityOfBefore(414);
    const empty = new SimRecordServer('new');
    world.cluster.kill(one);
    world.database.point(one.name, empty);
    world.cluster.start(one);
    world.until(() => one.node?.membership.leaseHeld() === true, 10_000);
    const seen = empty.tell();
    expect(world.operate(one, { kind: 'adoptRecord', seen, isBackup: false, mayLose: false })).toMatchObject({
      kind: 'changed',
    });
    world.database.becomes(empty, []);
    world.cluster.kill(one);
    startAll(world, [two, three]);
    world.run(3 * LIFE_FRESH_MS);
    expect(world.fatal).toEqual([]);
    expect([two, three].map((sim) => sim.node?.membership.leaseHeld())).toEqual([false, false]);
    world.cluster.network.heal();
    world.cluster.start(one);
    untilOneLife(world, 30_000);
    expect(world.nodes.map(lifeAt)).toEqual([2, 2, 2]);
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
