/**
 * Machines are lost for good while PostgreSQL lacks what was spooled. Of each key the newest version that is left,
 * wherever one looks, is kept whole, and what was above it is gone for good. No more than that is lost. (PROTOCOL R28,
 * R34)
 */
import { expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { lossOf } from '../src/core/lives/recovery.ts';
import type { SimNode } from './cluster.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { loseWhoTeaches, seesLoss } from './scenarios/learners-left.ts';
import { SmallWorld } from './small-world.ts';

const SPOOL = { outage: 'spool', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 } as const;
const OUTAGE_MS = 600_000;
/** Written before the outage; spooled at all three; spooled at two; spooled at one. */
const KEYS = ['recorded', 'at three', 'at two', 'at one'];

/**
 * PostgreSQL is away. One member after the other dies while writes go on. The last one, which has everything, is lost
 * with its disk while the others, which are back, copy from it.
 */
function spooledAndLost(
  mutations: Mutations = {},
  moreAtThree: readonly string[] = [],
): { world: SmallWorld; living: SimNode[] } {
  const world = new SmallWorld(31, { mutations, record: SPOOL });
  const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
  const put = (keys: readonly string[], value: string): void =>
    keys.forEach((key) => world.until(() => world.put(one, key, value).kind === 'done', 20_000));
  put(KEYS, 'recorded');
  world.run(500);
  world.database.goDown(OUTAGE_MS);
  put([...KEYS.slice(1), ...moreAtThree], 'spooled at three');
  world.cluster.kill(three);
  put(KEYS.slice(2), 'spooled at two');
  world.run(500);
  world.cluster.kill(two);
  world.run(500);
  return { world, living: loseWhoTeaches(world) };
}

/** An operator gives the lost member up, and PostgreSQL is back. */
function givenUp({ world, living }: ReturnType<typeof spooledAndLost>): (string | undefined)[] {
  const [asked] = living;
  const slotCount = lossOf(asked!.node!.membership.topology!).slots.length;
  expect(world.operate(asked!, { kind: 'recover', slotCount }).kind).toBe('changed');
  world.run(2_000);
  expect(world.get(asked!, KEYS[0]!)).toMatchObject({ kind: 'failed' });
  world.database.comeUp();
  const isServed = (sim: SimNode): boolean => KEYS.every((key) => world.get(sim, key).kind !== 'failed');
  world.until(() => living.every(isServed), 30_000);
  world.cluster.start(world.nodes[0]!);
  world.until(() => world.cluster.isWhole(), 30_000);
  world.until(() => world.nodes.every(({ node }) => node!.status().spool.entries === 0), 30_000);
  const values = KEYS.map((key) => world.text(asked!, key));
  for (const sim of world.nodes) expect(KEYS.map((key) => world.text(sim, key))).toEqual(values);
  const rows = KEYS.map((key) => Buffer.from(world.database.standing(key)!.record.value).toString());
  expect(rows).toEqual(values);
  return values;
}

test('given up: what PostgreSQL had stands, and what is left over of the spool above it; all agree, PostgreSQL too', () => {
  const [recorded, atThree, atTwo] = givenUp(spooledAndLost());
  expect([recorded, atThree]).toEqual(['recorded', 'spooled at three']);
  expect(['spooled at three', 'spooled at two']).toContain(atTwo);
});

test('recoverRowsAlone: what is left over of the spool goes with the lost one', () => {
  const [recorded, atThree] = givenUp(spooledAndLost({ recoverRowsAlone: true }));
  expect([recorded, atThree]).toEqual(['recorded', 'recorded']);
});

test('others join before they are given up, and the slots are headed for them: who has something left over makes them whole all the same', () => {
  const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
  const { world, living } = spooledAndLost({}, keys);
  const joined = [1, 2, 3].map(() => world.cluster.add(''));
  for (const sim of joined) world.cluster.start(sim);
  const isShared = ({ node }: SimNode): boolean => node!.membership.topology?.placed.length === 6;
  world.until(() => [...living, ...joined].every(isShared), 30_000);
  const { topology } = living[0]!.node!.membership;
  const slotCount = lossOf(topology!).slots.length;
  expect(world.operate(living[0]!, { kind: 'recover', slotCount }).kind).toBe('changed');
  world.database.comeUp();
  const isServed = (key: string): boolean => world.get(living[0]!, key).kind !== 'failed';
  world.until(() => keys.every(isServed), 60_000);
  expect(keys.filter((key) => world.text(living[0]!, key) !== 'spooled at three')).toEqual([]);
});

test('the lost one is back with an empty disk before it is given up: who has something left over makes the slots whole', () => {
  const lost = spooledAndLost();
  const [blank] = lost.world.nodes;
  lost.world.cluster.start(blank!);
  lost.world.until(() => blank!.node?.status().phase === 'learning', 20_000);
  expect(givenUp(lost).slice(0, 2)).toEqual(['recorded', 'spooled at three']);
});

test('who makes them whole had copied what was spooled, and not the marks of it: PostgreSQL gets it all the same', () => {
  const world = new SmallWorld(31, { nodeCount: 5, record: SPOOL });
  const owners = world.ownersOf('key');
  const [first, second, learner] = owners as [SimNode, SimNode, SimNode];
  const isOwned = (key: string): boolean => world.ownersOf(key).every((sim) => owners.includes(sim));
  const put = (keys: readonly string[], value: string): void =>
    keys.forEach((key) => world.until(() => world.put(first, key, value).kind === 'done', 20_000));
  const owned = Array.from({ length: 600 }, (_, index) => `key ${index}`).filter(isOwned);
  const keys = owned.slice(0, 20);
  put(keys, 'recorded');
  // A node now and then looks up in PostgreSQL what it has written last.
  put(owned.slice(20, 60), 'recorded');
  world.database.goDown(OUTAGE_MS);
  world.cluster.kill(learner);
  put(keys, 'spooled');
  world.cluster.start(learner);
  const hasCopied = (): boolean =>
    keys.every(
      (key) => learner.node?.inspect(key).record?.version === second.node!.inspect(key).record?.version,
    );
  world.until(hasCopied, 20_000);
  expect(learner.node!.status()).toMatchObject({ phase: 'learning', spool: { entries: 0 } });
  for (const sim of [first, second]) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
  const living = world.nodes.filter((sim) => sim.node !== null);
  world.until(() => living.every(seesLoss), 20_000);
  const slotCount = lossOf(learner.node!.membership.topology!).slots.length;
  expect(world.operate(learner, { kind: 'recover', slotCount }).kind).toBe('changed');
  world.database.comeUp();
  world.until(() => keys.every((key) => world.get(learner, key).kind !== 'failed'), 30_000);
  expect(keys.map((key) => world.text(learner, key))).toEqual(keys.map(() => 'spooled'));
  const hasRow = (key: string): boolean =>
    Buffer.from(world.database.standing(key)!.record.value).toString() === 'spooled';
  world.until(() => keys.every(hasRow), 30_000);
});

/**
 * Two members copy from one that is then lost. One of them has a slot already, and the other one rebuilds the slot
 * without having it. Returns what both answer.
 */
function copiedByOneLearner(mutations: Mutations = {}): (string | undefined)[] {
  const world = new SmallWorld(33, { mutations, record: SPOOL });
  const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
  const names = Array.from({ length: 64 }, (_, at) => `key:${at}`);
  const key = names.find((each) => world.ownersOf(each)[0] === three)!;
  const put = (value: string): void => world.until(() => world.put(one, key, value).kind === 'done', 20_000);
  put('recorded');
  world.run(500);
  world.database.goDown(OUTAGE_MS);
  world.cluster.kill(three);
  put('spooled');
  world.run(500);
  world.cluster.kill(two);
  world.run(500);
  const living = [two, three];
  two.disk.slowMs = 150;
  three.disk.slowMs = 400;
  for (const sim of living) world.cluster.start(sim);
  world.until(() => two.node?.['shelf'].isVerified(slotOf(key)) === true, 20_000);
  world.cluster.kill(one);
  one.disk.wipe();
  for (const sim of living) sim.disk.slowMs = 0;
  world.until(() => living.every(seesLoss), 20_000);
  const slotCount = lossOf(two.node!.membership.topology!).slots.length;
  expect(world.operate(two, { kind: 'recover', slotCount }).kind).toBe('changed');
  world.run(2_000);
  world.database.comeUp();
  world.until(() => living.every((sim) => world.get(sim, key).kind !== 'failed'), 30_000);
  const isComplete = (sim: SimNode): boolean => sim.node!.inspect(key).owner;
  world.until(() => living.every(isComplete), 30_000);
  return living.map((sim) => world.text(sim, key));
}

test('one learner has copied a slot from the lost one, and another makes it whole without that: the first one copies it anew', () => {
  expect(copiedByOneLearner()).toEqual(['recorded', 'recorded']);
});

test('trustGivenUp: two complete owners have two values', () => {
  expect(copiedByOneLearner({ trustGivenUp: true })).toEqual(['spooled', 'recorded']);
});

test('random seeds lose acknowledged writes so, and no more than may be lost', () => {
  let lost = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    const { violation, occurred } = runSeed(seed, { profile: PROFILES['lostSpool']! });
    expect(violation).toBeNull();
    lost += occurred.get('writeLostForGood') ?? 0;
  }
  expect(lost).toBeGreaterThan(0);
});
