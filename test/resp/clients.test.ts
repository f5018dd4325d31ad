/**
 * Popular clients, unchanged, in front of the door alone: they connect, learn the cluster, make calls and keep copies.
 * Their behaviour with real nodes, and when one dies, is in test/long/redis-clients.test.ts.
 */
import { Cluster, Redis } from 'ioredis';
import { BasicClientSideCache, createClient, createCluster } from 'redis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRespDoor } from '../support/resp-door.ts';
import type { RespFixture } from '../support/resp-door.ts';

const HOST = '127.0.0.1';

let door: RespFixture;
let port: number;
beforeEach(async () => {
  const addresses = new Map<string, string>();
  door = await openRespDoor({ addresses });
  ({ port } = door.server);
  // Known only now: a cluster client asks for it.
  addresses.set('fake', `${HOST}:${port}`);
});
afterEach(() => door.stop());

test.each([
  ['to one node', (): Redis | Cluster => new Redis({ host: HOST, port })],
  ['as a cluster client', (): Redis | Cluster => new Cluster([{ host: HOST, port }])],
])('ioredis, %s', async (_way, made) => {
  const redis = made();
  expect(await redis.set('{k}a', 'one', 'EX', 100, 'NX')).toBe('OK');
  expect(await redis.set('{k}a', 'two', 'NX')).toBe(null);
  expect(await redis.ttl('{k}a')).toBeGreaterThan(90);
  expect(await redis.incrbyfloat('{k}n', 1.5)).toBe('1.5');
  expect(await redis.mget('{k}a', '{k}none')).toEqual(['one', null]);
  const replies = await redis.pipeline().append('{k}p', 'x').incr('{k}p').exec();
  expect(replies!.map(([error, reply]) => error?.message ?? reply)).toEqual([
    1,
    'ERR value is not an integer or out of range',
  ]);
  expect(await redis.multi().set('{k}m', '5').incr('{k}m').exec()).toEqual([
    [null, 'OK'],
    [null, 6],
  ]);
  await expect(redis.lpush('{k}list', 'x')).rejects.toThrow(/lists are not kept here/);
  expect(await redis.quit()).toBe('OK');
});

test('node-redis, to one node: its usual calls, and copies that it drops', async () => {
  const clientSideCache = new BasicClientSideCache({ maxEntries: 10 });
  const redis = createClient({ url: `redis://${HOST}:${port}`, RESP: 3, clientSideCache });
  const other = createClient({ url: `redis://${HOST}:${port}` });
  await Promise.all([redis.connect(), other.connect()]);
  await other.set('k', 'one');
  for (let times = 0; times < 3; times += 1) expect(await redis.get('k')).toBe('one');
  expect(clientSideCache.stats().hitCount).toBe(2);
  await other.set('k', 'two');
  while ((await redis.get('k')) !== 'two') await new Promise((resolve) => setImmediate(resolve));
  expect(await redis.multi().incr('m').get('m').exec()).toEqual([1, '1']);
  const found: string[] = [];
  for await (const keys of redis.scanIterator({ MATCH: '*', COUNT: 10 })) found.push(...keys);
  expect(found.sort()).toEqual(['k', 'm']);
  await Promise.all([redis.close(), other.close()]);
});

test.each([
  ['', false],
  [', and its connection was new', true],
])('node-redis, told that all may have changed while it reads%s: keeps nothing of that', async (_, isNew) => {
  const clientSideCache = new BasicClientSideCache({ maxEntries: 10 });
  const redis = createClient({ url: `redis://${HOST}:${port}`, RESP: 3, clientSideCache });
  await redis.connect();
  const { api } = door;
  api.put('k', 'one');
  api.waiting.add('k');
  api.holding = true;
  const reading = redis.get('k');
  while (api.heldCount === 0) await new Promise((resolve) => setImmediate(resolve));
  // As if an error had occurred on an earlier connection.
  if (isNew) clientSideCache.clear();
  api.listener.allChanged();
  api.release();
  expect(await reading).toBe('one');
  api.put('k', 'two');
  if (!isNew) expect(await redis.get('k')).toBe('two');
  while ((await redis.get('k')) !== 'two') await new Promise((resolve) => setTimeout(resolve, 50));
  await redis.close();
});

test('node-redis, as a cluster client', async () => {
  const redis = createCluster({ rootNodes: [{ url: `redis://${HOST}:${port}` }] });
  await redis.connect();
  expect(redis.masters.map((master) => master.port)).toEqual([port]);
  expect(await redis.set('a', '1')).toBe('OK');
  expect(await redis.incr('a')).toBe(2);
  expect(await redis.mGet(['{t}a', '{t}b'])).toEqual([null, null]);
  await redis.close();
});
