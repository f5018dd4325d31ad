/**
 * The Redis protocol as a team's program uses it: one process, `ioredis` in its usual configuration, one connection to
 * the node or to each node of a cluster, however many operations are in flight. The hand-written write-through uses its
 * cache like this.
 */
import { Cluster, Redis } from 'ioredis';
import { keyName, Values } from './driver.ts';
import type { Driver, OnAnswer } from './driver.ts';

/**
 * Milliseconds. On a busy machine a cluster may take longer to return its slot map than the client's own limit of one
 * second.
 */
const MAP_MS_MAX = 10_000;

export class ProgramDriver implements Driver {
  private readonly redis: Redis | Cluster;
  private readonly onAnswer: OnAnswer;
  private values = new Values(0);
  private valueBytes = 0;

  /** Several ports are a cluster, whose map of slots the client asks for. */
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
