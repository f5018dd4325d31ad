/**
 * Redis' protocol as a team's program speaks it: one process, `ioredis` as everybody sets it up, one connection to the node or to
 * each node of a cluster, however many operations are in flight. It is what the write-through written by hand does with its cache.
 */
import { Cluster, Redis } from 'ioredis';
import { keyName, Values } from './driver.ts';
import type { Driver, OnAnswer } from './driver.ts';

/** Milliseconds. On a busy machine a cluster may take longer to tell who has what than the client's own second. */
const MAP_MS_MAX = 10_000;

export class ProgramDriver implements Driver {
  private readonly redis: Redis | Cluster;
  private readonly onAnswer: OnAnswer;
  private values = new Values(0);
  private valueBytes = 0;

  /** Of several ports a cluster is made, which the client asks who has which slots. */
  constructor(ports: readonly number[], onAnswer: OnAnswer) {
    const addresses = ports.map((port) => ({ port, host: '127.0.0.1' }));
    const options = { enableAutoPipelining: true, lazyConnect: true };
    this.redis =
      addresses.length > 1
        ? new Cluster(addresses, { ...options, slotsRefreshTimeout: MAP_MS_MAX })
        : new Redis({ ...addresses[0]!, ...options });
    this.redis.on('error', () => undefined);
    this.onAnswer = onAnswer;
  }

  async prepare(): Promise<void> {
    if (this.redis.status === 'wait') await this.redis.connect();
  }

  use(valueBytes: number): void {
    this.valueBytes = valueBytes;
    this.values = new Values(valueBytes);
  }

  issue(_lane: number, isPut: boolean, key: number, token: number): void {
    const name = keyName(this.valueBytes, key);
    const done = isPut ? this.redis.set(name, this.values.next()) : this.redis.getBuffer(name);
    done.then(
      (told) => this.onAnswer(token, told === null ? 'there is no such key' : undefined),
      (error: Error) => this.onAnswer(token, error.message),
    );
  }

  flush(): void {}

  close(): void {
    this.redis.disconnect();
  }
}
