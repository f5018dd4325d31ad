/**
 * `causeway doctor` against a real disk, real ports, a real PostgreSQL, and servers that treat paths as real servers
 * do.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { PostgresPooler } from '../../test/support/postgres-pooler.ts';
import { PostgresProxy } from '../../test/support/postgres-proxy.ts';
import { postgresThatEchoes } from '../../test/support/postgres-that-echoes.ts';
import { testServer } from '../../test/support/postgres.ts';
import { within } from './doctor-checks.ts';
import { doctorCommand, exitCode, reportLines } from './doctor.ts';
import { waitingLine } from './progress.ts';

const containing = (text: string): string => expect.stringContaining(text) as string;
let folder: string;
let doors: DoorFixture;
let databaseUrl: string;
const servers: Server[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-doctor-'));
  doors = await openDoors();
  databaseUrl = await (await testServer()).createDatabase();
});
afterAll(async () => {
  await doors.stop();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

/** An HTTP API; `answer` gets the path exactly as it was sent. */
async function serve(
  answer: (path: string) => { status: number; body: string; location?: string },
): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body, location } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
    response.end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/{key}`;
}

interface Told {
  readonly code: number;
  readonly err: string;
  readonly worst: string;
  readonly findings: { part: string; level: string; text: string; change?: string }[];
  readonly of: (part: string) => string;
}

async function examine(settings: object, words: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Told> {
  const file = join(folder, 'node.json');
  writeFileSync(file, JSON.stringify(settings));
  const { io, ran } = keptIo();
  const program = new Command();
  // As if the command had run for longer than a person watches an empty terminal.
  doctorCommand(program, io, env, () => waitingLine({ ...io.stderr, isTTY: true }, 0));
  await program.parseAsync(['doctor', '--json', '--config', file, ...words], { from: 'user' });
  const told = JSON.parse(ran.out) as Pick<Told, 'worst' | 'findings'>;
  const of = (part: string): string =>
    told.findings
      .filter((finding) => finding.part === part)
      .map(({ level, text }) => `${level}: ${text}`)
      .join('\n');
  return { ...told, code: ran.code, err: ran.err, of };
}

/** Ports set to 0 are not tried. */
const settings = (changes: object = {}): object => ({
  cluster: { members: [{ name: 'fake', address: doors.address }], ownersMin: 1, replicas: 1 },
  node: { name: 'fake', dataDir: join(folder, 'data') },
  grpc: { port: Number(doors.address.split(':')[1]) },
  http: { port: 0 },
  postgres: { url: databaseUrl },
  ...changes,
});

test('a node that runs, its PostgreSQL and an API that takes keys as they are: no fault but one, and nothing left behind', async () => {
  const records = new Map([['a/b', 'of a/b']]);
  const url = await serve((path) => {
    const key = decodeURIComponent(path.slice('/data/'.length));
    const value = records.get(key);
    if (value === undefined)
      return { status: 404, body: JSON.stringify({ error: `nothing has the key ${key}` }) };
    return { status: 200, body: JSON.stringify({ key, value }) };
  });
  const legacy = { url, echo: '/key' };
  const told = await examine(settings({ legacy }), ['--legacy-key', 'a/b']);
  const faults = told.findings.filter(({ level, part }) => level === 'fault' && part !== 'disk');
  // The test server runs without fsync, which is reported.
  expect(faults.map(({ text }) => text)).toEqual(['fsync is off: a crash may ruin the whole database']);
  expect(told.of('network')).toContain('the node runs');
  expect(told.of('disk')).toContain('a sync takes');
  expect(told.of('postgresql')).toContain('ok: this user has the rights that are needed');
  expect(told.of('postgresql')).toMatch(/an answer takes .*, a commit /);
  expect(told.of('legacy api')).toContain('ok: a slash (%2F) is answered as any other key');
  expect(told.of('legacy api')).toContain('ok: other letters');
  expect(told.of('legacy api')).toContain('note: "a/b" is found: the API understands %2F');
  expect(told.of('legacy api')).toContain('ok: a path with .. leads nowhere');
  for (const part of ['the event loop', 'the members', 'Disk', 'Network', 'PostgreSQL', 'Legacy API'])
    expect(told.err).toContain(`${part}: being looked at, `);
  expect(told.err.endsWith('\r\u001b[K')).toBe(true);
  expect(existsSync(join(folder, 'data'))).toBe(false);
  expect(readdirSync(folder)).toEqual(['node.json']);
});

test('a pooler before PostgreSQL, as its own numbers of processes show: a warning; a proxy that only passes on: none', async () => {
  const { proxy, url } = await PostgresProxy.start(databaseUrl);
  const text = 'a pooler stands in between';
  expect((await examine(settings({ postgres: { url } }))).of('postgresql')).not.toContain(text);
  proxy.nameOwnProcesses();
  const told = await examine(settings({ postgres: { url } }));
  expect(told.of('postgresql')).toContain(`warning: ${text}`);
  await proxy.close();
});

test('a pooler that exchanges sessions between transactions: a fault, and not merely a warning', async () => {
  const { pooler, url } = await PostgresPooler.start(databaseUrl, 'transaction');
  const told = await examine(settings({ postgres: { url } }));
  expect(told.of('postgresql')).toContain('fault: a pooler stands in between that exchanges sessions');
  await pooler.close();
});

test('servers that undo escapes, resolve dots, redirect, or answer with a page of their own: each is told', async () => {
  const absent = { status: 404, body: '{"error":"none"}' };
  const careless = await serve((path) => {
    if (path.includes('%5C')) return { status: 404, body: '<h1>Not Found</h1>' };
    if (path.includes('%25')) return { status: 400, body: 'bad' };
    if (path.includes('%20')) return { status: 301, body: '', location: path.replaceAll('%20', '+') };
    // Like a proxy that first decodes the path and then resolves it.
    const plain = new URL(decodeURIComponent(path), 'http://h').pathname;
    if (plain === '/data/passed-on') return { status: 203, body: '{"value":"of a proxy"}' };
    if (plain === '/data/large') return { status: 200, body: '{"value":"eleven bytes"}' };
    if (plain === '/data/known') return { status: 200, body: '{"key":"known","value":"of known"}' };
    return plain.split('/').length > 3 ? { status: 200, body: '{"value":"of another"}' } : absent;
  });
  const told = await examine(settings({ legacy: { url: careless }, limits: { valueBytesMax: 10 } }), [
    ...['--legacy-key', 'known', '--legacy-key', 'passed-on'],
    ...['--legacy-key', 'large', '--legacy-key', 'none'],
  ]);
  const legacy = told.of('legacy api');
  expect([told.code, told.worst]).toEqual([3, 'fault']);
  expect(legacy).toContain('fault: a slash (%2F): a value for a key that nobody has');
  expect(legacy).toContain('warning: a backslash (%5C): 404, but another page');
  expect(legacy).toContain('warning: a percent sign (%25): 400');
  expect(legacy).toContain('warning: a space (%20): the path is rewritten');
  expect(legacy).toContain('ok: "known" is found');
  expect(legacy).toContain('ok: "passed-on" is found');
  expect(legacy).toContain('"large" is answered with 200, and cannot be used: the value has 12 bytes');
  expect(legacy).toContain('note: the API unescapes %2F before it looks at the path');
  expect(legacy).toContain('fault: "none" is said to be absent');
});

test('nothing is where it should be: each part says so, and no secret is told', async () => {
  const secret = 'canary-51ab';
  const gone = {
    postgres: { url: `postgres://u:${secret}@127.0.0.1:1/x` },
    legacy: { url: 'http://127.0.0.1:1/{key}' },
  };
  const headers = { url: 'http://127.0.0.1:1/{key}', headers: { a: 'env:NOT_THERE' } };
  writeFileSync(join(folder, 'taken'), '');
  const told = await examine(
    settings({ ...gone, node: { name: 'fake', dataDir: join(folder, 'taken', 'below') } }),
  );
  expect(told.code).toBe(3);
  expect(told.of('postgresql')).toContain('fault: it cannot be asked');
  expect(told.of('legacy api')).toBe('fault: it cannot be asked: ECONNREFUSED');
  expect(told.of('disk')).toBe(
    `fault: nothing can be written to ${join(folder, 'taken', 'below')}: ${join(folder, 'taken')} is no directory`,
  );
  const file = await examine(settings({ ...gone, node: { name: 'fake', dataDir: join(folder, 'taken') } }));
  expect(file.of('disk')).toContain('fault: nothing can be written to');
  expect(JSON.stringify(told.findings)).not.toContain(secret);
  const database = await postgresThatEchoes(secret);
  const url = `postgres://u:${secret}@127.0.0.1:${database.port}/x`;
  const lacking = await examine(settings({ postgres: { url }, legacy: headers }), [], {});
  database.close();
  expect(lacking.of('postgresql')).toContain('password authentication failed');
  expect(JSON.stringify(lacking.findings)).not.toContain(secret);
  expect(lacking.of('legacy api')).toContain('the secret of the header a: env:NOT_THERE is missing or empty');
  rmSync(join(folder, 'taken'));
});

