/** `causeway up` as a person runs it, with real processes; only the nodes are fake. */
import { createServer, type Server } from 'node:http';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  buildProgram,
  freePorts,
  processesAt,
  runProgram,
  type RunningUp,
  temporaryDirectory,
  until,
} from './support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let directory: ReturnType<typeof temporaryDirectory>;
let ports: number[];
let running: RunningUp[];

beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());
beforeEach(async () => {
  directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  ports = await freePorts(11);
  running = [];
});
afterEach(async () => {
  for (const { process: child } of running) child.kill('SIGKILL');
  try {
    await nothingLeft();
  } finally {
    // A failed test must not leave processes behind for the next one.
    for (const pid of processesAt(directory.path, program.entry)) process.kill(pid, 'SIGKILL');
    directory.remove();
  }
});

const dataDir = (): string => join(directory.path, 'data');
const port = (index: number): number => ports[index] as number;
const nothingLeft = (): Promise<void> =>
  until('no process is left', () => processesAt(directory.path, program.entry).length === 0);

function up(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): RunningUp {
  const flags = { 'data-dir': dataDir(), 'grpc-port': port(0), 'http-port': port(3) };
  const others = { 'postgres-port': port(6), 'legacy-port': port(7), 'redis-port': port(8) };
  const given = Object.entries({ ...flags, ...others }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const started = runProgram(program.entry, ['up', ...given, ...args], env);
  running.push(started);
  return started;
}

async function ready(started: RunningUp): Promise<RunningUp> {
  let ended: number | string | undefined;
  void started.ended.then((code) => (ended = code));
  await until('ready', () => {
    if (ended !== undefined) throw new Error(`ended with ${ended}: ${started.errors()}`);
    return started.output().includes('Causeway is ready.');
  });
  return started;
}

test('up, then Ctrl-C: endpoints are shown, a second up is refused, and no process is left', async () => {
  const first = await ready(up());
  expect(first.output()).toContain(
    `gRPC 127.0.0.1:${port(2)}  Redis 127.0.0.1:${port(10)}  http://127.0.0.1:${port(5)}/`,
  );
  expect(await (await fetch(`http://127.0.0.1:${port(7)}/legacy/data/user:1002`)).json()).toMatchObject({
    value: 'Jesse Pinkman',
  });
  const second = up();
  expect(await second.ended).toBe(1);
  expect(second.errors()).toBe(
    `causeway up: another causeway up (pid ${first.process.pid}) runs on ${dataDir()}: ` +
      'stop it first, or choose another --data-dir\n',
  );
  expect(second.output()).toBe('');
  // Twice at once, as npm passes it on: the end must still be orderly.
  first.process.kill('SIGINT');
  first.process.kill('SIGINT');
  expect(await first.ended).toBe(0);
  // Printed if the machine is slow.
  expect(first.output().replace(/still waiting .*\n/g, '')).toMatch(
    /stopping the nodes\nstopping PostgreSQL\nEverything has stopped\.\n$/,
  );
  expect(processesAt(directory.path, program.entry)).toEqual([]);
  expect(existsSync(join(dataDir(), 'up.lock'))).toBe(false);
});

test('the supervisor is killed with kill -9: everything ends by itself, and the next up takes over', async () => {
  const first = await ready(up(['--nodes', '2']));
  first.process.kill('SIGKILL');
  await first.ended;
  const second = await ready(up());
  expect(second.output()).toContain('starting 2 nodes');
  second.process.kill('SIGKILL');
  await second.ended;
  await nothingLeft();
});

test('a node crashes: it is started again, and the lines say so', async () => {
  const started = await ready(up(['--nodes', '1'], { LEGACY_URL: 'none' }));
  expect(readFileSync(join(dataDir(), 'node-1', 'node.yaml'), 'utf8')).not.toContain('legacy:');
  await until('its first status', () => started.output().includes('node-1: serving'));
  await fetch(`http://127.0.0.1:${port(3)}/crash`).catch(() => undefined);
  await until('the restart', () => /node-1 runs again/.test(started.output()));
  expect(started.output()).toContain('node-1 ended (exit code 7), starts again in 0.25 s');
  started.process.kill('SIGTERM');
  expect(await started.ended).toBe(0);
});

test('a port is taken: one line that names it, whose it would be, and the option', async () => {
  const taken: Server = createServer();
  await new Promise<void>((resolve) => taken.listen(port(1), '127.0.0.1', resolve));
  const started = up();
  expect(await started.ended).toBe(1);
  taken.close();
  expect(started.errors()).toBe(
    `causeway up: port ${port(1)} for node-2 (gRPC) is taken: free it, or choose another with --grpc-port\n`,
  );
  expect(processesAt(directory.path, program.entry)).toEqual([]);
  // PostgreSQL's data directory takes seconds to make: the port is looked at before.
  expect(existsSync(dataDir())).toBe(false);
});

test('a directory of two nodes asked for three: refused in one line', async () => {
  const first = await ready(up(['--nodes', '2'], { DATABASE_URL: 'postgresql://u:secret@127.0.0.1:1/x' }));
  expect(first.output()).not.toContain('secret');
  expect(existsSync(join(dataDir(), 'postgres'))).toBe(false);
  first.process.kill('SIGINT');
  await first.ended;
  const second = up(['--nodes', '3']);
  expect(await second.ended).toBe(1);
  expect(second.errors()).toMatch(/^causeway up: .* holds a cluster of 2 nodes, not 3: use --nodes 2.*\n$/);
});

test('a second Ctrl-C, later: everything ends at once, also a node that does not react', async () => {
  const started = await ready(up(['--nodes', '1'], { DATABASE_URL: 'none' }));
  const node = processesAt(join(dataDir(), 'node-1'))[0] as number;
  process.kill(node, 'SIGSTOP');
  started.process.kill('SIGINT');
  await delay(1_200);
  expect(started.process.exitCode).toBeNull();
  started.process.kill('SIGINT');
  expect(await started.ended).toBe(130);
  expect(processesAt(directory.path, program.entry)).toEqual([]);
});

test('--json: every line is an event, from the first progress to the end', async () => {
  const started = up(['--json', '--nodes', '1']);
  await until('a status', () => started.output().includes('"event":"status"'));
  started.process.kill('SIGINT');
  expect(await started.ended).toBe(0);
  const events = started
    .output()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  expect(events).toEqual(expect.arrayContaining(['progress', 'started', 'ready', 'status', 'ended']));
  expect(events.at(-1)).toBe('stopped');
});

test('Ctrl-C while it still starts: an orderly end without an error', async () => {
  const started = up();
  await until('its first word', () => started.output().includes('PostgreSQL'));
  await delay(100);
  started.process.kill('SIGINT');
  expect(await started.ended).toBe(0);
  expect(started.errors()).toBe('');
  expect(processesAt(directory.path, program.entry)).toEqual([]);
});
