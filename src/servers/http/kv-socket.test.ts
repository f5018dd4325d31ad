/** The key routes on real sockets: bodies in pieces, bodies that never end, clients that do not read. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { doorRoutes } from '../../../test/support/http-door.ts';
import {
  HTTP_ANSWER_BYTES_TOTAL_MAX,
  HTTP_BODY_BYTES_TOTAL_MAX,
  HTTP_CONNECTION_REQUESTS_MAX,
} from '../../core/clients/http-limits.ts';
import { VALUE_BYTES_MAX } from '../../core/limits.ts';
import { openHttpServer } from './server.ts';
import type { HttpServer } from './server.ts';

let api: FakeNodeApi;
let server: HttpServer;
let lines: Line[];
beforeEach(async () => {
  api = new FakeNodeApi();
  lines = [];
  server = await openHttpServer(doorRoutes(api), '127.0.0.1', 0);
});
afterEach(async () => {
  for (const line of lines) line.socket.destroy();
  await server.close();
});

class Line {
  text = '';
  closed = false;
  readonly socket: Socket;

  constructor(port = server.port) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (part: Buffer) => (this.text += part.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
    lines.push(this);
  }

  say(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(text, () => resolve()));
  }

  get statuses(): string[] {
    return (this.text.match(/HTTP\/1\.1 \d+/g) ?? [])
      .map((line) => line.slice(9))
      .filter((one) => one !== '100');
  }

  hears(...statuses: string[]): Promise<void> {
    return expect.poll(() => this.statuses, { timeout: 10_000 }).toEqual(statuses);
  }
}

/** On a connection of its own, and after what was begun before. */
async function answered(status: number, path: string): Promise<void> {
  const line = new Line();
  await line.say(head('GET', path));
  await line.hears(String(status));
  line.socket.destroy();
}

