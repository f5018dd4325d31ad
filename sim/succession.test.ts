/**
 * The council has lost its majority for good. Nobody serves until an operator goes on with the survivors: they begin
 * another life of the cluster, with what PostgreSQL has. A member that was given up can write nothing any more, and
 * copies from the others when it comes back. (DESIGN 3, PROTOCOL R21, R27, R28)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteResult } from '../src/core/operation.ts';
import { isForsaken, memberByName } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { ClusterAnswer, ClusterQuorum } from '../src/node/cluster-orders.ts';
import { drawId } from './checkers/once-per-id.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt, quorumAt } from './going-on.ts';
import { SmallWorld } from './small-world.ts';

const NOT_READY = { kind: 'failed', failure: { code: 'not_ready' } };
const REFUSED = { kind: 'failed', failure: { code: 'invalid_argument' } };
const KEYS = Array.from({ length: 8 }, (_, index) => `key:${index}`);

function topologyAt(sim: SimNode): Topology {
  return sim.node!.membership.topology!;
}

const serves = (world: SmallWorld, sim: SimNode): boolean =>
  KEYS.every((key) => world.get(sim, key).kind !== 'failed');

/** node-1 was away while `new` was written; then the other two die, and it comes back with `old` on its disk. */
function leftBehind(
  seed: number,
  mutations: Mutations = {},
): { world: SmallWorld; sims: readonly SimNode[] } {
  const world = new SmallWorld(seed, { mutations });
  const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
  for (const key of KEYS) world.put(two, key, 'old');
  world.run(500);
  world.cluster.kill(one);
  world.until(() => world.put(two, KEYS[0]!, 'new').kind === 'done', 5_000);
  for (const key of KEYS.slice(1, 6)) world.put(three, key, 'new');
  world.write(two, { kind: 'delete', key: KEYS[6]!, operationId: null });
  world.run(500);
  world.cluster.kill(two);
  world.cluster.kill(three);
  world.cluster.start(one);
  world.run(3_000);
  return { world, sims: world.nodes };
}

/** The first owner, cut off, begins an increment of 5 under an id, and dies with it; the others hear each other again. */
function begunAlone(mutations: Mutations = {}) {
  const world = new SmallWorld(94, { mutations });
  const [one, two] = world.ownersOf(KEYS[0]!) as [SimNode, SimNode];
  const operationId = drawId(world.scheduler.time, world.prng);
  const add = { kind: 'increment', key: KEYS[0]!, delta: 1n, operationId } as const;
  world.put(one, KEYS[0]!, '5');
  world.cluster.network.isolate(one.name);
  one.node!.write(add, 500, () => undefined);
  world.run(60);
  const begun = one.node!.inspect(KEYS[0]!);
  expect(begun).toMatchObject({ record: { operationId }, valid: false });
  world.cluster.kill(one);
  // Until nobody waits any more for what is held up in its links.
  world.run(1_000);
  world.cluster.network.heal();
  return { world, one, two, add, begun: begun.record!.version };
}

/**
 * It copies from another node that is alone and does not know of the increment, and has all records, but not yet the
 * remembered operations, when that node is lost. An operator gives the lost node up. Repeats the write under its id.
 */
function begunAndCopied(mutations: Mutations = {}): { again: WriteResult; text: string | undefined } {
  const { world, one, two, add, begun } = begunAlone(mutations);
  const third = world.nodes.find((sim) => sim !== one && sim !== two)!;
  const held = (): number => one.node?.inspect(KEYS[0]!).record?.version ?? 0;
  world.until(() => world.put(two, KEYS[1]!, 'without it').kind === 'done', 5_000);
  world.cluster.kill(third);
  world.cluster.start(one);
  const isCopied = (): boolean => one.node?.status().learnedShare === 1 && held() > 0 && held() !== begun;
  for (let ms = 0; !isCopied() && ms < 30_000; ms++) world.run(1);
  expect(world.ownersOf(KEYS[0]!)).not.toContain(one);
  world.cluster.kill(two);
  two.disk.wipe();
  world.cluster.start(third);
  world.giveUp(KEYS[0]!, [one, third]);
  world.until(() => world.put(one, KEYS[1]!, 'two of us').kind === 'done', 20_000);
  return { again: world.write(one, add), text: world.text(one, KEYS[0]!) };
}

const NOW = ['new', 'new', 'new', 'new', 'new', 'new', undefined, 'old'];

