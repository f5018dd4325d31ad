/** The pages for probes, over a real port. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { HTTP_CONNECTION_REQUESTS_MAX } from '../../core/clients/http-limits.ts';
import { httpRoutes, openHttpServer } from './server.ts';
import type { HttpServer } from './server.ts';

const api = new FakeNodeApi();
let server: HttpServer;

beforeAll(async () => {
  server = await openHttpServer(httpRoutes(api), '127.0.0.1', 0);
});
afterAll(() => server.close());
beforeEach(() => {
  api.statusChanges = {};
});

async function read(path: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: answer.status, body: await answer.json() };
}

test('a node that serves: alive and ready', async () => {
  expect(await read('/healthz')).toEqual({ status: 200, body: { healthy: true, reasons: [] } });
  expect(await read('/readyz')).toEqual({ status: 200, body: { ready: true, reasons: [] } });
  expect(await read('/safe-to-stop')).toEqual({ status: 200, body: { safe: true, reasons: [] } });
});

test('a node that learns and has no lease: alive, not ready, with both reasons', async () => {
  api.statusChanges = { phase: 'learning', leaseHeld: false };
  expect((await read('/healthz')).status).toBe(200);
  const reasons = ['the node is learning, not serving', 'the node holds no lease'];
  expect(await read('/readyz')).toEqual({
    status: 503,
    body: { ready: false, reasons, detail: reasons.join('; ') },
  });
});

test('a node that gets nothing done, or that the others cannot do without: 503 with the reasons', async () => {
  api.statusChanges = {
    progress: { tickAgoMs: 11_000, storeBatchMs: 61_000 },
    stopCosts: ['1 slot would have too few owners for a write'],
  };
  const { status, body } = await read('/healthz');
  expect(status).toBe(503);
  expect((body as { reasons: string[] }).reasons).toHaveLength(2);
  expect(await read('/safe-to-stop')).toEqual({
    status: 503,
    body: { safe: false, reasons: api.status().stopCosts, detail: api.status().stopCosts[0] },
  });
});

test('PostgreSQL and legacy down: still ready, as other nodes reach them no better', async () => {
  api.statusChanges = {
    record: { state: 'down', reason: 'refused' },
    legacy: { state: 'open', reason: 'failing', calls: 9 },
  };
  expect((await read('/readyz')).status).toBe(200);
});

test('a disk that is nearly full: not ready where the node is out of writes for it, ready where it stays to be read', async () => {
  const disk = { freeBytes: 100, reserveBytes: 200, freeFiles: 5_000, reserveFiles: 1_000, isGone: false };
  api.statusChanges = { phase: 'entering', disk: { state: 'low', ...disk } };
  const { status, body } = await read('/readyz');
  expect(status).toBe(503);
  expect((body as { detail: string }).detail).toMatch(/disk is nearly full.*: 100 bytes are free, and 200/);
  api.statusChanges = { phase: 'entering', disk: { state: 'low', ...disk, freeBytes: 300, freeFiles: 7 } };
  const { detail } = (await read('/readyz')).body as { detail: string };
  expect(detail).toContain('7 files can be made there (inodes), and 1000 are to stay possible');
  api.statusChanges = { disk: { state: 'refusing', ...disk } };
  expect((await read('/readyz')).status).toBe(200);
  api.statusChanges = { disk: { state: 'refusing', ...disk, isGone: true } };
  const gone = (await read('/readyz')).body as { detail: string };
  expect(gone.detail).toMatch(/data directory was moved, removed or replaced/);
});

test('the status: the whole of it; any other page: not found', async () => {
  expect(await read('/status')).toEqual({ status: 200, body: api.status() });
  expect((await read('/nothing')).status).toBe(404);
});

test('a port that is taken: the start is refused', async () => {
  await expect(openHttpServer(httpRoutes(api), '127.0.0.1', server.port)).rejects.toThrow('EADDRINUSE');
});

/** Sends the text on a connection of its own, and returns what is answered until the server closes it. */
async function saidUntilClosed(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (part) => (said += part.toString('latin1')));
  const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
  socket.write(text);
  await closed;
  return said;
}

test('one connection that asks a hundred times without waiting: so many are looked up, the rest is refused', async () => {
  let looks = 0;
  const counting = new FakeNodeApi();
  const status = counting.status.bind(counting);
  counting.status = () => {
    looks += 1;
    return status();
  };
  const door = await openHttpServer(httpRoutes(counting), '127.0.0.1', 0);
  const text = await saidUntilClosed(door.port, 'GET /status HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100));
  expect(looks).toBe(HTTP_CONNECTION_REQUESTS_MAX);
  expect(text).toContain('HTTP/1.1 503');
  await door.close();
});

test('one connection that expects the unknown a hundred times: refused, and cut like any other', async () => {
  const text = await saidUntilClosed(
    server.port,
    'GET /status HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n'.repeat(100),
  );
  expect(text.split('HTTP/1.1 417').length - 1).toBe(HTTP_CONNECTION_REQUESTS_MAX);
  expect(text).toContain('HTTP/1.1 503');
});
