/**
 * Popular clients and tools, unchanged, in front of a cluster of three real nodes: single and cluster-aware, and
 * through the death of a node. A tool that is not installed is counted as skipped. One cluster serves all tests.
 */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import { BasicClientSideCache, createClient, createCluster } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFixture } from '../resp/fixtures.ts';
import { differenceOf } from '../resp/differences.ts';
import { play } from '../resp/play.ts';
import { explain } from '../resp/sequence.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, freePorts, until } from '../support/supervisor-program.ts';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const FAILOVER_MS_MAX = 20_000;
const COMMAND_MS_MAX = 5_000;
const JOIN_MS_MAX = 180_000;
/** Every n-th recorded sequence is played to the cluster, which is slower than a map, and all with pushed messages. */
const PLAY_EACH = 10;

let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;
/** Ports of the Redis doors, in the order of the nodes. */
let ports: number[];
/** Port of a node that joins at the end. */
let fourthPort: number;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  const all = await freePorts(4);
  ports = all.slice(0, 3);
  fourthPort = all[3]!;
  const addresses = (name: string): number => all[Number(name.slice(-1)) - 1]!;
  cluster = await startCluster({
    entry: program.entry,
    legacy: false,
    surround: async () => ({
      settingsOf: (name) => ({ resp: { port: addresses(name), mayFlush: true } }),
      envOf: () => ({}),
      close: async () => undefined,
    }),
  });
});
afterAll(async () => {
  await cluster?.close();
  program?.remove();
});

/** An entry of CLUSTER SLOTS. */
type Range = [from: number, to: number, ...nodes: [host: string, port: number, id: string][]];

function isInstalled(tool: string): boolean {
  const found = spawnSync(tool, ['--version']).error === undefined;
  if (!found) console.warn(`skipped: ${tool} is not installed`);
  return found;
}

const hasCli = isInstalled('redis-cli');
const hasBenchmark = isInstalled('redis-benchmark');

