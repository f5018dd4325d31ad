/**
 * Redis alone, and a Redis Cluster of three. Both sync their log before they answer a write, which is the closest that
 * Redis comes to the guarantees compared here; neither has a replica.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePorts } from '../world.ts';
import type { World } from '../world.ts';
import type { System } from './contender.ts';
import { SLOTS_ALL } from './load/driver.ts';
import type { SlotRange } from './load/driver.ts';
import { ServerProcess } from './server-process.ts';

const CLUSTER_MASTERS = 3;
const CLUSTER_READY_MS = 20_000;
const SYNCED = ['--appendonly', 'yes', '--appendfsync', 'always'];

export async function startRedis(world: World): Promise<System> {
  const [port] = await freePorts(1);
  const server = await startServer(world, 'redis', port!, SYNCED);
  return {
    id: 'redis',
    name: 'Redis alone, AOF always',
    promise: 'synced to the log of one server; reads are linearizable; nobody takes over',
    disks: 1,
    target: { kind: 'resp', ranges: [{ ...SLOTS_ALL, port: port! }] },
    pids: () => [server.pid],
    directories: [server.directory],
  };
}

/** Configured as a cache: nothing is on disk. */
export async function startRedisCache(world: World): Promise<{ port: number; server: ServerProcess }> {
  const [port] = await freePorts(1);
  return { port: port!, server: await startServer(world, 'redis-cache', port!, ['--appendonly', 'no']) };
}

export async function startRedisCluster(world: World): Promise<System> {
  const ports = await freePorts(CLUSTER_MASTERS * 2);
  const masters = ports.slice(0, CLUSTER_MASTERS);
  const servers = await Promise.all(
    masters.map((port, at) =>
      startServer(world, `redis-cluster-${at + 1}`, port, [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(ports[CLUSTER_MASTERS + at]!)],
        ...SYNCED,
      ]),
    ),
  );
  await join(ports.slice(0, CLUSTER_MASTERS), ports.slice(CLUSTER_MASTERS));
  return {
    id: 'redis-cluster',
    name: 'Redis Cluster of three, AOF always',
    promise: 'synced to the log of the one master of its slot; reads are linearizable; no replicas',
    disks: 1,
    target: { kind: 'resp', ranges: await clusterRanges(masters[0]!) },
    pids: () => servers.map(({ pid }) => pid),
    directories: servers.map(({ directory }) => directory),
  };
}

/** The map of slots, as the cluster itself reports it. */
export function clusterRanges(port: number): Promise<SlotRange[]> {
  return withRedis(port, async (redis) => {
    const told = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return told.map(([from, to, [, master]]) => ({ from, to, port: master }));
  });
}

async function startServer(
  world: World,
  name: string,
  port: number,
  options: string[],
): Promise<ServerProcess> {
  const server = new ServerProcess(world, name, 'redis-server', (directory) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
    ...options,
  ]);
  await server.untilReady(() => withRedis(port, (redis) => redis.ping()));
  return server;
}

/** Gives each its third of the slots, introduces them to one another, and waits until all agree. */
async function join(masters: readonly number[], busPorts: readonly number[]): Promise<void> {
  const share = Math.ceil((SLOTS_ALL.to + 1) / masters.length);
  for (const [at, port] of masters.entries()) {
    await withRedis(port, async (redis) => {
      const last = Math.min(SLOTS_ALL.to, (at + 1) * share - 1);
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', at * share, last);
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
      if (at > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', masters[0]!, busPorts[0]!);
    });
  }
  const giveUpAt = performance.now() + CLUSTER_READY_MS;
  while (!(await Promise.all(masters.map(isComplete))).every(Boolean)) {
    if (performance.now() > giveUpAt) throw new Error('Redis Cluster did not form');
    await delay(50);
  }
}

function isComplete(port: number): Promise<boolean> {
  return withRedis(port, async (redis) => {
    const told = String(await redis.call('CLUSTER', 'INFO'));
    return /cluster_state:ok/.test(told) && /cluster_known_nodes:3\b/.test(told);
  });
}

export async function withRedis<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    ...{ port, host: '127.0.0.1', lazyConnect: true, maxRetriesPerRequest: 0 },
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