describe('a node that is to join a cluster', () => {
  const description = {
    clusterName: 'causeway',
    settings: { 'cluster.name': 'causeway', 'cluster.ownersMin': '1', clockDriftMax: '9' },
  };
  const joining = { dataDir: join(tmpdir(), 'causeway-doctor-of-nobody') };
  const asked = async (described: object, node: object = {}): Promise<Told> => {
    const members = [{ name: 'fake', address: doors.address, zone: '', host: '', alive: true }];
    doors.api.answers.push({ kind: 'described', description: { ...description, members, ...described } });
    return examine({
      ...{ postgres: 'none', grpc: { port: 0 }, http: { port: 0 } },
      node: { name: 'newcomer', address: '127.0.0.1:50999', ...joining, join: doors.address, ...node },
    });
  };

  test('its cluster is asked, and what differs from that is a fault, as at the start', async () => {
    const told = await asked({});
    expect(told.of('settings')).toMatch(
      /fault: the cluster would not let it in: setting clockDriftMax: '9' in the cluster causeway/,
    );
    expect(told.of('network')).toContain(`ok: fake at ${doors.address} answers within`);
    expect(told.code).toBe(3);
  });

  test('it has a name that is taken, or would take the place of a member that is up: a fault', async () => {
    expect((await asked({}, { name: 'fake' })).of('settings')).toContain(
      'fault: the cluster would not let it in',
    );
    expect((await asked({}, { replace: 'fake' })).of('settings')).toContain('fake is alive');
  });

  test('nobody answers where it would ask: a warning, because it would wait', async () => {
    const node = { name: 'newcomer', ...joining, join: '127.0.0.1:1' };
    const alone = await examine({ postgres: 'none', node });
    expect(alone.of('settings')).toContain('warning: the member at 127.0.0.1:1 does not tell of its cluster');
  });
});

