/**
 * A member that is alive and slow must not hold up the writes of all others. Whole nodes under load, one of five made
 * about a hundred times slower by its disk, its links or its processor; then the cases in which nobody may be removed.
 * Each half of the rule is broken on purpose, which must be noticed. (PROTOCOL R31, R32)
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import { SLOW_FOR_MS } from '../src/core/limits.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { memberByName } from '../src/core/membership/topology.ts';
import type { NodeStatus } from '../src/node/status.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const CLIENTS_PER_NODE = 2;
const THINK_MS_MAX = 30;
const TIMEOUT_MS = 30_000;

/** Five members, some time after their founding. */
function settled(seed: number, mutations: Mutations = {}): SmallWorld {
  const world = new SmallWorld(seed, { nodeCount: 5, mutations });
  world.run(4_000);
  return world;
}

interface Sample {
  readonly begunAt: number;
  readonly ms: number;
}

/** Continuous writes at all nodes but one; records how long each took, and which were not done. */
class Load {
  readonly samples: Sample[] = [];
  /** When the writes began that were not done. */
  readonly failedAt: number[] = [];
  private readonly world: SmallWorld;
  private readonly prng = new Prng(99);
  private readonly open = new Set<Sample>();

  constructor(world: SmallWorld, except: SimNode) {
    this.world = world;
    for (const sim of world.nodes) {
      if (sim === except) continue;
      for (let client = 0; client < CLIENTS_PER_NODE; client += 1) this.next(sim);
    }
  }

  /** The 99th percentile of the writes begun between two moments; one that is not finished counts up to now. */
  p99(from: number, to: number): number {
    const now = this.world.scheduler.time;
    const open = [...this.open].map(({ begunAt }) => ({ begunAt, ms: now - begunAt }));
    const all = [...this.samples, ...open].filter(({ begunAt }) => begunAt >= from && begunAt < to);
    const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)]!;
  }

  longest(from: number): number {
    return Math.max(...this.samples.filter(({ begunAt }) => begunAt >= from).map(({ ms }) => ms));
  }

  private next(sim: SimNode): void {
    const { scheduler } = this.world;
    const begunAt = scheduler.time;
    const begun = { begunAt, ms: 0 };
    this.open.add(begun);
    const key = `key:${this.prng.below(400)}`;
    const operation = { kind: 'put', key, value: Buffer.from('v'), ttlMs: 0, operationId: null } as const;
    sim.node!.write(operation, TIMEOUT_MS, (result) => {
      this.open.delete(begun);
      this.samples.push({ begunAt, ms: scheduler.time - begunAt });
      if (result.kind !== 'done') this.failedAt.push(begunAt);
      scheduler.after(this.prng.between(0, THINK_MS_MAX), () => this.next(sim));
    });
  }
}

/** Makes a node slow; returns a function that cures it. */
type Manner = (world: SmallWorld, sim: SimNode) => () => void;

const slowDisk: Manner = (_world, sim) => {
  sim.disk.slowMs = 150;
  return () => (sim.disk.slowMs = 0);
};
const slowLinks: Manner = ({ cluster }, sim) => {
  cluster.network.slowPeer(sim.name, 100);
  return () => cluster.network.slowPeer(sim.name, 0);
};
/** Only a hundredth of the time is its own. */
const starved: Manner = ({ cluster, scheduler }, sim) => {
  let isStarved = true;
  const hold = (): void => {
    if (!isStarved) return;
    cluster.pause(sim, 99);
    scheduler.after(100, hold);
  };
  hold();
  return () => (isStarved = false);
};

const MANNERS: readonly (readonly [string, Manner])[] = [
  ['its disk', slowDisk],
  ['its links', slowLinks],
  ['its processor', starved],
];

interface Told {
  readonly normalMs: number;
  /** Counted from 5 s after the node became slow. */
  readonly laterMs: number;
  readonly longestMs: number;
  /** Among the writes that began that much later. */
  readonly failures: number;
  readonly epochs: number;
  readonly isOut: boolean;
  readonly isBack: boolean;
}

function tell(manner: Manner, mutations: Mutations = {}, slowForMs = 15_000): Told {
  const world = settled(11, mutations);
  const slow = world.nodes[2]!;
  const seen = (): NodeStatus => world.nodes[0]!.node!.status();
  const load = new Load(world, slow);
  world.run(3_000);
  const begun = world.scheduler.time;
  const epochBefore = seen().epoch;
  const heal = manner(world, slow);
  world.run(slowForMs);
  const isOut = seen().members.some(({ name, alive }) => name === slow.name && !alive);
  const end = world.scheduler.time;
  heal();
  const told = {
    normalMs: load.p99(begun - 2_000, begun),
    laterMs: load.p99(begun + 5_000, end),
    longestMs: load.longest(begun),
    failures: load.failedAt.filter((at) => at < begun || at > begun + 5_000).length,
    epochs: seen().epoch - epochBefore,
    isOut,
  };
  world.run(12_000);
  return { ...told, isBack: world.cluster.isWhole() };
}

