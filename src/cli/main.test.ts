/** The command line as users see it, against a real server: words in; text, JSON and an exit code out. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../config/config.ts';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { CausewayError } from '../client/index.ts';
import { NODES_DEFAULT, withClient } from './client-command.ts';
import { runCommand } from './main.ts';
import { nodeCommand } from './node.ts';
import type { RunningNode } from '../main.ts';

const NOBODY = '127.0.0.1:1';
let doors: DoorFixture;
let folder: string;

beforeEach(async () => {
  doors = await openDoors();
  folder = mkdtempSync(join(tmpdir(), 'causeway-cli-'));
});
afterEach(async () => {
  await doors.stop();
  rmSync(folder, { recursive: true });
});

async function run(words: string[], stdin?: string): Promise<Ran> {
  const { ran, io } = keptIo(stdin);
  const isClientCommand = ['get', 'set', 'del', 'status', 'inspect'].includes(words[0] ?? '');
  const nodes = isClientCommand && !words.includes('--nodes') ? ['--nodes', doors.address] : [];
  const asksAll = ['status', 'inspect'].includes(words[0] ?? '');
  await runCommand([...words, ...nodes, ...(asksAll ? ['--only'] : [])], io);
  return ran;
}

test('nobody at the usual addresses: how to name others is told, and not where they were named', async () => {
  const told = async (nodes: string): Promise<string> => {
    const { ran, io } = keptIo();
    await withClient(io, { nodes, timeout: 1_000 }, () =>
      Promise.reject(new CausewayError('transport', 'definite', 'cannot connect')),
    );
    expect(ran.code).toBe(3);
    return ran.err;
  };
  expect(await told(NODES_DEFAULT)).toMatch(
    /cannot connect\nIs the cluster up.*\n.*--nodes .*CAUSEWAY_NODES\n$/,
  );
  expect(await told(NOBODY)).toMatch(/cannot connect\n.*the port for gRPC, not that for Redis or HTTP\.\n$/);
});

test('--version: that of the package, and nothing else', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await run(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

describe('get, set and del', () => {
  test('a value, by argument or standard input: comes back byte for byte', async () => {
    expect(await run(['set', 'a', 'one'])).toEqual({ code: 0, out: '', err: '' });
    expect(await run(['get', 'a'])).toEqual({ code: 0, out: 'one', err: '' });
    await run(['set', 'b'], 'line 1\nline 2\n');
    expect((await run(['get', 'b'])).out).toBe('line 1\nline 2\n');
  });

  test('an absent key: exit 1 and nothing on standard output', async () => {
    expect(await run(['get', 'none'])).toEqual({ code: 1, out: '', err: 'absent\n' });
  });

  test('--json: facts as one object, bytes that are no text as base64', async () => {
    const { version } = JSON.parse((await run(['set', 'a', 'one', '--json'])).out) as { version: number };
    expect(JSON.parse((await run(['get', 'a', '--json'])).out)).toMatchObject({
      key: 'a',
      found: true,
      value: 'one',
      version,
      origin: 'client',
    });
    expect(JSON.parse((await run(['get', 'none', '--json'])).out)).toEqual({
      ...{ key: 'none', found: false, stale: false, staleMs: 0 },
    });
    doors.api.records.set('raw', {
      ...doors.api.records.get('a')!,
      key: 'raw',
      value: Buffer.from([0xff, 0]),
    });
    expect(JSON.parse((await run(['get', 'raw', '--json'])).out)).toMatchObject({ valueBase64: '/wA=' });
  });

  test('--allow-stale, where the node may not serve: the old value, and how old it may be on standard error', async () => {
    await run(['set', 'a', 'one']);
    doors.api.failWith = 'not_ready';
    doors.api.staleMs = 12_340;
    expect(await run(['get', 'a'])).toMatchObject({ code: 3, out: '' });
    const told = { code: 0, out: 'one', err: 'stale: up to 12.3 s old\n' };
    expect(await run(['get', 'a', '--allow-stale'])).toEqual(told);
    const absent = { code: 1, out: '', err: 'absent\nstale: up to 12.3 s old\n' };
    expect(await run(['get', 'none', '--allow-stale'])).toEqual(absent);
    const asData = async (key: string): Promise<unknown> =>
      JSON.parse((await run(['get', key, '--allow-stale', '--json'])).out);
    const stale = { stale: true, staleMs: 12_340 };
    expect(await asData('a')).toMatchObject({ found: true, value: 'one', ...stale });
    expect(await asData('none')).toEqual({ key: 'none', found: false, ...stale });
  });

  test('conditions: kept they are done, broken they exit 1 and say what stands', async () => {
    expect((await run(['set', 'a', '1', '--if-absent'])).code).toBe(0);
    const broken = await run(['set', 'a', '2', '--if-absent', '--json']);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.out)).toMatchObject({ applied: false, current: { value: '1' } });
    const { version } = doors.api.records.get('a')!;
    expect((await run(['set', 'a', '2', '--if-version', String(version)])).code).toBe(0);
    expect(await run(['del', 'a', '--if-version', String(version)])).toMatchObject({ code: 1, out: '' });
    expect((await run(['del', 'a'])).code).toBe(0);
    expect((await run(['get', 'a'])).code).toBe(1);
  });

  test('failures: definite exits 3, indefinite 4, and with --json the error is data', async () => {
    doors.api.failWith = 'record_unavailable';
    expect(await run(['set', 'a', 'x'])).toMatchObject({ code: 3, out: '' });
    doors.api.failWith = 'outcome_unknown';
    const failed = await run(['set', 'a', 'x', '--json']);
    expect(failed.code).toBe(4);
    expect(failed.err).toContain('outcome_unknown (indefinite)');
    expect(JSON.parse(failed.out)).toMatchObject({
      error: { code: 'outcome_unknown', certainty: 'indefinite' },
    });
    expect((await run(['get', 'a', '--nodes', NOBODY])).code).toBe(3);
  });

  test.each([
    [['get']],
    [['get', 'a', '--timeout', 'soon']],
    [['get', 'a', '--timeout', '0']],
    [['get', 'a', '--timeout', '25d']],
    [['get', 'a', '--nodes', 'http://127.0.0.1:50051']],
    [['set', 'a', 'x', '--ttl', '1.5h']],
    [['set', 'a', 'x', '--operation-id', '7f3b1a52-1c1e-4c1b-9a55-0f4c2f6c8d11']],
    [['nothing']],
    [['get', 'a', '--nodes', 'here']],
  ])('wrong usage %j: exit 2, told on standard error', async (words) => {
    const { code, out, err } = await run(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('error');
  });

  test('help with several words: the help of that very command', async () => {
    expect((await run(['help', 'cluster', 'plan'])).out).toBe((await run(['cluster', 'plan', '--help'])).out);
    expect((await run(['help', 'get'])).out).toBe((await run(['get', '--help'])).out);
  });

  test('--help: every command is listed, the hidden one is not', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    for (const name of ['up', 'get', 'set', 'del', 'status', 'inspect', 'import'])
      expect(out).toContain(`  ${name}`);
    expect(out).not.toContain('guard');
  });
});

/**
 * All commands below `words`, recursively. A group of commands is included, because it is a command that shows its
 * members.
 */
