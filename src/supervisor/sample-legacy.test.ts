/** The sample legacy API, called over HTTP as a node would call it. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSampleLegacy, listenSampleLegacy } from './sample-legacy.ts';

let server: Server;
let base: string;

beforeEach(async () => {
  server = createSampleLegacy();
  await listenSampleLegacy(server, 0);
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/legacy`;
});
afterEach(() => void server.close());

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${base}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.json() };
}

test('a key of the sample data: its key and value', async () => {
  expect(await ask('/data/user:1001')).toEqual({
    status: 200,
    body: { key: 'user:1001', value: 'Dr. Heisenberg' },
  });
  expect((await ask('/data/legacy:1000')).body).toEqual({ key: 'legacy:1000', value: 'Legacy record 1000' });
});

test('an encoded key: decoded as one segment, so it names the same record', async () => {
  expect((await ask('/data/config%3Alegacy_mode')).body).toEqual({
    key: 'config:legacy_mode',
    value: 'TRUE',
  });
});

test('a key that is not there, also one with an encoded slash: 404 with a JSON body', async () => {
  expect(await ask('/data/user:9')).toMatchObject({ status: 404, body: { error: 'not_found' } });
  expect(await ask('/data/..%2Fstats')).toMatchObject({ status: 404, body: { error: 'not_found' } });
});

test('more than one segment, or a broken escape: 400, never a record', async () => {
  expect((await ask('/data/user/1001')).status).toBe(400);
  expect((await ask('/data/%E0%A4%A')).status).toBe(400);
});

test('the list read page by page: every key once, in order', async () => {
  const keys: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page = (await ask(`/keys?limit=400&after=${encodeURIComponent(next)}`)).body as {
      keys: string[];
      next: string | null;
    };
    keys.push(...page.keys);
    next = page.next;
  }
  expect(keys).toHaveLength(1003);
  expect(keys).toEqual([...new Set(keys)].sort());
});

test('a limit that is no number: refused', async () => {
  expect((await ask('/keys?limit=many')).status).toBe(400);
});

test('calls for data: counted in all and by key; other calls are not', async () => {
  await ask('/data/user:1001');
  await ask('/data/user:1001');
  await ask('/data/none');
  await ask('/keys');
  expect((await ask('/stats')).body).toEqual({ calls: 3, keys: { 'user:1001': 2, none: 1 } });
});

test('anything but GET: refused', async () => {
  const response = await fetch(`${base}/data/user:1001`, {
    method: 'DELETE',
    headers: { connection: 'close' },
  });
  expect(response.status).toBe(405);
});
