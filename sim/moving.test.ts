/**
 * Members that join, leave, are replaced or removed under load, each case by itself: nothing is lost or read stale and,
 * if nothing else goes wrong, no operation fails either. Each rule of slots that change hands is broken on purpose,
 * which must be noticed. (DESIGN 3, PROTOCOL R15, R17, R19, R20, R21, R29)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { SimCluster } from './cluster.ts';
import type { RunProfile } from './run-profile.ts';
import { runSeed } from './run.ts';
import type { RunResult } from './run.ts';
import type { Scheduler } from './scheduler.ts';
import { SmallWorld } from './small-world.ts';
import type { WallWatch } from './wall-watch.ts';

const CALM: RunProfile = {
  plan: {
    clientCount: 6,
    operationsPerClient: 150,
    keys: Array.from({ length: 24 }, (_, index) => `key:${index}`),
    hotShare: 0.1,
    thinkMsMax: 30,
    timeoutMs: 5_000,
    // Two conditional writes of one key that meet an epoch may be indefinite by rule R3, whatever moves.
    conditionalShare: 0,
    readShare: 0.4,
    ttlShare: 0,
  },
  weather: { delayMsMax: 3, spikeShare: 0, spikeMsMax: 0, linkLifeMsMean: 0 },
  faultKinds: [],
};

/** Enough clients that every slot is written to at every moment. */
const BUSY: RunProfile = {
  ...CALM,
  plan: {
    ...CALM.plan,
    clientCount: 24,
    operationsPerClient: 80,
    keys: Array.from({ length: 60 }, (_, index) => `key:${index}`),
    thinkMsMax: 5,
  },
};

type Story = (cluster: SimCluster, scheduler: Scheduler, wall: WallWatch) => void;

const join: Story = (cluster, _scheduler, wall) => {
  const sim = cluster.add('');
  wall.add(sim.clocks);
  cluster.start(sim);
};
const leave = (cluster: SimCluster, name: string): void => {
  const sim = cluster.nodes.find((each) => each.name === name)!;
  sim.isLeaving = true;
  cluster.nodes[0]!.node!.membership.proposals.wishes.add({ kind: 'leave', name });
};
/** The new member leaves again: its slots return to members that held them before. */
const joinAndLeave: Story = (cluster, scheduler, wall) => {
  join(cluster, scheduler, wall);
  scheduler.after(1_500, () => leave(cluster, 'node-4'));
};
const threeFiveThree: Story = (cluster, scheduler, wall) => {
  join(cluster, scheduler, wall);
  join(cluster, scheduler, wall);
  scheduler.after(2_000, () => {
    leave(cluster, 'node-2');
    leave(cluster, 'node-5');
  });
};

function tell(story: Story, mutations: Mutations = {}, seed = 5, profile = CALM): RunResult {
  return runSeed(seed, { profile, nodeCount: 3, story, mutations });
}

/** The violation, or the fact that operations failed although only the members changed. */
function verdictOf({ violation, occurred }: RunResult): string {
  if (violation !== null) return violation;
  const indefinite = occurred.get('indefinite') ?? 0;
  return indefinite === 0 ? 'ok' : `${indefinite} operations are indefinite`;
}

function firstCaught(story: Story, mutations: Mutations, first: number, seedsMax: number): string | null {
  for (let seed = first; seed < first + seedsMax; seed += 1) {
    const verdict = verdictOf(tell(story, mutations, seed));
    if (verdict !== 'ok') return verdict;
  }
  return null;
}

describe('under load, where nothing else goes wrong', () => {
  test('a node joins: nothing is lost, stale or indefinite', () => {
    expect(verdictOf(tell(join))).toBe('ok');
  });

  test('a node joins and leaves again: the slots that come back are copied anew', () => {
    expect(verdictOf(tell(joinAndLeave))).toBe('ok');
  });

  test('two join at once, and a founder leaves with one of them: 3, 5, 3', () => {
    expect(verdictOf(tell(threeFiveThree))).toBe('ok');
  });

  test('former owners are dropped before they have finished: caught', () => {
    expect(firstCaught(threeFiveThree, { dropUnretired: true }, 7, 8)).not.toBeNull();
  }, 60_000);

  test('slots given up still count as verified when they come back: caught', () => {
    expect(firstCaught(joinAndLeave, { trustMovedSlots: true }, 1, 4)).not.toBeNull();
  }, 60_000);
});