describe('one of three is left, and its disk is behind', () => {
  test('nothing is served, which is shown; after the word of an operator all that PostgreSQL has is', () => {
    const { world, sims } = leftBehind(81);
    const one = sims[0]!;
    expect(world.get(one, KEYS[0]!)).toMatchObject(NOT_READY);
    expect(quorumAt(world, one)).toMatchObject({
      ...{ isLost: true, life: 1, lifeKept: 1, ownersNeeded: 2 },
      members: [
        { name: 'node-1', isUp: true, votes: true },
        { name: 'node-2', isUp: false, votes: true },
        { name: 'node-3', isUp: false, votes: true },
      ],
    });
    expect(world.operate(one, { kind: 'succeed', lost: ['node-3'], lifeKept: 1 })).toMatchObject(REFUSED);
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, one), 10_000);
    expect(KEYS.map((key) => world.text(one, key))).toEqual(NOW);
    // One owner is fewer than a write needs.
    expect(world.put(one, KEYS[7]!, 'alone')).toMatchObject({ kind: 'failed' });
  });

  test('those who were given up come back with their disks: they copy from the one that was left', () => {
    const { world, sims } = leftBehind(82);
    goOnAt(world, sims[0]!);
    world.until(() => serves(world, sims[0]!), 10_000);
    world.cluster.start(sims[1]!);
    world.until(() => world.put(sims[0]!, KEYS[7]!, 'two of us').kind === 'done', 20_000);
    world.cluster.start(sims[2]!);
    world.until(() => world.cluster.isWhole(), 30_000);
    for (const sim of sims) {
      expect(KEYS.map((key) => world.text(sim, key))).toEqual([...NOW.slice(0, 7), 'two of us']);
      expect(topologyAt(sim)).toMatchObject({ life: 2 });
    }
    expect(topologyAt(sims[0]!).council).toHaveLength(3);
    expect(topologyAt(sims[0]!).rows.some(isForsaken)).toBe(false);
  });

  test('they come back with empty disks: under new ids', () => {
    const { world, sims } = leftBehind(83);
    goOnAt(world, sims[0]!);
    for (const sim of sims.slice(1)) {
      sim.disk.wipe();
      world.cluster.start(sim);
    }
    world.until(() => world.cluster.isWhole(), 30_000);
    expect(KEYS.map((key) => world.text(sims[2]!, key))).toEqual(NOW);
    expect(memberByName(topologyAt(sims[0]!), 'node-2')!.id).toBeGreaterThan(3);
  });

  test('it dies and starts again in the new life', () => {
    const { world, sims } = leftBehind(84);
    goOnAt(world, sims[0]!);
    world.run(20);
    world.cluster.kill(sims[0]!);
    world.cluster.start(sims[0]!);
    world.until(() => sims[0]!.node?.membership.topology?.life === 2 && serves(world, sims[0]!), 20_000);
    expect(KEYS.map((key) => world.text(sims[0]!, key))).toEqual(NOW);
  });

  test('it has in flight what was refused elsewhere and done another time under its id: it says that it does not know', () => {
    const { world, one, two, add } = begunAlone();
    world.until(() => world.put(two, KEYS[0]!, '10').kind === 'done', 5_000);
    expect(world.write(two, add)).toMatchObject({ kind: 'done', number: 11n });
    for (const sim of world.nodes) world.cluster.kill(sim);
    world.cluster.start(one);
    world.run(3_000);
    goOnAt(world, one);
    world.until(() => world.get(one, KEYS[0]!).kind !== 'failed', 10_000);
    two.disk.wipe();
    world.cluster.start(two);
    world.until(() => world.put(one, KEYS[1]!, 'two of us').kind === 'done', 20_000);
    expect(world.write(one, add)).toMatchObject({
      kind: 'failed',
      failure: { code: 'operation_id_expired' },
    });
    expect(world.text(one, KEYS[0]!)).toBe('11');
  });

  describe.each([
    ['nothing', '5'],
    ['another value', '10'],
  ])(
    'it begins a write, dies, and copies from others who have %s instead; they are lost before it is done',
    (_what, value) => {
      /** Repeats the write under its id, at the survivors. */
      function again(mutations: Mutations): WriteResult {
        const { world, one, two, add, begun } = begunAlone(mutations);
        const held = (): number => one.node?.inspect(KEYS[0]!).record?.version ?? 0;
        world.until(() => world.put(two, KEYS[1]!, 'without it').kind === 'done', 5_000);
        if (value !== '5') world.put(two, KEYS[0]!, value);
        world.cluster.start(one);
        const stands = (): boolean => one.node === null || held() === begun || held() === 0;
        for (let ms = 0; stands() && ms < 30_000; ms++) world.run(1);
        expect(stands()).toBe(false);
        expect(world.ownersOf(KEYS[0]!)).not.toContain(one);
        for (const sim of world.nodes) if (sim !== one) world.cluster.kill(sim);
        world.run(3_000);
        goOnAt(world, one);
        world.until(() => world.get(one, KEYS[0]!).kind !== 'failed', 10_000);
        world.cluster.start(two);
        world.until(() => world.put(one, KEYS[1]!, 'two of us').kind === 'done', 20_000);
        expect(world.text(one, KEYS[0]!)).toBe(value);
        return world.write(one, add);
      }

      test('of the write that it had begun it says that it does not know', () => {
        expect(again({})).toMatchObject({ kind: 'failed', failure: { code: 'operation_id_expired' } });
      });

      test('the rule broken: it is told as done, and was not', () => {
        expect(again({ trustLeftOperations: true })).toMatchObject({ kind: 'done', number: 6n });
      });
    },
  );

  test('it begins a write, dies, and has copied all records of one that is lost then: of that write it says that it does not know', () => {
    expect(begunAndCopied()).toMatchObject({
      again: { failure: { code: 'operation_id_expired' } },
      text: '5',
    });
  });

  test('the rule broken: it is told as done, though nobody has it', () => {
    const { again, text } = begunAndCopied({ trustLeftOperations: true });
    expect([again, text]).toMatchObject([{ kind: 'done', number: 6n }, '5']);
  });

  test('what it has counts as all that there was: what came while it was away is missing, which is seen', () => {
    const { world, sims } = leftBehind(81, { succeedComplete: true });
    goOnAt(world, sims[0]!);
    world.until(() => serves(world, sims[0]!), 10_000);
    expect(KEYS.map((key) => world.text(sims[0]!, key))).not.toEqual(NOW);
  });

  test('its disk calls in flight what PostgreSQL has: that was finished, and is served', () => {
    const world = new SmallWorld(89);
    const one = world.nodes[0]!;
    world.put(one, KEYS[0]!, 'finished');
    for (const sim of world.nodes) world.cluster.kill(sim);
    world.cluster.start(one);
    world.run(3_000);
    goOnAt(world, one);
    world.until(() => world.get(one, KEYS[0]!).kind !== 'failed', 10_000);
    expect(world.text(one, KEYS[0]!)).toBe('finished');
  });

  test('its disk calls in flight what PostgreSQL lacks: that waits for a second owner', () => {
    const world = new SmallWorld(89);
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.database.goDown(60_000);
    const begun = { kind: 'put', key: KEYS[1]!, value: Buffer.from('begun') } as const;
    one.node!.write({ ...begun, ttlMs: 0, operationId: null }, 500, () => undefined);
    world.run(60);
    for (const sim of world.nodes) world.cluster.kill(sim);
    world.database.comeUp();
    world.cluster.start(one);
    world.run(3_000);
    goOnAt(world, one);
    world.until(() => world.get(one, KEYS[0]!).kind === 'absent', 10_000);
    expect(world.get(one, KEYS[1]!)).toMatchObject({ kind: 'failed' });
    world.cluster.start(two);
    world.until(() => world.get(one, KEYS[1]!).kind !== 'failed', 20_000);
    expect(world.text(one, KEYS[1]!)).toBe('begun');
  });

  test('PostgreSQL does not answer: no life can be taken, and nothing is changed', () => {
    const { world, sims } = leftBehind(85);
    world.database.goDown(600_000);
    expect(quorumAt(world, sims[0]!)).toMatchObject({ isLost: true, lifeKept: null });
    const asked = world.operate(sims[0]!, { kind: 'succeed', lost: ['node-2', 'node-3'], lifeKept: 1 });
    expect(asked).toMatchObject({ kind: 'failed', failure: { code: 'record_unavailable' } });
    expect(topologyAt(sims[0]!).life).toBe(1);
    world.database.comeUp();
    for (const sim of sims.slice(1)) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    expect(KEYS.map((key) => world.text(sims[0]!, key))).toEqual(NOW);
  });
});

