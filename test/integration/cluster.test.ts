/** What the whole system promises, seen from outside: real node processes, a real PostgreSQL, a real legacy API. */
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cache } from '../../src/gen/protocol.js';
import type { TestCluster } from '../support/cluster.ts';
import { startCluster } from '../support/cluster.ts';
import type { ClusterOptions } from '../support/cluster.ts';
import { call } from '../support/grpc-call.ts';
import { OtlpCollector } from '../support/otlp-collector.ts';
import { RespLine } from '../support/resp-door.ts';
import { testServer } from '../support/postgres.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';
import { Writers } from '../support/writers.ts';
import { traceEnvironment, traceTests } from './traces.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

describe('three nodes that are well', () => {
  let cluster: TestCluster;
  let collector: OtlpCollector;
  beforeAll(async () => {
    collector = await OtlpCollector.start();
    const envOf = (node: string): Record<string, string> => traceEnvironment(node, collector);
    const around = { envOf, settingsOf: () => ({}), close: () => Promise.resolve() };
    cluster = await startCluster({ entry: program.entry, surround: () => Promise.resolve(around) });
  });
  afterAll(() => cluster.close());

  traceTests(
    () => cluster,
    () => collector,
  );

  test('a write on one node is read on the others, and stands in PostgreSQL', async () => {
    await cluster.client('node-1').set('order:1', 'paid');
    for (const name of cluster.names) expect(textOf(await cluster.client(name).get('order:1'))).toBe('paid');
    const rows = await cluster.rows("SELECT key, value, created_at FROM kv_store WHERE key = 'order:1'");
    expect(rows).toMatchObject([{ key: 'order:1', value: Buffer.from('paid') }]);
  });

  test('Redis clients at any node: one copy, the true owners, and values that other doors see', async () => {
    const lines = await Promise.all(cluster.names.map((name) => RespLine.open(cluster.node(name).respPort)));
    const [first, second, third] = lines as [RespLine, RespLine, RespLine];
    expect(await first.ask('SET redis:1 one')).toBe('+OK');
    expect(await second.ask('APPEND redis:1 -two')).toBe(':7');
    expect(await third.ask('GET redis:1')).toBe('one-two');
    expect(textOf(await cluster.client('node-2').get('redis:1'))).toBe('one-two');
    const rows = await cluster.rows(`SELECT value FROM kv_store WHERE key = 'redis:1'`);
    expect(rows).toMatchObject([{ value: Buffer.from('one-two') }]);
    const counted = await Promise.all(lines.map(async (line) => (await line.ask('INCR redis:n')).slice(1)));
    expect(counted.sort()).toEqual(['1', '2', '3']);
    expect(await first.ask('WATCH redis:n')).toBe('+OK');
    expect(await second.ask('SET redis:n 10 EX 100')).toBe('+OK');
    first.send('MULTI', 'INCR redis:n', 'EXEC');
    expect(await first.hears('+OK\r\n+QUEUED\r\n*-1\r\n')).toBe('+OK\r\n+QUEUED\r\n*-1\r\n');
    expect(await third.ask('TTL redis:n')).toBe(':100');
    expect(await third.ask('RENAME redis:1 redis:2')).toBe('+OK');
    expect(await first.ask('EXISTS redis:1 redis:2')).toBe(':1');
    expect(await second.ask('CLUSTER INFO')).toMatch(/^cluster_state:ok\r\ncluster_slots_assigned:16384\r\n/);
    const nodes = (await third.ask('CLUSTER NODES')).trimEnd().split('\n');
    expect(nodes.map((node) => node.split(' ')[1])).toEqual(
      cluster.nodes.map(({ respPort }) => `127.0.0.1:${respPort}@${respPort}`),
    );
    expect(await second.ask('DEL redis:2 redis:n')).toBe(':2');
    for (const line of lines) line.close();
  });

  test('a Redis client at any node hears of all changes but its own, whichever node coordinates them', async () => {
    const keys = Array.from({ length: 30 }, (_, at) => `own:${at}`);
    const prefix = 'CLIENT TRACKING ON BCAST PREFIX own:';
    const lines = await Promise.all([0, 1, 2, 0].map((at) => RespLine.open(cluster.nodes[at]!.respPort)));
    const ear = lines[3]!;
    const heardBy = (line: RespLine, each: readonly string[]): number =>
      each.filter((key) => line.unread.includes(`\r\n${key}\r\n`)).length;
    for (const line of lines) {
      line.send('HELLO 3', line === ear ? prefix : `${prefix} NOLOOP`);
      await line.until(() => line.unread.endsWith('+OK\r\n'));
      await line.hears(line.unread);
    }
    // Each key's change is made by its first owner, which two thirds of the nodes are not.
    for (const [at, line] of lines.slice(0, 3).entries()) line.send(...keys.map((key) => `INCR ${key}${at}`));
    const others = (at: number): string[] =>
      [0, 1, 2].filter((other) => other !== at).flatMap((other) => keys.map((key) => `${key}${other}`));
    await ear.until(() => heardBy(ear, others(-1)) === 3 * keys.length);
    for (const [at, line] of lines.slice(0, 3).entries()) {
      await line.until(() => heardBy(line, others(at)) === 2 * keys.length);
      await line.until(() => line.unread.split(':1\r\n').length === 1 + keys.length);
      expect(
        heardBy(
          line,
          keys.map((key) => `${key}${at}`),
        ),
      ).toBe(0);
    }
    for (const line of lines) line.close();
  });

  test('HTTP at any node: one copy, the ETag is the version of every door, and of many who compare one wins', async () => {
    const http = (name: string, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${cluster.node(name).httpPort}${path}`, init);
    const written = await http('node-1', '/v1/kv/http%2F1', { method: 'PUT', body: 'over http' });
    const etag = written.headers.get('etag')!;
    expect(written.status).toBe(204);
    const read = await http('node-2', '/v1/kv/http/1');
    expect([read.status, await read.text(), read.headers.get('etag')]).toEqual([200, 'over http', etag]);
    // The content type that `fetch` gives to a text; PostgreSQL has it, too.
    const type = 'text/plain;charset=UTF-8';
    expect(read.headers.get('content-type')).toBe(type);
    const { version, contentType } = (await cluster.client('node-3').getWithMeta('http/1'))!;
    expect([etag, contentType]).toEqual([`"${version}"`, type]);
    const rows = await cluster.rows("SELECT content_type FROM causeway.live WHERE key = 'http/1'");
    expect(rows).toEqual([{ content_type: type }]);
    const swaps = Array.from({ length: 9 }, async (_, at) => {
      const name = cluster.names[at % 3]!;
      const init = { method: 'PUT', body: `swap ${at}`, headers: { 'If-Match': etag } };
      return (await http(name, '/v1/kv/http%2F1', init)).status;
    });
    const statuses = (await Promise.all(swaps)).sort();
    expect(statuses).toEqual([204, ...Array<number>(8).fill(412)]);
    const operations = [
      { op: 'increment', key: 'http:n', increment: 2 },
      { op: 'increment', key: 'http:n', increment: 3 },
      { op: 'delete', key: 'http/1' },
      { op: 'get', key: 'http/1' },
    ];
    const headers = { 'Content-Type': 'application/json' };
    const batch = await http('node-3', '/v1/kv', {
      method: 'POST',
      headers,
      body: JSON.stringify({ operations }),
    });
    const { results } = (await batch.json()) as { results: object[] };
    expect(results).toMatchObject([{ number: '2' }, { number: '5' }, {}, { found: false }]);
    const quorum = await (await http('node-2', '/v1/admin/quorum')).json();
    expect(quorum).toMatchObject({
      isLost: false,
      members: cluster.names.map((name) => ({ name, isUp: true })),
    });
    const level = { method: 'PUT', headers, body: '{"level":"warn"}' };
    expect((await http('node-2', '/v1/admin/log-level', level)).status).toBe(200);
    const listed = await http('node-1', '/v1/kv?prefix=http:');
    expect(await listed.json()).toMatchObject({
      entries: [{ key: 'http:n' }],
      next: null,
      incomplete: false,
    });
  });

  test('an export, from any node: all that was written, once, and whole', async () => {
    const written = Array.from({ length: 700 }, (_, at) => `export:${at}`);
    const outcomes = await cluster.client().setMany(written.map((key) => ({ key, value: `of ${key}` })));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    for (const name of cluster.names) {
      const seen: string[] = [];
      for await (const page of cluster.client(name).export()) {
        expect(page.incomplete).toBe(false);
        for (const { key, entry } of page.entries) {
          if (!key.startsWith('export:')) continue;
          seen.push(key);
          expect(textOf(entry.value)).toBe(`of ${key}`);
        }
      }
      expect(seen.sort()).toEqual([...written].sort());
    }
  });

  test('a client of the first system: sets on one node, gets from another', async () => {
    const { SetRequest, SetResponse, GetRequest, GetResponse } = cache;
    const seedClient = (name: string): Client =>
      new Client(cluster.node(name).address, credentials.createInsecure());
    const [first, second] = [seedClient('node-1'), seedClient('node-2')];
    const path = '/cache.CacheService';
    const request = { key: 'seed', value: Buffer.from('old client') };
    const set = await call(first, `${path}/Set`, SetRequest, SetResponse, request);
    expect(set.success).toBe(true);
    const got = await call(second, `${path}/Get`, GetRequest, GetResponse, { key: 'seed' });
    expect([got.found, textOf(got.value)]).toEqual([true, 'old client']);
    const none = await call(second, `${path}/Get`, GetRequest, GetResponse, { key: 'seed:none' });
    expect(none.found).toBe(false);
    first.close();
    second.close();
  });

  test('a legacy key is fetched once and stored everywhere; it is served when the legacy API is gone', async () => {
    cluster.legacy.data.set('user:1001', 'Dr. Heisenberg');
    expect(textOf(await cluster.client('node-2').get('user:1001'))).toBe('Dr. Heisenberg');
    const rows = await cluster.rows(`SELECT value FROM kv_store WHERE key = 'user:1001'`);
    expect(rows).toMatchObject([{ value: Buffer.from('Dr. Heisenberg') }]);
    await cluster.legacy.goDown();
    for (const name of cluster.names) {
      const { owner, entry } = await cluster.inspect(name, 'user:1001');
      expect([owner, textOf(entry?.value), entry?.origin]).toEqual([true, 'Dr. Heisenberg', 'legacy']);
      expect(textOf(await cluster.client(name).get('user:1001'))).toBe('Dr. Heisenberg');
    }
    await expect(cluster.client().get('user:unknown')).rejects.toMatchObject({ code: 'source_unavailable' });
    await cluster.legacy.comeUp();
    expect(cluster.legacy.callsByKey.get('user:1001')).toBe(1);
  });

  test('10,000 gets of one cold key at once, over three nodes: one call to legacy', async () => {
    // On a busy machine the answer may be so late that it is asked for again, or by the first owner of the next epoch.
    const excused = async (): Promise<number> => {
      const all = await Promise.all(cluster.names.map((name) => cluster.status(name)));
      const retries = await cluster.counted('causeway_legacy_retries_total');
      return retries + Math.max(...all.map(({ epoch }) => epoch));
    };
    const before = await excused();
    cluster.legacy.data.set('hot', 'one answer');
    cluster.legacy.behaviourByKey.set('hot', { kind: 'slow', ms: 300 });
    const options = { unansweredMax: 4_000 };
    const pipelines = await Promise.all(cluster.names.map((name) => cluster.client(name).pipeline(options)));
    const gets = Array.from({ length: 10_000 }, (_, at) => pipelines[at % pipelines.length]!.get('hot'));
    const answers = new Set((await Promise.all(gets)).map(textOf));
    expect([...answers]).toEqual(['one answer']);
    expect(cluster.legacy.callsByKey.get('hot')).toBeLessThanOrEqual(1 + (await excused()) - before);
  });

  test('a deleted key does not come back from legacy, nor one deleted before it was ever read', async () => {
    const client = cluster.client('node-1');
    for (const key of ['gone:read', 'gone:unread']) cluster.legacy.data.set(key, 'from the past');
    expect(textOf(await client.get('gone:read'))).toBe('from the past');
    await client.delete('gone:read');
    await client.delete('gone:unread');
    for (const name of cluster.names) {
      for (const key of ['gone:read', 'gone:unread']) {
        expect(await cluster.client(name).get(key)).toBe(undefined);
      }
    }
    const rows = await cluster.rows(`SELECT key FROM kv_store WHERE key LIKE 'gone:%'`);
    expect(rows).toEqual([]);
  });

  test('keys that every object has: absent until they are written, and then only those', async () => {
    const client = cluster.client();
    const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];
    for (const key of keys) expect(await client.get(key)).toBe(undefined);
    for (const key of keys) await client.set(key, `of ${key}`);
    for (const name of cluster.names) {
      for (const key of keys) expect(textOf(await cluster.client(name).get(key))).toBe(`of ${key}`);
    }
    const pipeline = await client.pipeline();
    expect(await Promise.all(keys.map(async (key) => textOf(await pipeline.get(key))))).toEqual(
      keys.map((key) => `of ${key}`),
    );
    await client.delete('__proto__');
    expect(await client.get('__proto__')).toBe(undefined);
    expect(textOf(await client.get('constructor'))).toBe('of constructor');
    const rows = await cluster.rows('SELECT key FROM kv_store WHERE key = ANY($1)', [keys]);
    expect(rows).toHaveLength(keys.length - 1);
    expect({}).not.toHaveProperty('value');
  });

  test('100 increments at once over three nodes: each counts', async () => {
    const clients = cluster.names.map((name) => cluster.client(name));
    await Promise.all(Array.from({ length: 100 }, (_, at) => clients[at % 3]!.increment('counter')));
    expect(textOf(await clients[0]!.get('counter'))).toBe('100');
  });
});

describe('what is lost', () => {
  let cluster: TestCluster;
  let writers: Writers;
  const begin = async (options: Partial<ClusterOptions> = {}): Promise<void> => {
    cluster = await startCluster({ entry: program.entry, ...options });
    writers = new Writers(cluster);
  };
  afterEach(async () => {
    await writers.stop();
    await cluster.close();
  });

  test('one node, with kill -9 under writes: nothing acknowledged, and it comes back as a complete owner', async () => {
    await begin();
    writers.start();
    await writers.untilAcknowledged(200);
    await cluster.kill('node-2');
    await writers.untilAcknowledged(200);
    cluster.start('node-2');
    await cluster.untilReady();
    await writers.untilAcknowledged(200);
    await writers.stop();
    await writers.expectAllAt('node-2');
    const { members } = await cluster.status('node-2');
    const node = members.find(({ name }) => name === 'node-2');
    expect(node).toMatchObject({ alive: true, slotsComplete: 16_384, slotsLearning: 0 });
  });

  test('two of three nodes: the one that is left serves nobody, but tells who takes an old answer what it had', async () => {
    await begin();
    const client = cluster.client('node-3');
    await cluster.client('node-1').set('key', 'value');
    // The value is readable here: a write in flight when the others die would not be an old answer.
    expect(textOf(await client.get('key'))).toBe('value');
    await cluster.kill('node-1', 'node-2');
    const find = (): ReturnType<typeof client.find> => client.find('key', { allowStale: true });
    await until('an old answer', async () => (await find()).stale);
    const { entry, staleMs } = await find();
    expect([textOf(entry?.value), entry?.stale]).toEqual(['value', true]);
    expect(staleMs).toBeGreaterThan(0);
    expect(staleMs).toBeLessThan(60_000);
    await expect(client.get('key')).rejects.toMatchObject({ code: 'not_ready', certainty: 'definite' });
    for (const name of ['node-1', 'node-2']) cluster.start(name);
    await cluster.untilReady();
    expect(await find()).toMatchObject({ stale: false, staleMs: 0 });
  });

  test('one node, in order under writes: no acknowledged write, and the others go on', async () => {
    await begin();
    writers.start();
    await writers.untilAcknowledged(100);
    await cluster.stop('node-3');
    await writers.untilAcknowledged(100);
    await writers.stop();
    await writers.expectAllAt('node-1');
    await writers.expectAllAt('node-2');
  });

  test('all nodes at once, under writes: everything acknowledged is there after the restart', async () => {
    await begin();
    writers.start();
    await writers.untilAcknowledged(300);
    await cluster.kill();
    await writers.stop();
    for (const name of cluster.names) cluster.start(name);
    await cluster.untilReady();
    for (const name of cluster.names) await writers.expectAllAt(name);
  });

  test('all nodes at once and all their disks: everything acknowledged is in PostgreSQL, deletions too', async () => {
    await begin();
    cluster.legacy.data.set('deleted', 'must not come back');
    await cluster.client().delete('deleted');
    writers.start();
    await writers.untilAcknowledged(300);
    await cluster.kill();
    await writers.stop();
    for (const name of cluster.names) {
      cluster.wipe(name);
      cluster.start(name);
    }
    await cluster.untilReady();
    await writers.expectAllAt('node-1');
    expect(await cluster.client('node-2').get('deleted')).toBe(undefined);
    const version = await cluster.client().set('deleted', 'new');
    expect(version).toBeGreaterThan(writers.versionMax);
  });

  test('PostgreSQL: writes are refused, held keys are read, a miss is unavailable; with it all goes on', async () => {
    await begin();
    const client = cluster.client();
    await client.set('held', 'value');
    cluster.legacy.data.set('cold', 'in legacy only');
    const server = await testServer();
    await server.kill();
    try {
      await until('the nodes notice', async () => {
        const all = await Promise.all(cluster.names.map((name) => cluster.status(name)));
        return all.every(({ record }) => record.state === 'down');
      });
      const refused = { code: 'record_unavailable', certainty: 'definite' };
      await expect(client.set('held', 'other')).rejects.toMatchObject(refused);
      await expect(client.increment('count')).rejects.toMatchObject(refused);
      for (const name of cluster.names) expect(textOf(await cluster.client(name).get('held'))).toBe('value');
      await expect(client.get('cold')).rejects.toMatchObject({ certainty: 'definite' });
      expect(await cluster.isReady('node-1')).toBe(true);
    } finally {
      await server.start();
    }
    // Each node notices by itself, and remembers a failed fetch for a moment.
    await until('writes and misses succeed', async () => {
      const written = await client.set('held', 'after').catch(() => 0);
      const cold = await client.get('cold').catch(() => undefined);
      return written > 0 && cold !== undefined;
    });
    expect(textOf(await client.get('cold'))).toBe('in legacy only');
  });
});
