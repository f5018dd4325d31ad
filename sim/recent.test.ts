/** What whole nodes report about their last seconds, and where the time of their operations went, in virtual time. */
import { expect, it } from 'vitest';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const recentOf = (sim: SimNode): ReturnType<NonNullable<SimNode['node']>['status']>['recent'] =>
  sim.node!.status().recent;

it('writes at a PostgreSQL that takes 50 ms for a row: they are told as such, and so is where the time went', () => {
  const world = new SmallWorld(41);
  world.run(6_000);
  const [sim] = world.nodes;
  expect(recentOf(sim!)).toMatchObject({ writeMs: null, perSecond: { writes: 0 } });
  world.database.rowMs = 50;
  for (let count = 0; count < 20; count += 1) world.put(sim!, `k${count}`, 'v');
  const { perSecond, writeMs, stagesMs, record, store, windowMs } = recentOf(sim!);
  expect(windowMs).toBeGreaterThanOrEqual(5_000);
  expect(windowMs).toBeLessThan(6_100);
  expect(perSecond.writes).toBeCloseTo(20 / (windowMs / 1_000), 0);
  expect(writeMs!.count).toBe(20);
  expect(writeMs!.p50).toBeGreaterThan(50);
  expect(writeMs!.p50).toBeLessThan(80);
  const { door, queue, store: stored, peers, record: recorded } = stagesMs;
  expect(recorded!.p50).toBeGreaterThan(45);
  expect(recorded!.p50).toBeLessThan(70);
  expect(peers!.p50).toBeLessThan(15);
  expect(stored!.p50).toBeLessThan(15);
  expect(queue!.p50).toBeLessThan(1);
  expect(door!.p50).toBeLessThan(1);
  expect(record.commitMs!.p50).toBeGreaterThan(45);
  expect(store.batchesPerSecond).toBeGreaterThan(1);
});

it('what happened longer ago than the window is not told any more', () => {
  const world = new SmallWorld(42);
  const [sim] = world.nodes;
  for (let count = 0; count < 10; count += 1) world.put(sim!, `k${count}`, 'v');
  expect(recentOf(sim!).writeMs!.count).toBe(10);
  world.run(7_000);
  expect(recentOf(sim!)).toMatchObject({ writeMs: null, perSecond: { writes: 0, failures: 0 } });
});

it('a row that waits for a PostgreSQL that is away is told with its age, and no longer once it is committed', () => {
  const world = new SmallWorld(43);
  const [sim] = world.nodes;
  world.database.goDown(60_000);
  let isAnswered = false;
  const operation = { kind: 'put', key: 'k', value: Buffer.from('v'), ttlMs: 0, operationId: null } as const;
  sim!.node!.write(operation, 20_000, () => (isAnswered = true));
  world.run(4_000);
  const { rowsWaiting, oldestUnflushedMs, whyWaiting } = recentOf(sim!).record;
  expect(rowsWaiting).toBe(1);
  expect(whyWaiting).not.toBe('');
  expect(oldestUnflushedMs).toBeGreaterThan(3_900);
  expect(oldestUnflushedMs).toBeLessThan(4_001);
  world.database.comeUp();
  world.until(() => isAnswered, 10_000);
  expect(recentOf(sim!).record).toMatchObject({ rowsWaiting: 0, oldestUnflushedMs: 0, whyWaiting: '' });
});

it('a conditional write at another node than its first owner: the time at the owner is told as handed on', () => {
  const world = new SmallWorld(44);
  const key = 'counter';
  const other = world.nodes.find((sim) => sim !== world.ownersOf(key)[0])!;
  world.database.rowMs = 50;
  world.run(6_000);
  for (let count = 0; count < 5; count += 1)
    world.write(other, { kind: 'increment', key, delta: 1n, operationId: null });
  const { writeMs, stagesMs } = recentOf(other);
  expect(writeMs!.count).toBe(5);
  expect(stagesMs.forwarded!.p50).toBeGreaterThan(50);
  expect(stagesMs.record).toBeNull();
  const owner = recentOf(world.ownersOf(key)[0]!);
  expect(owner.perSecond.forwardedHere).toBeGreaterThan(0);
  expect(owner.writeMs).toBeNull();
  expect(owner.stagesMs.record!.count).toBe(5);
});

it('reads that are answered from memory count with the lowest times, each once', () => {
  const world = new SmallWorld(45);
  const key = 'hot';
  const [sim] = world.nodes;
  world.put(sim!, key, 'v');
  world.run(6_000);
  for (let count = 0; count < 100; count += 1) sim!.node!.tryGet(key);
  for (let count = 0; count < 7; count += 1) expect(recentOf(sim!).readMs).toMatchObject({ count: 100 });
  const { readMs, store } = recentOf(sim!);
  expect(readMs!.p99).toBeLessThanOrEqual(0.1);
  expect(store.cacheHitShare).toBeGreaterThan(0.9);
});