describe('a former owner that hears late that it is none any more', () => {
  /** Its lease lasts for a moment longer, in an epoch in which the others do not count it. */
  const lateFounder: Story = (cluster, scheduler, wall) => {
    join(cluster, scheduler, wall);
    cluster.network.slowPeer('node-2', 120);
  };

  test('writes wait for it: no acknowledged write is missing where it may be read', () => {
    expect(tell(lateFounder, {}, 1, BUSY).violation).toBeNull();
  });

  test('nobody waits for it: caught', () => {
    let caught: string | null = null;
    // About one seed in six shows it.
    for (let seed = 17; seed <= 56 && caught === null; seed += 1) {
      caught = tell(lateFounder, { noWaitForMoved: true }, seed, BUSY).violation;
    }
    expect(caught).toContain('was acknowledged while the disk of node-2');
  }, 60_000);
});

/** Whether `holds` becomes true within that many milliseconds. */
function within(world: SmallWorld, holds: () => boolean, msMax: number): boolean {
  const end = world.scheduler.time + msMax;
  while (!holds() && world.scheduler.time < end) world.scheduler.runUntil(world.scheduler.time + 50);
  return holds();
}

describe('the shape of the cluster', () => {
  const topologyOf = (world: SmallWorld): Topology => world.nodes[0]!.node!.membership.topology!;
  const shares = (topology: Topology): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { name, id } of topology.members) {
      counts[name] = topology.slotRow.filter((row) => topology.rows[row]!.complete.includes(id)).length;
    }
    return counts;
  };

  test('a member joins: it has its share, a vote, and the others have nothing left to move', () => {
    const world = new SmallWorld(3);
    world.cluster.start(world.cluster.add(''));
    expect(within(world, () => world.cluster.isWhole(), 10_000)).toBe(true);
    const topology = topologyOf(world);
    expect(shares(topology)).toEqual({
      'node-1': 12_288,
      'node-2': 12_288,
      'node-3': 12_288,
      'node-4': 12_288,
    });
    expect(topology.council).toEqual([1, 2, 3, 4]);
  });

  test('a member leaves: it is none any more, has no vote, and its process ends by itself', () => {
    const world = new SmallWorld(4, { nodeCount: 4 });
    leave(world.cluster, 'node-4');
    expect(within(world, () => world.nodes[3]!.isGone && world.cluster.isWhole(), 10_000)).toBe(true);
    const topology = topologyOf(world);
    expect(shares(topology)).toEqual({ 'node-1': 16_384, 'node-2': 16_384, 'node-3': 16_384 });
    expect(topology.council).toEqual([1, 2, 3]);
  });

  test('a lost member is replaced: the new one takes exactly its place', () => {
    const world = new SmallWorld(5, { nodeCount: 4 });
    const before = topologyOf(world);
    const lost = world.nodes[2]!;
    world.cluster.kill(lost);
    lost.isGone = true;
    world.cluster.start(world.cluster.add('node-3'));
    expect(within(world, () => world.cluster.isWhole(), 15_000)).toBe(true);
    const after = topologyOf(world);
    const ownersOf = (topology: Topology, slot: number): Set<number> =>
      new Set(topology.rows[topology.slotRow[slot]!]!.owners.map((id) => (id === 3 ? 5 : id)));
    for (let slot = 0; slot < 16_384; slot += 1)
      expect(ownersOf(after, slot)).toEqual(ownersOf(before, slot));
    expect(after.council).toEqual([1, 2, 5, 4]);
  });

  test('a member is gone for longer than healAfter: its slots have three owners again, and it gets its share when it is back', () => {
    const world = new SmallWorld(6, { nodeCount: 4, healAfterMs: 2_000 });
    const absent = world.nodes[1]!;
    world.cluster.kill(absent);
    const isHealed = (): boolean => {
      const { rows, slotRow, members } = topologyOf(world);
      return members[1]!.standing === 'healed' && slotRow.every((row) => rows[row]!.complete.length === 3);
    };
    expect(within(world, isHealed, 1_500)).toBe(false);
    expect(within(world, isHealed, 8_000)).toBe(true);
    expect(topologyOf(world).council).toEqual([1, 3, 4]);
    world.cluster.start(absent);
    const hasShare = (): boolean => shares(topologyOf(world))['node-2'] === 12_288;
    expect(within(world, () => hasShare() && world.cluster.isWhole(), 10_000)).toBe(true);
    expect(topologyOf(world).council).toEqual([1, 3, 4, 2]);
  });

  test('three members for three replicas, one is gone for long: there is nobody to heal around it', () => {
    const world = new SmallWorld(7, { healAfterMs: 1_000 });
    world.cluster.kill(world.nodes[2]!);
    within(world, () => false, 4_000);
    expect(topologyOf(world).members[2]).toMatchObject({ alive: false });
    expect(topologyOf(world).members[2]!.standing).toBeUndefined();
  });
});
