/**
 * Serves the page in the browser as the build made it: one document at `/`, and its parts under `/assets/` with content
 * hashes in their names, so that browsers can cache them for ever. All files are read once at startup; nothing is
 * loaded from other sites.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Context } from 'hono';
import type { Mount } from './server.ts';

const KINDS: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const SAFE = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
const FOR_EVER = 'public, max-age=31536000, immutable';

interface Asset {
  readonly kind: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Null if the build wrote no compressed version. */
  readonly gzip: Uint8Array<ArrayBuffer> | null;
}

/** `directory` is the build's output. If it is missing, `/` says so. */
export function mountPage(directory: string): Mount {
  const document = assetAt(join(directory, 'index.html'));
  const parts = partsIn(join(directory, 'assets'));
  return (routes) => {
    routes.get('/', (context) => {
      if (document !== null) return send(context, document, 'no-cache');
      return context.text('The page is not built: npm run build. Probes are at /healthz and /readyz.\n', 503);
    });
    routes.get('/assets/:name', (context) => {
      const part = parts.get(context.req.param('name'));
      return part === undefined ? context.notFound() : send(context, part, FOR_EVER);
    });
  };
}

function partsIn(directory: string): ReadonlyMap<string, Asset> {
  const parts = new Map<string, Asset>();
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const asset = assetAt(join(directory, name));
    if (asset !== null) parts.set(name, asset);
  }
  return parts;
}

function assetAt(path: string): Asset | null {
  const kind = KINDS[extname(path)];
  if (kind === undefined || !existsSync(path)) return null;
  const plain = new Uint8Array(readFileSync(path));
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  const gzip = existsSync(`${path}.gz`) ? new Uint8Array(readFileSync(`${path}.gz`)) : null;
  return { kind, etag, plain, gzip };
}

function send(context: Context, { kind, etag, plain, gzip }: Asset, caching: string): Response {
  const headers = { ...SAFE, etag, 'cache-control': caching, vary: 'accept-encoding' };
  const known = context.req.header('if-none-match') ?? '';
  if (known.split(',').some((one) => one.trim() === etag)) return context.body(null, 304, headers);
  const takesGzip = /\bgzip\b(?!;\s*q=0(\.0*)?(,|$))/.test(context.req.header('accept-encoding') ?? '');
  if (gzip === null || !takesGzip) return context.body(plain, 200, { ...headers, 'content-type': kind });
  return context.body(gzip, 200, { ...headers, 'content-type': kind, 'content-encoding': 'gzip' });
}
