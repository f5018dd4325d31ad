/**
 * Members stop in order and return, one after another, while clients at the others write what takes effect only once:
 * none of them is left without knowing what became of its write. (PROTOCOL R3, R18)
 */
import { expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import type { WriteOperation, WriteResult } from '../src/core/operation.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const CLIENT_COUNT = 12;
const TIMEOUT_MS = 5_000;

/** Clients that each do one write after another, at any member that serves. */
class Clients {
  done = 0;
  /** How many increments of the counter were done. */
  counted = 0;
  /** Failures by code, at members that were not asked to stop, and at the one that was. */
  readonly failures = new Map<string, number>();
  readonly refusals = new Set<string>();
  stopping: SimNode | null = null;
  private readonly world: SmallWorld;
  private readonly prng: Prng;
  private isOver = false;
  private waiting = 0;

  constructor(world: SmallWorld, seed: number) {
    this.world = world;
    this.prng = new Prng(seed);
    for (let number = 0; number < CLIENT_COUNT; number += 1) this.next();
  }

  end(): void {
    this.isOver = true;
    this.world.until(() => this.waiting === 0, TIMEOUT_MS * 2);
  }

  private next(): void {
    if (this.isOver) return;
    const serving = this.world.nodes.filter((sim) => sim.node?.status().phase === 'serving');
    const operation = this.operation();
    const sim = this.prng.pick(serving);
    this.waiting += 1;
    sim.node!.write(operation, TIMEOUT_MS, (told) => this.answered(sim, operation, told));
  }

  /** Increments of a counter, and of keys that others overwrite without a condition. */
  private operation(): WriteOperation {
    const { prng } = this;
    if (prng.chance(0.2)) return { kind: 'increment', key: 'counter', delta: 1n, operationId: null };
    const key = `contended-${prng.below(3)}`;
    if (prng.chance(0.5)) return { kind: 'increment', key, delta: 1n, operationId: null };
    return { kind: 'put', key, value: Buffer.from('0'), ttlMs: 0, operationId: null };
  }

  private answered(sim: SimNode, { key }: WriteOperation, told: WriteResult): void {
    this.waiting -= 1;
    this.world.scheduler.after(this.prng.between(0.5, 4), () => this.next());
    if (told.kind === 'failed') {
      const { code } = told.failure;
      if (sim === this.stopping) this.refusals.add(code);
      else this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      return;
    }
    this.done += 1;
    if (key === 'counter') this.counted += 1;
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 81, 82, 83, 84])(
  'seed %i: every write at the other members is done',
  (seed) => {
    const world = new SmallWorld(seed);
    const clients = new Clients(world, seed);
    for (const sim of world.nodes) {
      world.run(100);
      let isStopped = false;
      clients.stopping = sim;
      world.cluster.stop(sim, () => (isStopped = true));
      world.until(() => isStopped, 10_000);
      clients.stopping = null;
      world.cluster.start(sim);
      world.until(() => world.cluster.isWhole(), 20_000);
    }
    clients.end();
    expect(Object.fromEntries(clients.failures)).toEqual({});
    // It turns its own clients away, who know that nothing was done.
    expect([...clients.refusals]).toEqual(['not_ready']);
    expect(clients.done).toBeGreaterThan(100);
    const counter = world.get(world.nodes[0]!, 'counter');
    expect(counter.kind === 'value' && Buffer.from(counter.record.value).toString()).toBe(
      `${clients.counted}`,
    );
  },
);
