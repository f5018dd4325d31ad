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

/** Which part of the comparison with peers is wanted; all of it where nothing is said. */
export interface PeersChoice {
  readonly workloads: readonly string[] | undefined;
  /** Causeway with PostgreSQL is always one of them. */
  readonly systems: readonly string[] | undefined;
  readonly rounds: number | undefined;
}

export interface World {
  readonly directory: string;
  /** This program. */
  readonly entry: string;
  readonly quick: boolean;
  /** Keys of the parts that move many; undefined: as many as they ask for by themselves. */
  readonly keys: number | undefined;
  /** Where processes of the nodes write their profiles; undefined for none. */
  readonly profileDirectory: string | undefined;
  /** Where a part leaves a report of its own, by the beginning of its files' names; undefined: nowhere. */
  readonly reportBase: string | undefined;
  /** What is different about this build. */
  readonly label: string;
  readonly peers: PeersChoice;
  /** A line for who watches. */
  tell(text: string): void;
  /** An empty database; its URL. */
  createDatabase(): Promise<string>;
  /** A PostgreSQL of its own, beside the one of the databases; the URL of an empty database. */
  startPostgres(name: string): Promise<string>;
  /** Runs when the benchmark ends, also by Ctrl-C: the last one first. */
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
  // PostgreSQL of a root user runs as another, who must be able to get here.
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
    // What does not end must not keep the others.
    await run().catch(() => undefined);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** What was started and written goes with the benchmark, also where that is told to end. */
function endWithSignals(close: () => Promise<void>): void {
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    // Not once: a signal may come twice, from the terminal and from who started this.
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
