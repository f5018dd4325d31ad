/** Disks that fill up under load and are freed again: the store is not harmed, and whatever can continue does. */
import { expect, it } from 'vitest';
import { certaintyOf } from '../src/core/errors.ts';
import { LIFE_OUTSIDE_MS } from '../src/core/lives/life-limits.ts';
import { DISK_RETURN_FACTOR } from '../src/core/limits.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { WriteResult } from '../src/core/operation.ts';
import { SIM_RESERVE_BYTES } from './cluster.ts';
import type { SimNode } from './cluster.ts';
import { DISK_HAS_NO_ROOM, SIM_DISK_BYTES } from './disk.ts';
import { SmallWorld } from './small-world.ts';

/**
 * How much of the reserve is left when a disk is found nearly full: what the load of these tests writes within a few
 * seconds.
 */
const LEFT_BYTES = 400_000;
const VALUE = 'v'.repeat(1_000);

/** Writes at each node in turn, one every few milliseconds, whatever becomes of the previous one. */
class Load {
  readonly results: WriteResult[] = [];
  begun = 0;
  /** Increments that met another one while the epoch changed: nobody can say whether they took effect. (R3) */
  unknownIncrements = 0;
  incrementsDone = 0;
  private readonly world: SmallWorld;
  private stopped = false;

  constructor(world: SmallWorld) {
    this.world = world;
    this.next();
  }

  stop(): void {
    this.stopped = true;
    this.world.until(() => this.results.length === this.begun, 20_000);
  }

  get failures(): WriteResult[] {
    return this.results.filter(({ kind }) => kind !== 'done');
  }

  private next(): void {
    if (this.stopped) return;
    const nodes = this.world.nodes.filter(({ node }) => node !== null);
    const { node } = nodes[this.begun % nodes.length]!;
    this.begun += 1;
    const key = `key:${this.begun}`;
    const base = { key, value: Buffer.from(VALUE), operationId: null };
    const operation =
      this.begun % 3 === 0
        ? ({ ...base, kind: 'increment', key: 'count', delta: 1n } as const)
        : ({ ...base, kind: 'put', ttlMs: 0 } as const);
    node!.write(operation, 5_000, (result) => {
      const isUnknown = result.kind === 'failed' && result.failure.code === 'outcome_unknown';
      if (operation.kind === 'increment' && isUnknown) this.unknownIncrements += 1;
      if (operation.kind === 'increment' && result.kind === 'done') this.incrementsDone += 1;
      this.results.push(result);
    });
    this.world.scheduler.after(4, () => this.next());
  }
}

function fill(sim: SimNode, leftBytes = LEFT_BYTES): void {
  sim.disk.roomBytes = leftBytes;
}

function free(sim: SimNode): void {
  sim.disk.roomBytes = SIM_DISK_BYTES;
}

function isOut(sim: SimNode): boolean {
  const status = sim.node?.status();
  const self = status?.members.find(({ name }) => name === sim.name);
  return status?.disk.state === 'low' && self?.alive === false;
}

function diskOf(sim: SimNode): string {
  return sim.node!.status().disk.state;
}

it('a disk nearly full under load: the node steps back in order, hands on what it is asked, and comes back', () => {
  const world = new SmallWorld(71);
  const [, second] = world.nodes as [SimNode, SimNode, SimNode];
  const load = new Load(world);
  world.run(1_000);
  fill(second);
  world.until(() => isOut(second), 3_000);
  const leftWhenOut = second.disk.roomBytes;
  const writtenBefore = load.begun;
  world.run(4_000);
  // From here on it writes only what its membership needs.
  expect(second.disk.roomBytes).toBeGreaterThan(leftWhenOut - 20_000);
  expect(load.begun).toBeGreaterThan(writtenBefore + 500);
  expect(world.text(second, 'key:1')).toBe(VALUE);
  expect(world.put(second, 'asked there', 'stored elsewhere').kind).toBe('done');
  free(second);
  world.until(() => world.cluster.isWhole(), 10_000);
  load.stop();
  expect(load.failures).toHaveLength(load.unknownIncrements);
  expect(load.unknownIncrements).toBeLessThan(5);
  const count = Number(world.text(second, 'count'));
  expect(count).toBeGreaterThanOrEqual(load.incrementsDone);
  expect(count).toBeLessThanOrEqual(load.incrementsDone + load.unknownIncrements);
  expect(world.fatal).toEqual([]);
  expect(world.text(second, 'asked there')).toBe('stored elsewhere');
  expect(world.told.get('disk.low')).toBe(1);
  expect(world.told.get('disk.enough')).toBe(1);
});

it('a disk is full for long: nobody is told that the others do not let the node in', () => {
  const world = new SmallWorld(74);
  const sim = world.nodes[1]!;
  fill(sim);
  world.until(() => isOut(sim), 3_000);
  world.run(LIFE_OUTSIDE_MS + 10_000);
  expect(isOut(sim)).toBe(true);
  expect(world.told.get('membership.outside') ?? 0).toBe(0);
});

