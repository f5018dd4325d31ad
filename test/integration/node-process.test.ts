/** One node as a process when it cannot start: it waits and says so, or ends with a one-line message. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import type { NodeStatus } from '../../src/node/status.ts';
import { runOnce, testServer } from '../support/postgres.ts';
import {
  buildProgram,
  freePorts,
  runProgram,
  temporaryDirectory,
  until,
} from '../support/supervisor-program.ts';
import type { RunningUp } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let directory: ReturnType<typeof temporaryDirectory>;
let grpc: number;
let http: number;
let running: RunningUp[];

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());
beforeEach(async () => {
  directory = temporaryDirectory();
  [grpc, http] = (await freePorts(2)) as [number, number];
  running = [];
});
afterEach(async () => {
  for (const { process: child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  directory.remove();
});

function node(postgres: string, more: readonly string[] = []): RunningUp {
  const settings = {
    'cluster.members': `a=127.0.0.1:${grpc}`,
    'cluster.replicas': 1,
    'cluster.ownersMin': 1,
    'grpc.port': grpc,
    'http.port': http,
    ...(postgres === 'none' ? { postgres } : { 'postgres.url': postgres }),
  };
  const given = Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
  const words = ['node', '--name', 'a', '--data-dir', join(directory.path, 'data'), ...given, ...more];
  const started = runProgram(program.entry, words);
  running.push(started);
  return started;
}

let isServerDown = false;
async function serverDown(): Promise<void> {
  await (await testServer()).kill();
  isServerDown = true;
}
async function serverUp(): Promise<void> {
  if (isServerDown) await (await testServer()).start();
  isServerDown = false;
}

/** Waits until the node's status says this about PostgreSQL. */
async function untilRecord(state: string, reason = ''): Promise<void> {
  await until(`PostgreSQL is ${state} ${reason}`, async () => {
    const answer = await fetch(`http://127.0.0.1:${http}/status`).catch(() => null);
    const { record } = ((await answer?.json()) ?? {}) as Partial<NodeStatus>;
    return record?.state === state && record.reason.includes(reason);
  });
}

async function readiness(): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(`http://127.0.0.1:${http}/readyz`);
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' };
  }
}

test('PostgreSQL cannot be reached: the node waits, its probes say why, and it stops in order', async () => {
  const started = node('postgres://me:hunter2@127.0.0.1:1/x');
  await until('the reason is told', async () => (await readiness()).text.includes('PostgreSQL is awaited'));
  expect((await readiness()).status).toBe(503);
  expect((await fetch(`http://127.0.0.1:${http}/healthz`)).status).toBe(200);
  started.process.kill('SIGTERM');
  expect(await started.ended).toBe(0);
  expect(started.output() + started.errors()).not.toContain('hunter2');
});

test('PostgreSQL comes, and refuses a node without a cluster: the process ends and says why', async () => {
  const url = new URL(await (await testServer()).createDatabase());
  url.pathname = '/nowhere';
  await serverDown();
  try {
    const waiting = node(url.href);
    await until('it is awaited', async () => (await readiness()).text.includes('PostgreSQL is awaited'));
    await serverUp();
    expect(await waiting.ended).toBe(1);
    expect(waiting.output() + waiting.errors()).toMatch(/"nowhere.*does not exist.*node.start_failed/);
    const refused = node(url.href);
    expect(await refused.ended).toBe(3);
    expect(refused.errors()).toMatch(/could not start: PostgreSQL refuses: .*"nowhere" does not exist\n/);
  } finally {
    await serverUp();
  }
});

test('PostgreSQL comes, and refuses a member: it serves on, tells it, and writes when that is put right', async () => {
  const url = await (await testServer()).createDatabase();
  const name = new URL(url).pathname.slice(1);
  const rename = (from: string, to: string): Promise<unknown> =>
    runOnce(new URL('/postgres', url).href, `alter database ${from} rename to ${to}`);
  const first = node(url);
  await until('ready', async () => (await readiness()).status === 200);
  const client = connect({ nodes: [`127.0.0.1:${grpc}`] });
  await client.set('held', 'value');
  await client.set('later', 'value');
  first.process.kill('SIGTERM');
  await first.ended;
  await rename(name, `${name}_away`);
  await serverDown();
  try {
    node(url);
    await until('ready', async () => (await readiness()).status === 200);
    await serverUp();
    await untilRecord('down', 'does not exist');
    expect(Buffer.from((await client.get('held'))!).toString()).toBe('value');
    await rename(`${name}_away`, name);
    await untilRecord('up');
    await client.set('held', 'after');
  } finally {
    client.close();
    await serverUp();
  }
});

test('settings that are fixed at the founding and were changed since: the start says that they are not in force', async () => {
  const first = node('none');
  await until('ready', async () => (await readiness()).status === 200);
  first.process.kill('SIGHUP');
  expect(await first.ended).toBe(0);
  expect(first.output()).not.toContain('membership.settings.fixed');
  const second = node('none', ['--set', 'cluster.healAfterMs=5000', '--set', 'cluster.replicas=3']);
  await until('ready', async () => (await readiness()).status === 200);
  const told = second.output().match(/.*membership\.settings\.fixed.*/g) ?? [];
  expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'warn', setting: 'cluster.replicas', configured: 3, inForce: 1 },
    { level: 'warn', setting: 'cluster.healAfterMs', configured: 5_000, inForce: 600_000 },
  ]);
});

