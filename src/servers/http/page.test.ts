/** The page's files as the build writes them: how they are sent and cached, and which security headers they carry. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mountPage } from './page.ts';

const SCRIPT = 'console.log("x")';
let folder: string;
let routes: Hono;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-page-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Causeway</title>');
  writeFileSync(join(folder, 'assets', 'page-ABC.js'), SCRIPT);
  writeFileSync(join(folder, 'assets', 'page-ABC.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(folder, 'secret.js'), 'secret');
  routes = new Hono();
  mountPage(folder)(routes);
});
afterAll(() => rmSync(folder, { recursive: true }));

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  routes.request(path, { headers });

test('the document: nothing from elsewhere may be loaded, nobody may frame it, and it is asked for anew each time', async () => {
  const answer = await get('/');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('cache-control')).toBe('no-cache');
  const etag = answer.headers.get('etag')!;
  expect((await get('/', { 'if-none-match': `"other", ${etag}` })).status).toBe(304);
  expect((await get('/', { 'if-none-match': '"other"' })).status).toBe(200);
});

test('a part under a name that tells its contents: kept for ever, packed for who takes that', async () => {
  const packed = await get('/assets/page-ABC.js', { 'accept-encoding': 'br, gzip' });
  expect(packed.headers.get('content-encoding')).toBe('gzip');
  expect(packed.headers.get('cache-control')).toContain('immutable');
  expect(gunzipSync(Buffer.from(await packed.arrayBuffer())).toString()).toBe(SCRIPT);
  for (const taken of ['', 'br', 'gzip;q=0']) {
    const plain = await get('/assets/page-ABC.js', { 'accept-encoding': taken });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('content-type')).toContain('javascript');
    expect(await plain.text()).toBe(SCRIPT);
  }
});

test.each(['/assets/none.js', '/assets/..%2fsecret.js', '/assets/../secret.js', '/assets/page-ABC.js.gz'])(
  '%s: no such page',
  async (path) => expect((await get(path)).status).toBe(404),
);

test('a program whose page was not built: that is said, and the door goes on', async () => {
  const bare = new Hono();
  mountPage(join(folder, 'nowhere'))(bare);
  const answer = await bare.request('/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('npm run build');
});
