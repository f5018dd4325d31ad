/** Requests that browsers send to the door on behalf of web pages. */
import { beforeEach, describe, expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';

const LOCAL = { Host: '127.0.0.1:8081' };
let door: HttpDoor;
beforeEach(() => {
  door = new HttpDoor();
});

const put = async (headers: Record<string, string>): Promise<number> =>
  (await door.ask('PUT', '/v1/kv/a', { body: '1', headers })).status;
const get = async (headers: Record<string, string>, path = '/v1/kv'): Promise<number> =>
  (await door.routes.request(path, { headers })).status;

describe('a door that listens on this machine alone', () => {
  test.each(['127.0.0.1:8081', 'localhost:8081', 'LOCALHOST', '[::1]:8081', '127.1.2.3'])(
    'as %s: there',
    async (Host) => {
      expect(await get({ Host })).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:8081',
    '10.0.0.1',
    '[::2]',
    '',
  ])('by another name, "%s", which may be made to point here: refused, also to be read', async (Host) => {
    expect(await get({ Host })).toBe(403);
    expect(await get({ Host }, '/status')).toBe(403);
    expect(await put({ Host })).toBe(403);
    expect(door.api.calls).toEqual([]);
  });
});

describe('pages', () => {
  test.each([
    { Origin: 'http://evil.example' },
    { Origin: 'http://127.0.0.1:9999' },
    { Origin: 'null' },
    { Origin: 'nonsense' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' },
  ])('of another origin, %j: change nothing', async (headers) => {
    expect(await put({ ...LOCAL, ...headers })).toBe(403);
    expect(door.api.calls).toEqual([]);
  });

  test('of this door at the port that a scheme has by itself: the same origin, whether it is named or not', async () => {
    for (const Host of ['127.0.0.1:80', '127.0.0.1'])
      expect(await put({ Host, Origin: 'http://127.0.0.1' })).toBe(204);
    expect(await put({ Host: '127.0.0.1:443', Origin: 'https://127.0.0.1' })).toBe(204);
    expect(await put({ Host: '127.0.0.1:443', Origin: 'http://127.0.0.1' })).toBe(403);
  });

  test('of another origin do not even read, and may link here', async () => {
    expect(await get({ ...LOCAL, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' })).toBe(403);
    expect(await get({ ...LOCAL, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' })).toBe(200);
  });

  test('of this door, and what is no browser: served', async () => {
    expect(await put(LOCAL)).toBe(204);
    const own = { ...LOCAL, Origin: 'http://127.0.0.1:8081', 'Sec-Fetch-Site': 'same-origin' };
    expect(await put(own)).toBe(204);
    expect(await get({ ...LOCAL, 'Sec-Fetch-Site': 'none' })).toBe(200);
  });

  test.each(['script', 'style', 'worker', 'sharedworker', 'serviceworker', 'xslt', 'iframe', 'new-in-2030'])(
    'of this door load no value as %s, whatever it says that it is: refused with the reason',
    async (use) => {
      await door.ask('PUT', '/v1/kv/a', { body: 'alert(1)', headers: { 'Content-Type': 'text/javascript' } });
      const headers = { ...LOCAL, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': use };
      for (const path of ['/v1/kv/a', '/v1/key?key=a', '/v1/kv']) {
        const answer = await door.ask('GET', path, { headers });
        expect([answer.status, answer.json['detail']]).toEqual([403, expect.stringContaining(`as ${use}`)]);
      }
      expect(await get({ ...headers, 'Sec-Fetch-Dest': 'empty' }, '/v1/kv/a')).toBe(200);
    },
  );

  test('show values, and load what is no value as they like', async () => {
    await door.ask('PUT', '/v1/kv/a', { body: '1' });
    for (const use of ['document', 'image', 'empty'])
      expect(await get({ ...LOCAL, 'Sec-Fetch-Dest': use }, '/v1/kv/a')).toBe(200);
    expect(await get({ ...LOCAL, 'Sec-Fetch-Dest': 'script' }, '/status')).toBe(200);
  });

  test('ask whether they may: no other origin is let in', async () => {
    const headers = { ...LOCAL, Origin: 'http://evil.example', 'Access-Control-Request-Method': 'PUT' };
    const response = await door.routes.request('/v1/kv/a', { method: 'OPTIONS', headers });
    expect(response.status).toBe(405);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a door that others reach', () => {
  beforeEach(() => {
    door = new HttpDoor('0.0.0.0');
  });

  test('is named as its network names it; from a browser, changes are taken at an address alone', async () => {
    expect(await put({ Host: 'node-1:8080' })).toBe(204);
    expect(await put({ Host: 'node-1:8080', Origin: 'http://node-1:8080' })).toBe(403);
    expect(await put({ Host: '10.0.0.1:8080', Origin: 'http://10.0.0.1:8080' })).toBe(204);
    expect(await put({ Host: '[fd00::1]:8080', Origin: 'http://[fd00::1]:8080' })).toBe(204);
  });
});