/** A node b without PostgreSQL that is to join a, with these settings besides. */
function newcomer([grpcOfB, httpOfB]: readonly [number, number], more: readonly string[]): RunningUp {
  const settings = [`grpc.port=${grpcOfB}`, `http.port=${httpOfB}`, 'postgres=none', ...more];
  const given = settings.flatMap((each) => ['--set', each]);
  const place = ['--name', 'b', '--data-dir', join(directory.path, 'b'), '--join', `127.0.0.1:${grpc}`];
  const started = runProgram(program.entry, ['node', ...place, ...given]);
  running.push(started);
  return started;
}

test('a newcomer whose settings its cluster does not have: refused, which the log tells, too', async () => {
  const ports = (await freePorts(2)) as [number, number];
  node('none');
  await until('ready', async () => (await readiness()).status === 200);
  const refused = newcomer(ports, ['cluster.replicas=2', 'cluster.ownersMin=1', 'limits.valueBytesMax=9']);
  expect(await refused.ended).toBe(3);
  expect(refused.errors()).toContain('the node cannot join: setting');
  expect(refused.output()).toMatch(/"reason":"it cannot join: setting .*"event":"node\.start_failed"/);
});

test.each([
  ['knows the founders', (): string[] => [`cluster.members=a=127.0.0.1:${grpc}`, 'cluster.ownersMin=1']],
  ['knows the address of a member', (): string[] => []],
])(
  'a newcomer that %s, and whose cluster is not there yet: its probes say that it lives and waits; when the cluster is there it takes part',
  async (_, settings) => {
    const [grpcOfB, httpOfB] = (await freePorts(2)) as [number, number];
    const { errors, output } = newcomer([grpcOfB, httpOfB], settings());
    const asked = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${httpOfB}${path}`);
      return [answer.status, await answer.text()];
    };
    const code = (path: string): Promise<number> =>
      asked(path).then(
        ([status]) => status,
        () => 0,
      );
    await until('it says that it lives', async () => (await code('/healthz')) === 200);
    const [status, why] = await asked('/readyz');
    expect([status, why]).toEqual([503, expect.stringContaining('it waits for the cluster: the member at')]);
    expect(await asked('/safe-to-stop')).toEqual([200, '{"safe":true,"reasons":[]}']);
    // A node that has not come is not asked to leave.
    await expect(asked('/status')).rejects.toThrow();
    node('none');
    await until('it is ready', async () => (await code('/readyz')) === 200);
    expect(await code('/status')).toBe(200);
    expect(errors()).toContain(`waiting: the member at 127.0.0.1:${grpc} does not tell of its cluster`);
    expect(output()).not.toContain('founding');
  },
);

test('a port is taken: one line that names it and its setting, and nothing is left locked', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(grpc, '127.0.0.1', resolve));
  const refused = node('none');
  expect(await refused.ended).toBe(3);
  expect(refused.errors()).toContain(
    `127.0.0.1:${grpc} is taken: stop who uses it, or set another grpc.port\n`,
  );
  await new Promise((resolve) => taken.close(resolve));
  const started = node('none');
  await until('ready', async () => (await readiness()).status === 200);
  const second = node('none', ['--set', 'http.port=0']);
  expect(await second.ended).toBe(3);
  expect(second.errors()).toContain('another process uses the data directory');
  started.process.kill('SIGTERM');
  expect(await started.ended).toBe(0);
});

/** A process of a cluster of a and b without PostgreSQL. */
function founder(
  name: string,
  [grpcPort, httpPort]: readonly [number, number],
  members: string,
  more: Readonly<Record<string, unknown>> = {},
  directoryName = name,
): RunningUp {
  const settings = {
    ...{ 'cluster.members': members, 'cluster.replicas': 2, 'cluster.ownersMin': 1 },
    ...{ 'grpc.port': grpcPort, 'http.port': httpPort, postgres: 'none', ...more },
  };
  const given = Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${String(value)}`]);
  const started = runProgram(program.entry, [
    ...['node', '--name', name, '--data-dir', join(directory.path, directoryName)],
    ...given,
  ]);
  running.push(started);
  return started;
}

test('two founders differ in what both must have alike: each ends with the difference and what to do', async () => {
  const [otherGrpc, otherHttp] = (await freePorts(2)) as [number, number];
  const members = `a=127.0.0.1:${grpc},b=127.0.0.1:${otherGrpc}`;
  const both = [
    founder('a', [grpc, http], members, { 'limits.valueBytesMax': 1_000_000 }),
    founder('b', [otherGrpc, otherHttp], members, { 'limits.valueBytesMax': 900_000 }),
  ];
  expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([3, 3]);
  for (const ended of both)
    expect(ended.output()).toMatch(
      /refuse each other: .*limits\.valueBytesMax.*then start again","event":"node\.start_failed"/,
    );
}, 60_000);

test('a second process with the name of a member: ends with what is wrong, and the member stays', async () => {
  const ports = (await freePorts(4)) as [number, number, number, number];
  const members = `a=127.0.0.1:${grpc},b=127.0.0.1:${ports[0]}`;
  founder('b', [ports[0], ports[1]], members);
  const member = founder('a', [grpc, http], members);
  await until('ready', async () => (await readiness()).status === 200);
  const second = founder('a', [ports[2], ports[3]], members, {}, 'a-again');
  expect(await second.ended).toBe(3);
  expect(second.errors()).toContain("another process called 'a' is linked: end one of them");
  expect((await readiness()).status).toBe(200);
  expect(member.output()).not.toMatch(/"epoch":[^1]/);
}, 60_000);