describe('ioredis', () => {
  test('to one node: its usual calls', async () => {
    const redis = new Redis({ host: HOST, port: ports[0]! });
    expect(await redis.set('io:a', 'one')).toBe('OK');
    expect(await redis.get('io:a')).toBe('one');
    expect(await redis.getBuffer('io:a')).toEqual(Buffer.from('one'));
    expect(await redis.set('io:a', 'two', 'EX', 100, 'NX')).toBe(null);
    expect(await redis.set('io:a', 'two', 'EX', 100, 'XX')).toBe('OK');
    expect(await redis.ttl('io:a')).toBeGreaterThan(90);
    expect(await redis.incr('io:n')).toBe(1);
    expect(await redis.incrby('io:n', 41)).toBe(42);
    expect(await redis.incrbyfloat('io:n', 0.5)).toBe('42.5');
    expect(await redis.mset({ 'io:b': '1', 'io:c': '2' })).toBe('OK');
    expect(await redis.mget('io:b', 'io:c', 'io:none')).toEqual(['1', '2', null]);
    expect(await redis.exists('io:a', 'io:none')).toBe(1);
    expect(await redis.del('io:b', 'io:c', 'io:none')).toBe(2);
    const replies = await redis.pipeline().append('io:p', 'x').strlen('io:p').incr('io:p').exec();
    expect(replies!.map(([error, reply]) => error?.message ?? reply)).toEqual([
      1,
      1,
      'ERR value is not an integer or out of range',
    ]);
    expect(await redis.multi().set('io:m', '5').incr('io:m').get('io:m').exec()).toEqual([
      [null, 'OK'],
      [null, 6],
      [null, '6'],
    ]);
    const found: string[] = [];
    for await (const keys of redis.scanStream({ match: 'io:*', count: 10 }))
      found.push(...(keys as string[]));
    expect([...new Set(found)].sort()).toEqual(['io:a', 'io:m', 'io:n', 'io:p']);
    await expect(redis.lpush('io:list', 'x')).rejects.toThrow(/lists/);
    expect(await redis.quit()).toBe('OK');
  });

  test('WATCH: who comes second is told', async () => {
    const redis = new Redis({ host: HOST, port: ports[0]! });
    const other = new Redis({ host: HOST, port: ports[1]! });
    await redis.set('io:w', '1');
    await redis.watch('io:w');
    await other.set('io:w', '2');
    expect(await redis.multi().set('io:w', '3').exec()).toBe(null);
    await redis.watch('io:w');
    expect(await redis.multi().set('io:w', '3').exec()).toEqual([[null, 'OK']]);
    expect(await other.get('io:w')).toBe('3');
    redis.disconnect();
    other.disconnect();
  });

  test('keeps copies, and hears on a second connection what others change', async () => {
    const [redis, ear, other] = [0, 0, 1].map(
      (at) => new Redis({ host: HOST, port: ports[at]!, protocol: 2 }),
    );
    const heard: unknown[] = [];
    ear!.on('message', (channel, keys) => heard.push([channel, keys]));
    await redis!.client('TRACKING', 'ON', 'REDIRECT', await ear!.client('ID'));
    await ear!.subscribe('__redis__:invalidate');
    await redis!.set('io:kept', '1');
    expect(await redis!.get('io:kept')).toBe('1');
    expect(heard).toEqual([]);
    await other!.set('io:kept', '2');
    await until('a message of what changed', () => heard.length > 0, COMMAND_MS_MAX);
    expect(heard).toEqual([['__redis__:invalidate', 'io:kept']]);
    for (const each of [redis!, ear!, other!]) each.disconnect();
  });

  test.each(['master', 'slave'] as const)(
    'cluster-aware, reading at a %s: learns all',
    async (scaleReads) => {
      const redis = new Cluster([{ host: HOST, port: ports[1]! }], { scaleReads });
      const keys = Array.from({ length: 60 }, (_, at) => `io:${scaleReads}:${at}`);
      await Promise.all(keys.map((key) => redis.set(key, `of ${key}`)));
      expect(await Promise.all(keys.map((key) => redis.get(key)))).toEqual(keys.map((key) => `of ${key}`));
      expect(redis.nodes('master').map(({ options }) => options.port)).toEqual(expect.arrayContaining(ports));
      expect(await redis.mget('{io}a', '{io}b')).toEqual([null, null]);
      redis.disconnect();
    },
  );

  test('the map: a range for each master, with the two others as its replicas', async () => {
    const control = new Redis({ host: HOST, port: ports[2]! });
    const isSmall = async (): Promise<boolean> =>
      (await control.cluster('SLOTS')).map(({ length }) => length).join() === '5,5,5';
    await until('the map is small', isSmall, FAILOVER_MS_MAX);
    control.disconnect();
  });
});