describe('PostgreSQL has given out the next life, and its word of that is lost', () => {
  /** The answer to an operator, while no write is answered for so many milliseconds. */
  function unanswered(seed: number, ms: number): { world: SmallWorld; one: SimNode; answer: ClusterAnswer } {
    const { world, sims } = leftBehind(seed);
    const { database } = world;
    const { settings } = database;
    database.settings = { ...settings, replyLostShare: 1 };
    world.scheduler.after(ms, () => (database.settings = settings));
    return { world, one: sims[0]!, answer: goOnAt(world, sims[0]!) };
  }

  test('it is asked for once more: it is the life that was taken, and no other', () => {
    const { world, one, answer } = unanswered(97, 2_500);
    expect(answer).toMatchObject({ kind: 'changed' });
    expect(topologyAt(one)).toMatchObject({ life: 2 });
    world.until(() => serves(world, one), 10_000);
    expect(KEYS.map((key) => world.text(one, key))).toEqual(NOW);
  });

  test('for as long as the operator waits: nobody knows, and the next one goes on from there', () => {
    const { world, one, answer } = unanswered(98, 20_000);
    expect(answer).toMatchObject({ kind: 'failed', failure: { code: 'outcome_unknown' } });
    expect(world.database.founding()).toMatchObject({ life: 2 });
    world.run(20_000);
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    expect(topologyAt(one)).toMatchObject({ life: 3 });
  });
});