it('room just above the reserve: a node that stepped back stays out until there is clearly more', () => {
  const world = new SmallWorld(72);
  const sim = world.nodes[0]!;
  fill(sim);
  world.until(() => isOut(sim), 3_000);
  fill(sim, SIM_RESERVE_BYTES * 1.2);
  world.run(5_000);
  expect(isOut(sim)).toBe(true);
  fill(sim, SIM_RESERVE_BYTES * DISK_RETURN_FACTOR + 200_000);
  world.until(() => world.cluster.isWhole(), 10_000);
});

it('a second disk: that node stays, writes are refused definitely everywhere, reads go on; room at the first ends it', () => {
  const world = new SmallWorld(73);
  const [first, second, third] = world.nodes as [SimNode, SimNode, SimNode];
  expect(world.put(third, 'held', 'value').kind).toBe('done');
  fill(first);
  world.until(() => isOut(first), 3_000);
  fill(second);
  world.until(() => diskOf(second) === 'refusing', 3_000);
  world.run(100);
  const left = second.disk.roomBytes;
  for (const sim of world.nodes) {
    const result = world.put(sim, 'new', 'value');
    if (result.kind !== 'failed') throw new Error(`a write was not refused: ${result.kind}`);
    expect(result.failure.code).toBe('disk_full');
    expect(certaintyOf(result.failure.code)).toBe('definite');
    expect(result.failure.message).toContain(second.name);
    expect(world.text(sim, 'held')).toBe('value');
    expect(world.text(sim, 'new')).toBeUndefined();
  }
  expect(second.node!.status()).toMatchObject({ phase: 'serving', leaseHeld: true });
  expect(left - second.disk.roomBytes).toBeLessThan(20_000);
  free(first);
  world.until(() => isOut(second), 10_000);
  expect(world.put(second, 'new', 'value').kind).toBe('done');
  free(second);
  world.until(() => world.cluster.isWhole(), 10_000);
  for (const sim of world.nodes) expect(world.text(sim, 'new')).toBe('value');
  expect(world.fatal).toEqual([]);
});

it('all disks at once under load: one node goes, the others stay and refuse, and no store is harmed', () => {
  const world = new SmallWorld(74);
  const load = new Load(world);
  world.run(500);
  for (const sim of world.nodes) fill(sim);
  world.run(10_000);
  expect(world.nodes.filter(isOut)).toHaveLength(1);
  expect(world.nodes.filter((sim) => diskOf(sim) === 'refusing')).toHaveLength(2);
  expect(world.text(world.nodes[0]!, 'key:1')).toBe(VALUE);
  for (const sim of world.nodes) free(sim);
  world.until(() => world.cluster.isWhole(), 20_000);
  load.stop();
  expect(world.fatal).toEqual([]);
  const codes = new Set(
    load.failures.map((each) => (each.kind === 'failed' ? each.failure.code : each.kind)),
  );
  expect([...codes]).toEqual(['disk_full']);
  const done = load.results.filter(({ kind }) => kind === 'done').length;
  expect(done).toBeGreaterThan(200);
});

it('a node restarts without room: it stays outside and hands on, until there is some', () => {
  const world = new SmallWorld(75);
  const sim = world.nodes[1]!;
  world.cluster.kill(sim);
  fill(sim);
  world.run(2_000);
  world.cluster.start(sim);
  world.run(5_000);
  expect(isOut(sim)).toBe(true);
  expect(world.put(sim, 'asked there', 'value').kind).toBe('done');
  free(sim);
  world.until(() => world.cluster.isWhole(), 10_000);
});

it('all restart, one without room: it helps the others to start, and steps back', () => {
  const world = new SmallWorld(76);
  expect(world.put(world.nodes[0]!, 'held', 'value').kind).toBe('done');
  for (const sim of world.nodes) world.cluster.kill(sim);
  fill(world.nodes[2]!);
  for (const sim of world.nodes) world.cluster.start(sim);
  world.until(() => isOut(world.nodes[2]!), 20_000);
  for (const sim of world.nodes) expect(world.text(sim, 'held')).toBe('value');
  expect(world.put(world.nodes[2]!, 'held', 'changed').kind).toBe('done');
});

it.each([
  { mutations: NO_MUTATIONS, fatal: [] },
  { mutations: { ignoreFullDisk: true }, fatal: [`the store failed: ${DISK_HAS_NO_ROOM}`] },
])('a node that does not step back ($mutations): its store fails, and only its', ({ mutations, fatal }) => {
  const world = new SmallWorld(77, { mutations });
  const load = new Load(world);
  fill(world.nodes[0]!);
  world.run(10_000);
  expect(load.begun).toBeGreaterThan(2_000);
  expect(world.fatal).toEqual(fatal);
});
