/** The HTTP door against clients that are slow, rude or sly: raw bytes on a bare socket. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { HTTP_CONNECTIONS_BEYOND_MAX, HTTP_CONNECTIONS_MAX } from '../../core/clients/http-limits.ts';
import { httpRoutes, openHttpServer } from './server.ts';
import type { HttpServer } from './server.ts';

const TIMEOUT_MS = 300;
let server: HttpServer;
beforeEach(async () => {
  server = await openHttpServer(httpRoutes(new FakeNodeApi()), '127.0.0.1', 0, TIMEOUT_MS);
});
afterEach(() => server.close());

/** Sends these bytes and resolves to everything received until the server closed the connection or `ms` had passed. */
function exchange(bytes: string, ms = 5_000, port = server.port): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => end(false), ms);
    socket.on('data', (part) => (text += part.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => end(true));
    socket.write(bytes, 'latin1');
  });
}

const answers = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? [];

test.each([
  ['a request whose head never ends', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  ['a request whose body never comes', 'POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1'],
  ['a connection that says nothing', ''],
])('%s: ended by the deadline, and others are served meanwhile', async (_name, bytes) => {
  const slow = exchange(bytes);
  expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
  expect((await slow).closed).toBe(true);
});

test.each([
  [
    'two lengths that differ',
    'POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  ],
  [
    'a length beside chunks',
    'POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  ['a line break inside a header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\nb\r\n\r\n'],
  ['a space before the colon', 'GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n'],
  ['no HTTP at all', 'SET key value\r\n'],
])('%s: refused once, and nothing behind it is taken for another request', async (_name, bytes) => {
  const { text, closed } = await exchange(bytes);
  expect(answers(text)).toEqual(['HTTP/1.1 400']);
  expect(closed).toBe(true);
});

test.each([
  ['a backslash in the target', 'GET /v1/kv/a\\b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a target that is no path', 'GET * HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: x:y\r\n\r\n'],
])('%s: refused with a problem that says so', async (_name, bytes) => {
  const { text } = await exchange(bytes, 500);
  expect(answers(text)).toEqual(['HTTP/1.1 400']);
  expect(text).toContain('Causeway-Code: invalid_argument');
  expect(text).toContain('"outcome":"definite"');
});

test('a head of very many lines: none of them is left out, whatever it says', async () => {
  const many = 'a:\r\n'.repeat(3_000);
  const { text } = await exchange(
    `POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n${many}Expect: nothing\r\n\r\n`,
    500,
  );
  expect(answers(text)).toEqual(['HTTP/1.1 417']);
});

test('a head of 100 KB: refused with 431', async () => {
  const { text } = await exchange(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`);
  expect(answers(text)).toEqual(['HTTP/1.1 431']);
});

describe('all connections that the door has are taken', () => {
  const CLOSE = 'connection: close';
  let patient: HttpServer;
  let taken: Socket[];
  const open = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(patient.port, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => undefined);
    });
  const openMany = (count: number): Promise<Socket[]> => Promise.all(Array.from({ length: count }, open));
  const untilOpen = (count: number): Promise<unknown> =>
    vi.waitFor(() => expect(patient.connections.count).toBe(count), { timeout: 10_000 });
  const ask = (head: string): Promise<{ text: string; closed: boolean }> =>
    exchange(`${head} HTTP/1.1\r\nhost: a\r\n\r\n`, 5_000, patient.port);

  beforeEach(async () => {
    patient = await openHttpServer(httpRoutes(new FakeNodeApi()), '127.0.0.1', 0);
    taken = await openMany(HTTP_CONNECTIONS_MAX);
    await untilOpen(HTTP_CONNECTIONS_MAX);
  });
  afterEach(() => patient.close());

  test('a probe is answered all the same, once, and its connection closed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { text, closed } = await ask('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /healthz');
      expect(answers(text)).toEqual(['HTTP/1.1 200']);
      expect(text.toLowerCase()).toContain(CLOSE);
      expect(closed).toBe(true);
    }
    expect(patient.connections.rejected).toBe(0);
  });

  test('any other request is refused, definitely, and counted as rejected', async () => {
    const { text, closed } = await ask('GET /status');
    expect(answers(text)).toEqual(['HTTP/1.1 503']);
    expect(text).toContain('Causeway-Code: overloaded');
    expect(text).toContain('"outcome":"definite"');
    expect(text.toLowerCase()).toContain(CLOSE);
    expect(closed).toBe(true);
    expect(patient.connections.rejected).toBe(1);
  });

  test('even more are closed at once; those that ask nothing, soon; then a probe is answered again', async () => {
    const silent = await openMany(HTTP_CONNECTIONS_BEYOND_MAX + 10);
    await vi.waitFor(() => expect(patient.connections.rejected).toBe(10), { timeout: 10_000 });
    for (const socket of silent) if (!socket.closed) await once(socket, 'close');
    await untilOpen(HTTP_CONNECTIONS_MAX);
    expect((await ask('GET /healthz')).text).toContain('200 OK');
  });

  test('some have gone: others are served as usual', async () => {
    taken[0]!.destroy();
    await untilOpen(HTTP_CONNECTIONS_MAX - 1);
    const { text } = await exchange('GET /status HTTP/1.1\r\nhost: a\r\n\r\n', 500, patient.port);
    expect(text).toContain('200 OK');
    expect(text.toLowerCase()).not.toContain(CLOSE);
    for (const socket of taken) socket.destroy();
    await untilOpen(0);
  });
});
