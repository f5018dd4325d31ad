/**
 * The key in a path: everything behind `/v1/kv/`, percent-decoded once. It is taken from the request line as the client sent it,
 * for a URL as libraries read it has no `..` left and another path. What no client can send in a path, a key that is `.` or
 * `..`, is named by `/v1/key?key=` instead.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getPath } from 'hono/utils/url';
import { keyFault } from '../../core/check-key.ts';
import { Refusal } from './problem.ts';

/** What a real socket has beside the request; left out in tests without one. */
export interface Wire {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

const KEY_PATH = '/v1/kv/';
/** What the router sees of a path with a key: whatever the key is, it takes no part in routing. */
const KEY_ROUTE = '/v1/kv/-';
/** Of a path that becomes one with a key only when `..` is taken out of it. */
const NO_ROUTE = '/-';

/** What stands before the path of a target in absolute form, as proxies are sent it, and servers are to take it. (RFC 9112, 3.2.2) */
const AUTHORITY = /^https?:\/\/([^/?#]*)/;

/** Whom the request is for: what stands in the target is taken, and not the `Host`. (RFC 9112, 3.2.2) */
export function hostOf(host: string | undefined, wire: Wire | undefined): string | undefined {
  const target = wire?.incoming?.url;
  return target === undefined ? host : (AUTHORITY.exec(target)?.[1] ?? host);
}

export function routingPath(request: Request, options?: { env?: unknown }): string {
  if (rawPath(request, options?.env as Wire | undefined).startsWith(KEY_PATH)) return KEY_ROUTE;
  const path = getPath(request);
  return path.startsWith(KEY_PATH) ? NO_ROUTE : path;
}

/** Not checked yet. */
export function keyInPath(request: Request, wire: Wire | undefined): string {
  return decoded(rawPath(request, wire).slice(KEY_PATH.length));
}

export function checked(key: string): string {
  const fault = keyFault(key);
  if (fault === undefined) return key;
  const hint =
    key === '' ? ': a key that is . or .., which clients take out of paths, is named by /v1/key?key=' : '';
  throw new Refusal(400, fault + hint);
}

/** Without the query, as it came. */
function rawPath(request: Request, wire: Wire | undefined): string {
  const target = wire?.incoming?.url;
  if (target !== undefined) return target.replace(AUTHORITY, '').split('?', 1)[0]!;
  const start = request.url.indexOf('/', request.url.indexOf('//') + 2);
  return request.url.slice(start).split(/[?#]/, 1)[0]!;
}

function decoded(text: string): string {
  try {
    if (/^[\x21-\x7e]*$/.test(text)) return decodeURIComponent(text);
  } catch {
    // Told below.
  }
  throw new Refusal(400, 'the key in the path is not UTF-8 in percent-encoding');
}
