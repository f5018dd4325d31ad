/** How a start shows what a node reports while it is not ready. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { whyNotReady } from './node-probe.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function told(body: string): Promise<string> {
  server = createServer((_request, response) => response.writeHead(503).end(body));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return whyNotReady((server.address() as AddressInfo).port);
}

test('a lock that PostgreSQL waits for: who holds it is told to the end', async () => {
  const lock =
    'PostgreSQL is awaited (the schema is to be changed, which waits for a lock, held for up to 12 s by ' +
    "'a nightly dump of everything', process 123456 of PostgreSQL; writers go on meanwhile)";
  const reasons = ['the node is founding, not serving', lock, 'the node holds no lease'];
  expect(await told(JSON.stringify({ reasons }))).toBe(reasons.join(', '));
});

test('a page without end in its place: one line of it, which says that it is cut', async () => {
  const line = await told('<p>\n'.repeat(1000));
  expect(line).toMatch(/^<p> <p> .*\.\.\.$/);
  expect(line.length).toBeLessThan(500);
});