describe('node-redis', () => {
  test('keeps copies of what it reads, and drops what others change at another node', async () => {
    const clientSideCache = new BasicClientSideCache({ maxEntries: 100 });
    const redis = createClient({ url: `redis://${HOST}:${ports[0]!}`, RESP: 3, clientSideCache });
    const other = createClient({ url: `redis://${HOST}:${ports[1]!}`, RESP: 3 });
    await Promise.all([redis.connect(), other.connect()]);
    await other.set('nr:kept', '1');
    for (let times = 0; times < 3; times += 1) expect(await redis.get('nr:kept')).toBe('1');
    expect(clientSideCache.stats().hitCount).toBe(2);
    await other.set('nr:kept', '2');
    await until('the new value', async () => (await redis.get('nr:kept')) === '2', COMMAND_MS_MAX);
    await other.del('nr:kept');
    await until('nothing', async () => (await redis.get('nr:kept')) === null, COMMAND_MS_MAX);
    await Promise.all([redis.close(), other.close()]);
  });

  test.each([2, 3] as const)('to one node over RESP%i: its usual calls', async (RESP) => {
    const redis = createClient({ url: `redis://${HOST}:${ports[2]!}`, RESP });
    await redis.connect();
    const key = (name: string): string => `nr${RESP}:${name}`;
    expect(await redis.set(key('a'), 'one')).toBe('OK');
    expect(await redis.get(key('a'))).toBe('one');
    expect(await redis.get(key('none'))).toBe(null);
    expect(await redis.set(key('a'), 'two', { expiration: { type: 'EX', value: 100 }, GET: true })).toBe(
      'one',
    );
    expect(await redis.ttl(key('a'))).toBeGreaterThan(90);
    expect(await redis.incrBy(key('n'), 7)).toBe(7);
    expect(await redis.mGet([key('a'), key('none')])).toEqual(['two', null]);
    expect(await redis.multi().set(key('m'), '5').incr(key('m')).get(key('m')).exec()).toEqual([
      'OK',
      6,
      '6',
    ]);
    const found: string[] = [];
    for await (const keys of redis.scanIterator({ MATCH: key('*'), COUNT: 10 })) found.push(...keys);
    expect([...new Set(found)].sort()).toEqual([key('a'), key('m'), key('n')]);
    expect(await redis.del([key('a'), key('m'), key('none')])).toBe(2);
    expect(await redis.ping()).toBe('PONG');
    await expect(redis.lPush(key('list'), 'x')).rejects.toThrow(/lists/);
    await redis.close();
  });

  test.each([false, true])('cluster-aware, useReplicas %s: learns all nodes', async (useReplicas) => {
    const redis = createCluster({ rootNodes: [{ url: `redis://${HOST}:${ports[0]!}` }], useReplicas });
    await redis.connect();
    const keys = Array.from({ length: 60 }, (_, at) => `nr:${useReplicas}:${at}`);
    await Promise.all(keys.map((key) => redis.set(key, `of ${key}`)));
    expect(await Promise.all(keys.map((key) => redis.get(key)))).toEqual(keys.map((key) => `of ${key}`));
    expect([...redis.masters, ...redis.replicas].map(({ port }) => port).sort()).toEqual([...ports].sort());
    await redis.close();
  });
});

describe.skipIf(!hasCli)('redis-cli', () => {
  const cli = async (...words: string[]): Promise<string> => (await run('redis-cli', words)).stdout.trimEnd();

  test('plain, to any node: what one wrote another reads', async () => {
    expect(await cli('-p', `${ports[0]!}`, 'SET', 'cli:a', 'hello world')).toBe('OK');
    expect(await cli('-p', `${ports[1]!}`, 'GET', 'cli:a')).toBe('hello world');
    expect(await cli('-3', '-p', `${ports[2]!}`, 'STRLEN', 'cli:a')).toBe('11');
    expect(await cli('-p', `${ports[2]!}`, 'LPUSH', 'cli:a', 'x')).toMatch(/^ERR .*lists/);
  });

  test('with -c: any key from any node', async () => {
    for (let at = 0; at < 9; at += 1) {
      expect(await cli('-c', '-p', `${ports[at % 3]!}`, 'SET', `cli:c:${at}`, `${at}`)).toBe('OK');
      expect(await cli('-c', '-p', `${ports[(at + 1) % 3]!}`, 'GET', `cli:c:${at}`)).toBe(`${at}`);
    }
    expect(await cli('-p', `${ports[0]!}`, 'CLUSTER', 'INFO')).toMatch(/cluster_state:ok/);
    expect((await cli('-p', `${ports[0]!}`, 'CLUSTER', 'NODES')).split('\n')).toHaveLength(3);
    const checked = await cli('--cluster', 'check', `${HOST}:${ports[1]!}`);
    expect(checked).toMatch(/All nodes agree about slots configuration[^]*All 16384 slots covered/);
  });

  test('--scan: all keys of a pattern', async () => {
    const found = await cli('-p', `${ports[0]!}`, '--scan', '--pattern', 'cli:c:*');
    expect([...new Set(found.split('\n'))]).toHaveLength(9);
  });
});

