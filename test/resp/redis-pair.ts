/** A plain Redis and a cluster of one, and their replies to sequences, each of which starts with an empty server. */
import { play } from './play.ts';
import { startRedis } from './redis-server.ts';
import type { Sequence } from './sequence.ts';

export interface RedisPair {
  play(sequence: Sequence, pipelined?: boolean): Promise<string[]>;
  close(): Promise<void>;
}

export async function startRedisPair(): Promise<RedisPair> {
  const plain = await startRedis('plain');
  const cluster = await startRedis('cluster');
  return {
    async play(sequence, pipelined) {
      const server = sequence.server === 'plain' ? plain : cluster;
      await server.do('FLUSHALL');
      return play(server.port, sequence, pipelined);
    },
    async close() {
      await plain.close();
      await cluster.close();
    },
  };
}