async function commandsBelow(words: string[]): Promise<string[][]> {
  const { out } = await run([...words, '--help']);
  const names = [...(out.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(
    ([, name]) => name!,
  );
  const all = [words];
  for (const name of names) if (name !== 'help') all.push(...(await commandsBelow([...words, name])));
  return all;
}

test('the help of every command: within 80 columns, and no default that is empty', async () => {
  const all = await commandsBelow([]);
  expect(all.length).toBeGreaterThan(25);
  for (const words of all) {
    const { code, out } = await run([...words, '--help']);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(out).not.toContain('[])');
  }
});

describe('status and inspect', () => {
  test('a node that serves: one line within 80 columns, exit 0', async () => {
    const { code, out } = await run(['status']);
    expect(code).toBe(0);
    expect(out).toContain('serving');
    expect(out.split('\n').every((line) => line.length <= 80)).toBe(true);
  });

  test('a node that learns, one that cannot be reached, one down database: exit 1, each with its reason', async () => {
    doors.api.statusChanges = {
      phase: 'learning',
      learnedShare: 0.5,
      record: { state: 'down', reason: 'refused' },
    };
    const { code, out } = await run(['status', '--nodes', `${doors.address},${NOBODY}`, '--timeout', '2000']);
    expect(code).toBe(1);
    expect(out).toContain('50 % copied');
    expect(out).toContain('PostgreSQL: refused');
    expect(out).toContain('unreachable');
    for (const words of [['status'], ['inspect', 'a']]) {
      const alone = await run([...words, '--nodes', NOBODY, '--timeout', '300']);
      expect(alone.code).toBe(3);
      expect(alone.err).toContain('the port for gRPC');
    }
  });

  test('writes wait for PostgreSQL, and are drained: how many, how long, and what was changed from outside', async () => {
    const waiting = { outage: 'spool', isOn: true, isFull: false, entries: 12, bytes: 3 << 20 } as const;
    const spool = { ...waiting, oldestMs: 61_000, conflicts: 0, drainedPerSecond: 0 };
    doors.api.statusChanges = { spool };
    expect((await run(['status'])).out).toContain(
      'fake: 12 keys (3 MiB) wait for PostgreSQL, the oldest for 61 s; writes do without it',
    );
    doors.api.statusChanges = { spool: { ...spool, isFull: true } };
    expect((await run(['status'])).out).toContain('the bound is reached: writes are refused');
    doors.api.statusChanges = { spool: { ...spool, isOn: false, conflicts: 2, drainedPerSecond: 400 } };
    const { out } = await run(['status']);
    expect(out).toContain('400 a second go there');
    expect(out).toContain('2 rows of PostgreSQL were changed from outside meanwhile: they stand');
  });

  test('--json: the whole status of each node', async () => {
    const { out } = await run(['status', '--json']);
    expect(JSON.parse(out)).toEqual({ nodes: [{ address: doors.address, status: doors.api.status() }] });
  });

  test('inspect: a record, a deletion, nothing', async () => {
    await run(['set', 'a', 'one']);
    expect((await run(['inspect', 'a'])).out).toContain('3 bytes');
    await run(['del', 'a']);
    expect((await run(['inspect', 'a'])).out).toContain('a deletion');
    expect(JSON.parse((await run(['inspect', 'b', '--json'])).out)).toMatchObject({
      key: 'b',
      nodes: [{ owner: true, record: null }],
    });
  });
});

describe('node', () => {
  const least = ['cluster.members=a=h:1', 'cluster.ownersMin=1', 'postgres=none'].flatMap((each) => [
    '--set',
    each,
  ]);

  async function runNode(
    words: string[],
    start: (config: Config) => Promise<Partial<RunningNode> & Pick<RunningNode, 'stop'>>,
  ): Promise<Ran> {
    const { ran, io } = keptIo();
    const program = new Command();
    const startNode = async (config: Config): Promise<RunningNode> => ({
      left: new Promise(() => undefined),
      refused: new Promise(() => undefined),
      ...(await start(config)),
    });
    nodeCommand(program, io, {
      load: async () => ({ startNode, tellStartFailed: () => undefined }),
      watchParent: () => {},
    });
    await program.parseAsync(['node', ...words], { from: 'user' });
    return ran;
  }

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'settings from flags: the node is started with them, and stopped in order by %s',
    async (signal) => {
      let stopped = false;
      const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
      const listeners = signals.map((name) => process.listeners(name));
      const ran = await runNode([...least, '--name', 'a', '--data-dir', folder], async (config) => {
        expect(config).toMatchObject({ node: { name: 'a', dataDir: folder }, postgres: null });
        setImmediate(() => process.emit(signal));
        return {
          stop: async () => {
            stopped = true;
          },
        };
      });
      expect(stopped).toBe(true);
      expect(ran).toMatchObject({ code: 0 });
      for (const [at, name] of signals.entries())
        for (const each of process.listeners(name))
          if (!listeners[at]!.includes(each)) process.off(name, each);
    },
  );

  test('nobody lets it in, and nobody will: it is stopped in order, the reason told, exit 3', async () => {
    let stopped = false;
    const ran = await runNode([...least, '--name', 'a', '--data-dir', folder], async () => ({
      refused: Promise.resolve('it and b refuse each other: setting x'),
      stop: async () => {
        stopped = true;
      },
    }));
    expect(stopped).toBe(true);
    expect(ran.code).toBe(3);
    expect(ran.err).toContain('\na cannot take part: it and b refuse each other: setting x\n');
  });

  test('a configuration with faults: all are told, exit 2; a start that fails: exit 3', async () => {
    const start = () => Promise.reject(new Error('the port is taken'));
    const wrong = await runNode(['--set', 'grpc.port=x'], start);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('grpc.port');
    expect(wrong.err).toContain('node.name');
    const failed = await runNode([...least, '--name', 'a', '--data-dir', folder], start);
    expect(failed).toMatchObject({ code: 3 });
    expect(failed.err).toContain('the port is taken');
  });
});
