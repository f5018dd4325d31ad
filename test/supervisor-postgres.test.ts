/** The embedded PostgreSQL with real processes: its first start, its data, its crashes, and what it leaves behind. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChildEvent } from '../src/supervisor/child-process.ts';
import { EmbeddedPostgres } from '../src/supervisor/embedded-postgres.ts';
import { preparePostgresHome } from '../src/supervisor/postgres-user.ts';
import { isPostgresOn } from '../src/supervisor/process-table.ts';
import {
  buildProgram,
  freePorts,
  processesAt,
  temporaryDirectory,
  until,
} from './support/supervisor-program.ts';

const isRoot = process.getuid?.() === 0;
const never = new AbortController().signal;
let program: Awaited<ReturnType<typeof buildProgram>>;
let directory: ReturnType<typeof temporaryDirectory>;
let port: number;
let servers: EmbeddedPostgres[];
let events: ChildEvent[];
let reports: string[];

beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());
beforeEach(async () => {
  directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  [port = 0] = await freePorts(1);
  servers = [];
  events = [];
  reports = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.halt()));
  expect(processesAt(directory.path)).toEqual([]);
  directory.remove();
});

function serverIn(home = join(directory.path, 'postgres')): EmbeddedPostgres {
  const server = new EmbeddedPostgres({
    directory: home,
    port,
    entry: program.entry,
    logPath: join(directory.path, 'logs', 'postgres.log'),
    onEvent: (event) => events.push(event),
    report: (line) => reports.push(line),
  });
  servers.push(server);
  return server;
}

async function up(server = serverIn()): Promise<EmbeddedPostgres> {
  await server.prepare(never);
  await server.start(never);
  return server;
}

async function query(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const answers = (server: EmbeddedPostgres): Promise<boolean> =>
  query(server, 'SELECT 1').then(
    () => true,
    () => false,
  );
const dataIn = (home: string): string => join(home, 'data');
const postmaster = (data: string): number =>
  Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);

test('a first start, a write, a stop, a second start: the row is there, and every setting is durable', async () => {
  const first = await up();
  await query(first, 'CREATE TABLE t AS SELECT 42 AS answer');
  const settings = await query(
    first,
    "SELECT name, setting FROM pg_settings WHERE name ~ '^(fsync|synchronous_commit)$'",
  );
  expect(settings.map(({ setting }) => setting)).toEqual(['on', 'on']);
  await first.stop();
  expect(processesAt(directory.path)).toEqual([]);

  const second = await up();
  expect(await query(second, 'SELECT answer FROM t')).toEqual([{ answer: 42 }]);
});

test('the server is killed: it comes back by itself with its rows', async () => {
  const server = await up();
  await query(server, 'CREATE TABLE t AS SELECT 42 AS answer');
  process.kill(postmaster(dataIn(join(directory.path, 'postgres'))), 'SIGKILL');
  await until('a second start', () => events.filter(({ kind }) => kind === 'started').length === 2);
  await until('an answer', () => answers(server));
  expect(await query(server, 'SELECT answer FROM t')).toEqual([{ answer: 42 }]);
});

test('the guard is killed: its server is stopped before another one runs on the same data', async () => {
  const server = await up();
  const before = postmaster(dataIn(join(directory.path, 'postgres')));
  const guard = events.find((event) => event.kind === 'started') as { pid: number };
  process.kill(guard.pid, 'SIGKILL');
  await until('a second start', () => events.filter(({ kind }) => kind === 'started').length === 2);
  await until('an answer', () => answers(server));
  expect(isPostgresOn(before, dataIn(join(directory.path, 'postgres')))).toBe(false);
  expect(reports.join()).toContain(`pid ${before}`);
});

test('a server that an earlier run left behind: stopped, then the next start finds the data', async () => {
  const lost = await up();
  await query(lost, 'CREATE TABLE t AS SELECT 42 AS answer');
  const left = postmaster(dataIn(join(directory.path, 'postgres')));
  servers = [];
  const next = serverIn();
  await next.prepare(never);
  expect(isPostgresOn(left, dataIn(join(directory.path, 'postgres')))).toBe(false);
  await lost.stop();
  await next.start(never);
  expect(await query(next, 'SELECT answer FROM t')).toEqual([{ answer: 42 }]);
});

test('a stale postmaster.pid that names an innocent process: it is left alone, and the server starts', async () => {
  await (await up()).stop();
  const data = dataIn(join(directory.path, 'postgres'));
  writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n`);
  expect(await answers(await up())).toBe(true);
});

test('an initdb that was interrupted: done anew', async () => {
  const home = preparePostgresHome(join(directory.path, 'postgres'));
  mkdirSync(join(home.path, 'data.new-1', 'base'), { recursive: true });
  expect(await answers(await up())).toBe(true);
  expect(existsSync(join(home.path, 'data.new-1'))).toBe(false);
});

test('a data directory of another version, or without one: one line each, and nothing is touched', async () => {
  const home = preparePostgresHome(join(directory.path, 'postgres'));
  mkdirSync(dataIn(home.path));
  await expect(serverIn().prepare(never)).rejects.toThrow(/cannot be read as a PostgreSQL data directory/);
  writeFileSync(join(dataIn(home.path), 'PG_VERSION'), '9.6\n');
  await expect(serverIn().prepare(never)).rejects.toThrow(/made by PostgreSQL 9.6.*PG_BIN/);
});

test.runIf(isRoot)(
  'a directory that PostgreSQL’s user cannot enter: the data lies elsewhere, behind a link',
  async () => {
    const hidden = join(directory.path, 'private');
    mkdirSync(hidden, { mode: 0o700 });
    const path = join(hidden, 'postgres');
    const home = preparePostgresHome(path, join(directory.path, 'reachable'));
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(await answers(await up(serverIn(path)))).toBe(true);
    expect(existsSync(join(home.path, 'data', 'PG_VERSION'))).toBe(true);
    await servers[0]?.stop();
    rmSync(home.path, { recursive: true });
    expect(() => preparePostgresHome(path)).toThrow(/link to a directory that is gone/);
  },
);

test('stop while it still starts: nothing is left', async () => {
  const server = serverIn();
  await server.prepare(never);
  const stopping = new AbortController();
  const starting = server.start(stopping.signal);
  stopping.abort();
  await expect(starting).rejects.toThrow();
  await server.stop();
  expect(processesAt(directory.path)).toEqual([]);
});