describe.skipIf(!hasBenchmark)('redis-benchmark', () => {
  const benchmark = async (...words: string[]): Promise<string> => {
    const common = ['-p', `${ports[0]!}`, '-n', '400', '-c', '20', '-q', '--csv'];
    const { stdout, stderr } = await run('redis-benchmark', [...common, ...words]);
    expect(`${stdout}${stderr}`).not.toMatch(/error|ERR|WARNING: Could not fetch/i);
    return stdout;
  };

  test.each([
    ['plain', ['-t', 'set,get,incr,mset', '-P', '4']],
    ['with --cluster', ['--cluster', '-t', 'set,get,incr', '-r', '1000']],
  ])('%s: every command of it is done', async (_name, words) => {
    const rates = (await benchmark(...words))
      .split('\n')
      .filter((line) => /^"(SET|GET|INCR|MSET)/.test(line));
    expect(rates).toHaveLength(words[words.indexOf('-t') + 1]!.split(',').length);
  });
});

describe('what Redis answered, of a cluster that is real', () => {
  test.each(['strings', 'numbers', 'transactions', 'keys', 'random', 'tracking'])('%s', async (family) => {
    const control = new Redis({ host: HOST, port: ports[0]! });
    const faults: string[] = [];
    const isTracking = family === 'tracking';
    const sequences = isTracking
      ? readFixture('protocol').sequences.filter(({ title }) => title.startsWith(family))
      : readFixture(family).sequences;
    for (let at = 0; at < sequences.length; at += isTracking ? 1 : PLAY_EACH) {
      const sequence = sequences[at]!;
      await control.flushall();
      const given = await play(ports[at % 3]!, sequence);
      const expected = sequence.steps.map((step, step_) => {
        const reply = given[step_] ?? '(nothing)';
        // Pages end with slots here: a short page is no reason to end the walk.
        if (reply === '<a page>' && step.reply!.startsWith('*2\\n$1\\n0\\n')) return reply;
        return differenceOf(sequence, step, reply) === undefined ? (step.reply ?? '') : reply;
      });
      if (given.join('\n') !== expected.join('\n')) faults.push(explain(sequence, given, expected));
    }
    control.disconnect();
    expect(faults.join('\n\n')).toBe('');
  });
});

/** A client that holds a command back until a dead node returns has failed to continue. */
function settled<Result>(command: Promise<Result>): Promise<Result> {
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${COMMAND_MS_MAX} ms`)),
      COMMAND_MS_MAX,
    );
    void command.catch(() => undefined).finally(() => clearTimeout(timer));
  });
  return Promise.race([command, late]);
}

describe('a node dies', () => {
  test('cluster-aware clients go on with the others, and lose nothing that was acknowledged', async () => {
    const io = new Cluster([{ host: HOST, port: ports[0]! }], { clusterRetryStrategy: () => 100 });
    const nr = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://${HOST}:${port}` })) });
    nr.on('error', () => undefined);
    await nr.connect();
    const acknowledged = new Map<string, string>();
    const write = async (
      key: string,
      value: string,
      by: (key: string, value: string) => Promise<unknown>,
    ) => {
      await until(
        `${key} is written`,
        () =>
          settled(by(key, value)).then(
            () => true,
            () => false,
          ),
        FAILOVER_MS_MAX,
      );
      acknowledged.set(key, value);
    };
    const byIo = (key: string, value: string): Promise<unknown> => io.set(key, value);
    const byNr = (key: string, value: string): Promise<unknown> => nr.set(key, value);
    for (let at = 0; at < 30; at += 1) await write(`dies:${at}`, 'before', at % 2 === 0 ? byIo : byNr);
    await cluster.kill('node-3');
    for (let at = 0; at < 60; at += 1) await write(`dies:${at}`, `after ${at}`, at % 2 === 0 ? byIo : byNr);
    for (const [key, value] of acknowledged) {
      const readers = [(): Promise<string | null> => io.get(key), (): Promise<string | null> => nr.get(key)];
      for (const read of readers)
        await until(
          `${key} is read`,
          async () => (await settled(read()).catch(() => null)) === value,
          FAILOVER_MS_MAX,
        );
    }
    cluster.start('node-3');
    await cluster.untilReady();
    const back = new Redis({ host: HOST, port: ports[2]! });
    for (const [key, value] of acknowledged) expect(await back.get(key)).toBe(value);
    back.disconnect();
    io.disconnect();
    nr.destroy();
  });
});