const head = (method: string, path: string, ...headers: string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');

test('a body byte by byte, and one in chunks: the value as it was sent', async () => {
  const line = new Line();
  await line.say(head('PUT', '/v1/kv/a', 'Content-Length: 5'));
  for (const byte of 'hello') await line.say(byte);
  await line.hears('204');
  await line.say(`${head('PUT', '/v1/kv/b', 'Transfer-Encoding: chunked')}2\r\nwo\r\n3\r\nrld\r\n0\r\n\r\n`);
  await line.hears('204', '204');
  expect(Buffer.from(api.records.get('a')!.value).toString()).toBe('hello');
  expect(Buffer.from(api.records.get('b')!.value).toString()).toBe('world');
});

test('a body that is packed for the way, too: refused, since it would be stored packed', async () => {
  const line = new Line();
  const coded = (coding: string): string =>
    `${head('PUT', '/v1/kv/a', `Transfer-Encoding: ${coding}`)}1\r\nv\r\n0\r\n\r\n`;
  await line.say(coded('gzip, chunked'));
  await line.hears('501');
  expect(line.text).toContain('Causeway-Code: not_supported');
  expect(api.records.size).toBe(0);
  const other = new Line();
  await other.say(coded('Chunked'));
  await other.hears('204');
});

test('a target in absolute form, as proxies are sent it: the same as its path alone', async () => {
  const line = new Line();
  const host = `127.0.0.1:${server.port}`;
  await line.say(head('PUT', `http://${host}/v1/kv/a/../b?ttl_ms=0`, 'Content-Length: 1') + 'v');
  await line.say(head('GET', `http://${host}/v1/kv/a/../b`));
  await line.say(head('GET', `http://${host}/v1/key?key=a/../b`));
  await line.say(head('GET', `http://${host}/healthz`));
  await line.hears('204', '200', '200', '200');
  expect([...api.records.keys()]).toEqual(['a/../b']);
  await line.say(head('GET', `http://elsewhere.example/v1/kv/a/../b`));
  await line.hears('204', '200', '200', '200', '403');
});

test('in absolute form, scheme and host in any case (RFC 3986, 6.2.2.1): the same', async () => {
  const line = new Line();
  await line.say(head('PUT', `HTTP://LocalHost:${server.port}/v1/kv/a/../B%2f`, 'Content-Length: 1') + 'v');
  await line.say(head('GET', `Http://LOCALHOST:${server.port}/v1/key?key=a/../B/`));
  await line.hears('204', '200');
  expect([...api.records.keys()]).toEqual(['a/../B/']);
  await line.say(head('GET', `HTTP://elsewhere.example/v1/kv/a`));
  await line.hears('204', '200', '403');
  const named = new Line();
  await named.say(head('GET', `http://user:word@127.0.0.1:${server.port}/v1/kv/a`));
  await named.hears('403');
});

test('a fragment in the target, which none has (RFC 9112, 3.2): refused, or what follows it would be left out', async () => {
  const line = new Line();
  await line.say(head('PUT', '/v1/kv/a#b?ttl_ms=5', 'Content-Length: 1') + 'v');
  await line.say(head('PUT', '/v1/kv/a?ttl_ms=5#b', 'Content-Length: 1') + 'v');
  await line.hears('400', '400');
  await line.say(head('PUT', '/v1/kv/a%23b', 'Content-Length: 1') + 'v');
  await line.hears('400', '400', '204');
  expect([...api.records.keys()]).toEqual(['a#b']);
});

test('a path as it was sent: dots and doubled slashes are of the key, and nothing is taken out', async () => {
  const line = new Line();
  const paths = ['/v1/kv/..', '/v1/kv/%2e', '/v1/kv/a/../../b', '/v1/kv//', '/v1/kv/a%2Fb?ttl_ms=0'];
  const statuses: string[] = [];
  for (const path of paths) {
    await line.say(head('PUT', path, 'Content-Length: 1') + 'v');
    statuses.push('204');
    await line.hears(...statuses);
  }
  expect([...api.records.keys()]).toEqual(['..', '.', 'a/../../b', '/', 'a/b']);
  await line.say(head('DELETE', '/v1/x/../kv/a%2Fb'));
  await line.hears(...statuses, '404');
  expect(api.records.get('a/b')!.tombstone).toBe(false);
});

test('a length above the limit: refused before a byte is read; without one, when the limit is passed', async () => {
  const told = new Line();
  await told.say(head('PUT', '/v1/kv/a', `Content-Length: ${VALUE_BYTES_MAX + 1}`));
  await told.hears('413');
  const chunked = new Line();
  await chunked.say(head('PUT', '/v1/kv/a', 'Transfer-Encoding: chunked'));
  const chunk = Buffer.alloc(64 * 1024, 0x61);
  for (let sent = 0; sent <= VALUE_BYTES_MAX && !chunked.closed; sent += chunk.length)
    await chunked.say(Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]));
  await chunked.hears('413');
  await expect.poll(() => told.closed && chunked.closed).toBe(true);
  expect(api.records.size).toBe(0);
});

test('a body that does not come to its end: ended by the deadline, and nothing is written', async () => {
  const hasty = await openHttpServer(doorRoutes(api), '127.0.0.1', 0, 300);
  const line = new Line(hasty.port);
  await line.say(`${head('PUT', '/v1/kv/a', 'Content-Length: 10')}half`);
  await expect.poll(() => line.closed, { timeout: 10_000 }).toBe(true);
  expect(line.statuses).not.toContain('204');
  expect(api.records.size).toBe(0);
  await hasty.close();
});

test('a client that goes in the middle of its body: nothing is written, and its bytes are no more counted', async () => {
  const large = Buffer.alloc(VALUE_BYTES_MAX - 1, 0x61);
  for (let round = 0; round < 2 * (HTTP_BODY_BYTES_TOTAL_MAX / VALUE_BYTES_MAX); round += 1) {
    const line = new Line();
    await line.say(head('PUT', '/v1/kv/a', `Content-Length: ${VALUE_BYTES_MAX}`));
    await line.say(large);
    line.socket.destroy();
  }
  const last = new Line();
  await last.say(head('PUT', '/v1/kv/b', 'Content-Length: 1'));
  await last.say('v');
  await last.hears('204');
  expect([...api.records.keys()]).toEqual(['b']);
});

