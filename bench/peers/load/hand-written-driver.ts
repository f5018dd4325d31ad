/**
 * The write-through that a Node team would write by hand: the row first, then the cache; a read asks the cache, and
 * PostgreSQL if the cache has nothing. It does not handle a crash between the two, two writers of one key whose cache
 * writes are reordered, or a fill that arrives after a write: all three leave an old value in the cache.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import { keyName, Values } from './driver.ts';
import type { Driver, OnAnswer } from './driver.ts';
import { GET_ONE, PUT_ONE, TABLE } from './postgres-driver.ts';

const CONNECTIONS_MAX = 50;

export class HandWrittenDriver implements Driver {
  private readonly pool: pg.Pool;
  private readonly redis: Redis;
  private readonly onAnswer: OnAnswer;
  private values = new Values(0);
  private valueBytes = 0;

  constructor(url: string, redisPort: number, onAnswer: OnAnswer) {
    this.pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MAX });
    this.pool.on('error', () => undefined);
    this.redis = new Redis({ port: redisPort, host: '127.0.0.1', enableAutoPipelining: true });
    this.redis.on('error', () => undefined);
    this.onAnswer = onAnswer;
  }

  async prepare(): Promise<void> {
    await this.pool.query(TABLE);
  }

  use(valueBytes: number): void {
    this.valueBytes = valueBytes;
    this.values = new Values(valueBytes);
  }

  issue(_lane: number, isPut: boolean, key: number, token: number): void {
    const name = keyName(this.valueBytes, key);
    const done = isPut ? this.put(name, this.values.next()) : this.get(name);
    done.then(
      (isThere) => this.onAnswer(token, isThere ? undefined : 'there is no such key'),
      (error: Error) => this.onAnswer(token, error.message),
    );
  }

  private async put(key: string, value: Buffer): Promise<boolean> {
    await this.pool.query({ ...PUT_ONE, values: [key, value] });
    await this.redis.set(key, value);
    return true;
  }

  private async get(key: string): Promise<boolean> {
    const cached = await this.redis.getBuffer(key);
    if (cached !== null) return true;
    const { rows } = await this.pool.query<{ value: Buffer }>({ ...GET_ONE, values: [key] });
    if (rows[0] === undefined) return false;
    await this.redis.set(key, rows[0].value);
    return true;
  }

  flush(): void {}

  close(): void {
    this.redis.disconnect();
    void this.pool.end();
  }
}