test('settings that are not usable: every fault of them, and what needs none is looked at all the same', async () => {
  const told = await examine({ grpc: { prot: 1 } });
  expect(told.code).toBe(3);
  expect(told.of('settings')).toContain('grpc.prot: there is no such setting');
  expect(told.of('machine')).toContain('cores');
  expect(told.of('disk')).toBe('');
});

test('a part that hangs: given up at its deadline, and told to end', async () => {
  let isEnded = false;
  const findings = await within('the legacy API', 20, (signal) => {
    signal.addEventListener('abort', () => (isEnded = true));
    return new Promise(() => undefined);
  });
  expect(findings).toMatchObject([{ level: 'warning', text: containing('within 20 ms') }]);
  expect(isEnded).toBe(true);
});

test('exit codes by the worst; lines within the terminal; one remedy for several stands once', () => {
  const parts = (level: 'ok' | 'note' | 'warning' | 'fault') => [
    { part: 'Disk', findings: [{ level, text: 'x' }] },
  ];
  expect((['ok', 'note', 'warning', 'fault'] as const).map((level) => exitCode(parts(level)))).toEqual([
    0, 0, 1, 3,
  ]);
  expect(exitCode([])).toBe(0);
  const long = {
    level: 'warning',
    text: 'word '.repeat(40).trim(),
    change: 'do this '.repeat(20).trim(),
  } as const;
  const found = [{ part: 'Disk', findings: [long, long, { level: 'ok', text: 'a\u001b[2J' } as const] }];
  const lines = reportLines(found, 1.25);
  expect(reportLines(found, 1.25, 60).every((line) => line.length <= 60)).toBe(true);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.filter((line) => line.includes('->'))).toHaveLength(1);
  expect(lines.join('\n')).not.toContain('\u001b');
  expect(lines.at(-1)).toBe('0 faults, 2 warnings, 0 notes; 3 findings in 1.3 s');
});