test('bodies over all connections fill their room: the next is refused, definitely, and taken when others ended', async () => {
  api.holding = true;
  const large = Buffer.alloc(VALUE_BYTES_MAX, 0x61);
  const count = HTTP_BODY_BYTES_TOTAL_MAX / VALUE_BYTES_MAX;
  for (let at = 0; at < count; at += 1) {
    const line = new Line();
    await line.say(head('PUT', `/v1/kv/k${at}`, `Content-Length: ${VALUE_BYTES_MAX}`));
    await line.say(large);
  }
  await expect.poll(() => api.heldCount, { timeout: 20_000 }).toBe(count);
  const refused = new Line();
  await refused.say(`${head('PUT', '/v1/kv/more', 'Content-Length: 1')}v`);
  await refused.hears('503');
  expect(refused.text).toContain('"code":"overloaded"');
  api.release();
  await expect.poll(() => lines.filter(({ statuses }) => statuses[0] === '204').length).toBe(count);
  const taken = new Line();
  await taken.say(`${head('PUT', '/v1/kv/more', 'Content-Length: 1')}v`);
  await taken.hears('204');
});

test('a client that sends without waiting for answers: so many are begun, the rest is refused', async () => {
  api.holding = true;
  api.waiting.add('a');
  const line = new Line();
  const count = HTTP_CONNECTION_REQUESTS_MAX + 3;
  await line.say(head('GET', '/v1/kv/a').repeat(count));
  await expect.poll(() => api.heldCount).toBe(HTTP_CONNECTION_REQUESTS_MAX);
  api.release();
  const taken = Array<string>(HTTP_CONNECTION_REQUESTS_MAX).fill('404');
  // The first refusal closes the connection.
  await line.hears(...taken, '503');
  await expect.poll(() => line.closed).toBe(true);
});

test.each([
  ['after the other answers were made', ['first']],
  ['before any answer is made', ['first', 'a']],
])(
  'a client that asks for much behind an answer that is still to come, and goes %s: nothing of it is counted any more',
  async (_when, waiting) => {
    api.put('a', 'v'.repeat(VALUE_BYTES_MAX));
    for (const key of waiting) api.waiting.add(key);
    const behind = HTTP_CONNECTION_REQUESTS_MAX - 1;
    for (let held = 0; held <= HTTP_ANSWER_BYTES_TOTAL_MAX; held += behind * VALUE_BYTES_MAX) {
      api.holding = true;
      const line = new Line();
      await line.say(head('GET', '/v1/kv/first') + head('GET', '/v1/kv/a').repeat(behind));
      await expect.poll(() => api.heldCount).toBe(waiting.length === 1 ? 1 : behind + 1);
      await answered(200, '/healthz');
      line.socket.destroy();
      await expect.poll(() => server.connections.count).toBe(0);
      api.release();
      await answered(404, '/v1/kv/later');
    }
  },
);

describe('requests sent without waiting for answers', () => {
  const put = (key: string, value: string): string =>
    `${head('PUT', `/v1/kv/${key}`, `Content-Length: ${value.length}`)}${value}`;

  test('take effect in their order: a change alone, reads beside each other', async () => {
    for (const key of ['a', 'b']) api.waiting.add(key);
    api.holding = true;
    const line = new Line();
    const gets = [head('GET', '/v1/kv/a'), head('GET', '/v1/kv/b')].join('');
    await line.say(`${gets}${put('a', '1')}${gets}${head('DELETE', '/v1/kv/a')}${head('HEAD', '/v1/kv/a')}`);
    const begun = (): string[] => api.calls.map(({ kind, key }) => `${kind} ${key}`);
    const steps = [['get a', 'get b'], ['put a'], ['get a', 'get b'], ['delete a'], ['get a']];
    for (const [at, step] of steps.entries()) {
      const soFar = steps.slice(0, at + 1).flat();
      await expect.poll(begun).toEqual(soFar);
      await expect.poll(() => api.heldCount).toBe(step.length);
      api.release();
      api.holding = true;
    }
    await line.hears('404', '404', '204', '200', '404', '204', '404');
  });

  test('by a client that goes: what waits for its turn is not begun', async () => {
    api.holding = true;
    const line = new Line();
    await line.say(put('a', '1') + put('b', '1'));
    await expect.poll(() => api.heldCount).toBe(1);
    line.socket.destroy();
    await expect.poll(() => server.connections.count).toBe(0);
    api.release();
    const other = new Line();
    await other.say(put('c', '1'));
    await other.hears('204');
    expect([...api.records.keys()]).toEqual(['a', 'c']);
  });
});
