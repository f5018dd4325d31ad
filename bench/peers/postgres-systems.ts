/** PostgreSQL alone, by single rows and by batches, and the hand-written write-through over it and a Redis. */
import pg from 'pg';
import type { World } from '../world.ts';
import type { System } from './contender.ts';
import { parentOf } from './process-times.ts';
import { startRedisCache } from './redis-systems.ts';

const ONE_DISK = 'committed in one PostgreSQL; nobody takes over';

/** Both in one server, because they do not run at the same time. */
export async function startPostgresAlone(world: World): Promise<System[]> {
  const url = await world.startPostgres('postgres-alone');
  const { pid, directory } = await homeOfDatabase(url);
  const common = { disks: 1, pids: () => [pid], directories: [directory], promise: ONE_DISK };
  return [
    {
      ...{ id: 'postgres-rows', name: 'PostgreSQL alone, single rows' },
      target: { kind: 'postgres', url, isBatched: false },
      ...common,
    },
    {
      ...{ id: 'postgres-batches', name: 'PostgreSQL alone, batches' },
      target: { kind: 'postgres', url: await another(url), isBatched: true },
      ...common,
    },
  ];
}

export async function startHandWritten(world: World): Promise<System> {
  const url = await world.startPostgres('postgres-hand-written');
  const { pid, directory } = await homeOfDatabase(url);
  const { port, server } = await startRedisCache(world);
  return {
    id: 'hand-written',
    name: 'ioredis + pg, written by hand',
    promise: 'committed in one PostgreSQL; the cache in Redis may keep an older value for good',
    disks: 1,
    target: { kind: 'hand-written', url, redisPort: port },
    pids: () => [pid, server.pid],
    directories: [directory],
  };
}

/** The server of a database: its process, and the directory of its files. */
export async function homeOfDatabase(url: string): Promise<{ pid: number; directory: string }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number; directory: string }>(
      "select pg_backend_pid() as pid, current_setting('data_directory') as directory",
    );
    const { pid, directory } = rows[0]!;
    return { pid: parentOf(pid) ?? pid, directory };
  } finally {
    await client.end();
  }
}

/** Creates a second database in the same server; returns its URL. */
async function another(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('create database batches');
  } finally {
    await client.end();
  }
  return url.replace(/[^/]+$/, 'batches');
}
