/**
 * Clients that write all the time, each to keys of its own, and remember what was acknowledged, which must be there
 * afterwards whatever happened meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestCluster } from './cluster.ts';
import { until } from './supervisor-program.ts';

const WRITER_COUNT = 6;
const KEYS_PER_WRITER = 40;
/** Milliseconds that a writer pauses after a failure. */
const REST_MS = 20;

/** For one key: the highest acknowledged number, and the highest that may have been written. */
interface Told {
  acknowledged: number;
  attempted: number;
}

export class Writers {
  versionMax = 0;
  /** Operations that failed, and reads that were older than an acknowledged write. */
  readonly failures: string[] = [];
  private readonly cluster: TestCluster;
  private readonly told = new Map<string, Told>();
  private acknowledgedCount = 0;
  private stopping = false;
  private running: Promise<void>[] = [];

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  /** By key, the highest number that was acknowledged. */
  get acknowledged(): Map<string, number> {
    return new Map([...this.told].map(([key, { acknowledged }]) => [key, acknowledged]));
  }

  start(): void {
    this.running = Array.from({ length: WRITER_COUNT }, (_, writer) => this.write(writer));
  }

  /** Waits until that many more writes are acknowledged. */
  async untilAcknowledged(count: number): Promise<void> {
    const wanted = this.acknowledgedCount + count;
    await until(`${count} acknowledged writes`, () => this.acknowledgedCount >= wanted);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
  }

  /** By a read at this particular node and, if it owns the key, also in its own store. */
  async expectAllAt(name: string): Promise<void> {
    const client = this.cluster.client(name);
    const missing: string[] = [];
    for (const [key, { acknowledged, attempted }] of this.told) {
      if (acknowledged === 0) continue;
      const value = await client.get(key);
      const stands = value === undefined ? undefined : Number(Buffer.from(value).toString());
      const isFine = stands !== undefined && stands >= acknowledged && stands <= attempted;
      if (!isFine) missing.push(`${key}: ${acknowledged} was acknowledged, ${name} reads ${stands}`);
      const { owner, valid, entry } = await this.cluster.inspect(name, key);
      if (!owner) continue;
      const held = entry === undefined ? undefined : Number(Buffer.from(entry.value).toString());
      if (!valid || held !== stands) missing.push(`${key}: ${name} reads ${stands} and holds ${held}`);
    }
    expect(missing).toEqual([]);
    expect(this.told.size).toBeGreaterThan(0);
  }

  private async write(writer: number): Promise<void> {
    const client = this.cluster.client();
    for (let number = 1; !this.stopping; number += 1) {
      const key = `writer-${writer}:${number % KEYS_PER_WRITER}`;
      const told = this.told.get(key) ?? { acknowledged: 0, attempted: 0 };
      this.told.set(key, told);
      told.attempted = number;
      try {
        const version = await client.set(key, String(number), { timeoutMs: 5_000 });
        told.acknowledged = number;
        this.acknowledgedCount += 1;
        this.versionMax = Math.max(this.versionMax, version);
        const value = await client.get(key, { timeoutMs: 5_000 });
        const read = value === undefined ? undefined : Buffer.from(value).toString();
        if (read !== String(number)) this.failures.push(`${key}: ${number} was written, ${read} was read`);
      } catch (error) {
        this.failures.push(`${key}: ${String(error)}`);
        await delay(REST_MS);
      }
    }
  }
}