describe('a fourth node joins, and no setting of any node names its door', () => {
  let control: Redis;
  beforeAll(async () => {
    control = new Redis({ host: HOST, port: ports[0]! });
    await cluster.add('node-4', 'node-1');
    const isOwner = ([, , ...nodes]: Range): boolean => nodes.some(([, port]) => port === fourthPort);
    const ranges = async (): Promise<Range[]> => (await control.cluster('SLOTS')) as unknown as Range[];
    await until('clients are told that it serves', async () => (await ranges()).some(isOwner), JOIN_MS_MAX);
    await cluster.untilReady();
  });
  afterAll(() => control.disconnect());

  test('cluster-aware clients learn it from another node, and it from all', async () => {
    const all = [...ports, fourthPort].sort().join();
    for (const seed of [ports[1]!, fourthPort]) {
      // A member that was found slow or silent on a busy machine is listed again once it is back.
      await until(
        'a client knows all four',
        async () => {
          const io = new Cluster([{ host: HOST, port: seed }]);
          await io.set(`fourth:${seed}`, 'written');
          const known = new Set(io.nodes('all').map(({ options }) => options.port));
          expect(await io.get(`fourth:${seed}`)).toBe('written');
          io.disconnect();
          return [...known].sort().join() === all;
        },
        FAILOVER_MS_MAX,
      );
    }
  });

  test('copies of a key are kept at a node that does not own it, until somebody changes it elsewhere', async () => {
    // Redis clients are told only the first owner of each slot; all owners are available by HTTP.
    const { body } = (await cluster.http('node-1', '/v1/admin/slots'))!;
    const { ranges } = body as { ranges: { from: number; to: number; owners: string[] }[] };
    const owns = (slot: number, name: string): boolean =>
      ranges.some(({ from, to, owners }) => from <= slot && slot <= to && owners.includes(name));
    let key = '';
    for (let at = 0; key === ''; at += 1) {
      const slot = await control.cluster('KEYSLOT', `far:${at}`);
      if (!owns(slot, 'node-1')) key = `far:${at}`;
    }
    const other = new Redis({ host: HOST, port: ports[1]! });
    await other.set(key, '1');
    const clientSideCache = new BasicClientSideCache();
    const nr = createClient({ url: `redis://${HOST}:${ports[0]!}`, RESP: 3, clientSideCache });
    await nr.connect();
    // An epoch may come at any time on a busy machine, and then all copies are dropped for nothing.
    const isKept = async (value: string): Promise<boolean> => {
      if ((await nr.get(key)) !== value) return false;
      const { hitCount } = clientSideCache.stats();
      await nr.get(key);
      return clientSideCache.stats().hitCount > hitCount;
    };
    await until('a copy that answers', () => isKept('1'), FAILOVER_MS_MAX);
    await other.set(key, '2');
    await until('the new value, and a copy of it', () => isKept('2'), FAILOVER_MS_MAX);
    await other.del(key);
    await until('nothing', async () => (await nr.get(key)) === null, FAILOVER_MS_MAX);
    await nr.close();
    other.disconnect();
  });
});