describe('one of five is a hundred times slower', () => {
  for (const [what, manner] of MANNERS) {
    test(`by ${what}: it is taken out, writes go on as before, and it returns when it is well`, () => {
      const told = tell(manner);
      expect(told).toMatchObject({ failures: 0, isOut: true, isBack: true });
      expect(told.laterMs).toBeLessThan(told.normalMs * 2);
      expect(told.longestMs).toBeLessThan(SLOW_FOR_MS * 2);
      expect(told.epochs).toBe(1);
    });

    test(`by ${what}, and nobody is taken out: caught`, () => {
      const told = tell(manner, { keepSlow: true }, 8_000);
      expect(told.laterMs).toBeGreaterThan(told.normalMs * 2);
    });

    test(`by ${what}, and it comes back however slow it is: caught by the number of epochs`, () => {
      expect(tell(manner, { admitSlow: true }).epochs).toBeGreaterThan(6);
    });
  }
});

describe('who stays', () => {
  const epochOf = (world: SmallWorld): number => world.nodes[0]!.node!.membership.topology!.epoch;

  /** The number of epochs in the next `ms`, under load at all nodes but one. */
  function epochsWhile(world: SmallWorld, ms: number, except = world.nodes.at(-1)): number {
    new Load(world, except!);
    const before = epochOf(world);
    world.run(ms);
    return epochOf(world) - before;
  }

  test('all disks are slow alike: nobody goes', () => {
    const world = settled(12);
    for (const sim of world.nodes) slowDisk(world, sim);
    expect(epochsWhile(world, 15_000)).toBe(0);
  });

  test('PostgreSQL is slow: nobody goes', () => {
    const world = settled(13);
    world.database.slowMs = 300;
    expect(epochsWhile(world, 15_000)).toBe(0);
  });

  test('one is slow for a second, again and again: nobody goes', () => {
    const world = settled(14);
    for (let at = 0; at < 15_000; at += 3_000) {
      world.scheduler.after(at, () => {
        const heal = slowDisk(world, world.nodes[1 + ((at / 3_000) % 3)]!);
        world.scheduler.after(1_000, () => heal());
      });
    }
    expect(epochsWhile(world, 17_000)).toBe(0);
  });

  test('one of five is away, and another is slow: it stays, for some slots would have one owner', () => {
    const world = settled(15);
    world.cluster.kill(world.nodes[2]!);
    world.run(2_000);
    slowDisk(world, world.nodes[1]!);
    expect(epochsWhile(world, 15_000, world.nodes[2])).toBe(0);
    const told = world.nodes[0]!.node!.status().members.map(({ slow }) => slow);
    expect(told[1]).toMatch(/^slow: it answers after \d+ ms/);
  });

  test('two of five are slow: one goes, and the other waits until it is back', () => {
    const world = settled(16);
    slowDisk(world, world.nodes[1]!);
    slowLinks(world, world.nodes[2]!);
    expect(epochsWhile(world, 15_000)).toBe(1);
    const told = world.nodes[0]!.node!.status().members.map(({ slow }) => slow);
    expect(told.filter((slow) => slow.startsWith('taken out as slow'))).toHaveLength(1);
    expect(told.filter((slow) => slow.startsWith('slow'))).toHaveLength(1);
  });
});

describe('one that is slow only while it takes part', () => {
  test('it is taken out less and less often', () => {
    const world = settled(17);
    const sim = world.nodes[2]!;
    const isAlive = (): boolean => memberByName(world.nodes[0]!.node!.membership.topology!, sim.name)!.alive;
    const look = (): void => {
      sim.disk.slowMs = isAlive() ? 200 : 0;
      world.scheduler.after(20, look);
    };
    look();
    const removed: number[] = [];
    let wasAlive = true;
    new Load(world, sim);
    for (let passed = 0; passed < 80_000; passed += 50) {
      world.run(50);
      if (wasAlive && !isAlive()) removed.push(passed);
      wasAlive = isAlive();
    }
    const pauses = removed.slice(1).map((at, index) => at - removed[index]!);
    expect(removed.length).toBeGreaterThan(3);
    expect(removed.length).toBeLessThan(8);
    for (const [index, pause] of pauses.slice(1).entries())
      expect(pause).toBeGreaterThan(pauses[index]! * 1.2);
  });
});
