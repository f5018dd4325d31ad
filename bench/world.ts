/**
 * What a benchmark runs on: a directory, a PostgreSQL that syncs every commit, and ports. Every process of it is this
 * same bundle with another command, and ends with the benchmark however that ends.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedPostgres } from '../src/supervisor/embedded-postgres.ts';

/** Which parts of the comparison with peers to run; default: all. */
export interface PeersChoice {
  readonly workloads: readonly string[] | undefined;
  /** Causeway with PostgreSQL is always one of them. */
  readonly systems: readonly string[] | undefined;
  readonly rounds: number | undefined;
}

export interface World {
  readonly directory: string;
  /** The path of this program. */
  readonly entry: string;
  readonly quick: boolean;
  /** Number of keys for the parts that move many; undefined: each part's own default. */
  readonly keys: number | undefined;
  /** Where the nodes' processes write their profiles; undefined for none. */
  readonly profileDirectory: string | undefined;
  /** Prefix of the files in which a part writes a report of its own; undefined for none. */
  readonly reportBase: string | undefined;
  /** What is different about this build. */
  readonly label: string;
  readonly peers: PeersChoice;
  /** Prints a line for the user. */
  tell(text: string): void;
  /** Creates an empty database; returns its URL. */
  createDatabase(): Promise<string>;
  /** Starts a separate PostgreSQL, besides the one for databases; returns the URL of an empty database. */
  startPostgres(name: string): Promise<string>;
  /** Runs when the benchmark ends, even by Ctrl-C, in reverse order. */
  atClose(close: () => Promise<void>): void;
  close(): Promise<void>;
}

export type WorldOptions = Pick<
  World,
  'quick' | 'keys' | 'profileDirectory' | 'reportBase' | 'label' | 'peers' | 'tell'
>;

export async function openWorld(options: WorldOptions): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
  const closes: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll(closes, directory));
  endWithSignals(close);
  // If the user is root, PostgreSQL runs as another user, who must be able to access this directory.
  chmodSync(directory, 0o755);
  const entry = process.argv[1]!;
  const never = new AbortController().signal;
  const startPostgres = async (name: string): Promise<string> => {
    const [port] = await freePorts(1);
    const postgres = new EmbeddedPostgres({
      directory: join(directory, name),
      port: port!,
      entry,
      logPath: join(directory, `${name}.log`),
      onEvent: () => {},
      report: () => {},
    });
    closes.push(() => postgres.halt());
    await postgres.prepare(never);
    await postgres.start(never);
    return postgres.url;
  };
  const url = await startPostgres('postgres');
  let databases = 0;
  return {
    directory,
    entry,
    ...options,
    startPostgres,
    createDatabase: async () => {
      const name = `bench_${(databases += 1)}`;
      await runOnce(url, `create database ${name}`);
      return url.replace(/[^/]+$/, name);
    },
    atClose: (run) => void closes.push(run),
    close,
  };
}

async function closeAll(closes: (() => Promise<void>)[], directory: string): Promise<void> {
  for (let run = closes.pop(); run !== undefined; run = closes.pop()) {
    // One process that does not end must not keep the others from ending.
    await run().catch(() => undefined);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Processes and files go away with the benchmark, even if it is told to end. */
function endWithSignals(close: () => Promise<void>): void {
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    // Not `once`: a signal may arrive twice, from the terminal and from the process that started this.
    process.on(signal, () => {
      const end = (): never => process.exit(code);
      close().then(end, end);
    });
  }
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

/** Ports that were free a moment ago, below the range for outgoing connections. */
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