describe('two of five are left', () => {
  test('both go on in the same life, whichever was asked; writes go on', () => {
    const world = new SmallWorld(86, { nodeCount: 5 });
    const [one, two, ...gone] = world.nodes as [SimNode, SimNode, ...SimNode[]];
    for (const key of KEYS) world.put(one, key, 'old');
    for (const sim of gone) {
      world.cluster.kill(sim);
      sim.disk.wipe();
    }
    world.run(3_000);
    expect(goOnAt(world, two)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, one) && serves(world, two), 20_000);
    expect(topologyAt(one).clusterId).toBe(topologyAt(two).clusterId);
    world.until(() => KEYS.every((key) => world.put(one, key, 'new').kind === 'done'), 20_000);
    expect(KEYS.map((key) => world.text(two, key))).toEqual(KEYS.map(() => 'new'));
    expect(goOnAt(world, one)).toMatchObject(REFUSED);
  });
});

describe('those who were given up run after all, cut off', () => {
  /** node-1 is alone on its side; on the other side a write is on its way when its life ends. */
  function cutOff(mutations: Mutations = {}): { other: WriteResult | null; text: string | undefined } {
    const world = new SmallWorld(87, { mutations });
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'old');
    world.cluster.network.cut(one.name, two.name);
    world.cluster.network.cut(one.name, three.name);
    world.until(() => world.put(two, KEYS[1]!, 'theirs').kind === 'done', 10_000);
    expect(goOnAt(world, one)).toMatchObject({ kind: 'changed' });
    world.until(() => serves(world, one), 10_000);
    expect(world.text(one, KEYS[1]!)).toBe('theirs');
    let other: WriteResult | null = null;
    const late = { kind: 'put', key: KEYS[0]!, value: Buffer.from('too late') } as const;
    two.node!.write({ ...late, ttlMs: 0, operationId: null }, 5_000, (result) => (other = result));
    world.run(10_000);
    world.cluster.network.heal();
    world.until(() => {
      // A process that finds that its life is over ends.
      for (const sim of [two, three]) if (sim.life === null) world.cluster.start(sim);
      return world.cluster.isWhole();
    }, 30_000);
    return { other, text: world.text(three, KEYS[0]!) };
  }

  test('they can finish no write any more, and join the others when they are heard again', () => {
    const { other, text } = cutOff();
    expect(other).toBeNull();
    expect(text).toBe('old');
  });

  test('PostgreSQL was not told: what they acknowledge is lost, which is seen', () => {
    // Nor does it write to PostgreSQL before it serves, which would be refused.
    const { other, text } = cutOff({ succeedUnfenced: true, recoverUnturned: true });
    expect(other?.kind).toBe('done');
    expect(text).not.toBe('too late');
  });

  test('both sides are told to go on: only one of them does', () => {
    const world = new SmallWorld(88, { nodeCount: 5 });
    const [one, two, three, four, five] = world.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'old');
    world.cluster.kill(five);
    world.cluster.kill(four);
    for (const sim of [two, three]) world.cluster.network.cut(one.name, sim.name);
    world.cluster.network.cut(two.name, three.name);
    world.run(3_000);
    const here = quorumAt(world, one);
    const there = quorumAt(world, two);
    const lostOf = ({ members }: ClusterQuorum): string[] =>
      members.filter((member) => !member.isUp).map(({ name }) => name);
    const first = world.operate(one, { kind: 'succeed', lost: lostOf(here), lifeKept: 1 });
    const second = world.operate(two, { kind: 'succeed', lost: lostOf(there), lifeKept: 1 });
    expect([first.kind, second.kind]).toEqual(['changed', 'failed']);
    world.cluster.network.heal();
    world.until(() => topologyAt(two).life === 2 && topologyAt(three).life === 2, 20_000);
    world.until(() => KEYS.every((key) => world.put(two, key, 'new').kind === 'done'), 20_000);
    expect(KEYS.map((key) => world.text(one, key))).toEqual(KEYS.map(() => 'new'));
  });
});
