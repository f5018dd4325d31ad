/**
 * What a benchmark runs on: a directory, a PostgreSQL that syncs every commit, and ports. Every process of it is
 * this very bundle under another command, and ends with the benchmark however that ends.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedPostgres } from '../src/supervisor/embedded-postgres.ts';

export interface World {
  readonly directory: string;
  /** This program. */
  readonly entry: string;
  readonly quick: boolean;
  /** Keys of the parts that move many; undefined: as many as they ask for by themselves. */
  readonly keys: number | undefined;
  /** Where processes of the nodes write their profiles; undefined for none. */
  readonly profileDirectory: string | undefined;
  /** An empty database; its URL. */
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

export async function openWorld(options: Pick<World, 'quick' | 'keys' | 'profileDirectory'>): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
  // PostgreSQL of a root user runs as another, who must be able to get here.
  chmodSync(directory, 0o755);
  const entry = process.argv[1]!;
  const [port] = await freePorts(1);
  const postgres = new EmbeddedPostgres({
    directory: join(directory, 'postgres'),
    port: port!,
    entry,
    logPath: join(directory, 'postgres.log'),
    onEvent: () => {},
    report: () => {},
  });
  const never = new AbortController().signal;
  await postgres.prepare(never);
  await postgres.start(never);
  let databases = 0;
  return {
    directory,
    entry,
    ...options,
    createDatabase: async () => {
      const name = `bench_${(databases += 1)}`;
      await runOnce(postgres.url, `create database ${name}`);
      return postgres.url.replace(/[^/]+$/, name);
    },
    close: async () => {
      await postgres.halt();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function runOnce(connectionString: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** Ports that were free a moment ago, below the range that the system hands out to others. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 12_000 + Math.floor(Math.random() * 15_000); found.length < count; port += 1) {
    if (await isFree(port)) found.push(port);
    else found.length = 0;
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
