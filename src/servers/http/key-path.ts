/**
 * Extracts the key from a path: everything after `/v1/kv/`, percent-decoded once. It is read from the request line as
 * the client sent it, because URL parsers resolve `..` and thus change the path. The keys `.` and `..`, which no client
 * can send in a path, are addressed by `/v1/key?key=` instead.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getPath } from 'hono/utils/url';
import { keyFault } from '../../core/clients/check-key.ts';
import { Refusal } from './problem.ts';

/** The sockets behind a request; tests without sockets leave them out. */
export interface Wire {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

const KEY_PATH = '/v1/kv/';
/** The path that the router sees instead of a path with a key, so that the key cannot influence routing. */
const KEY_ROUTE = '/v1/kv/-';
/** The path that the router sees if a path would name a key only after `..` is resolved. */
const NO_ROUTE = '/-';

/**
 * Scheme and authority of a request target in absolute form, which clients send to proxies and servers must accept (RFC
 * 9112, 3.2.2).
 */
const AUTHORITY = /^https?:\/\/([^/?#]*)/;
const SCHEME = /^https?:\/\//i;

/** Its scheme, in which case does not count (RFC 3986, 6.2.2.1), in lower case. All else is left as it was sent. */
export function canonicalTarget(target: string): string {
  return target.replace(SCHEME, (scheme) => scheme.toLowerCase());
}

/**
 * The host that the request names: the one in its target, if there is one, takes precedence over `Host` (RFC 9112,
 * 3.2.2).
 */
export function hostOf(host: string | undefined, wire: Wire | undefined): string | undefined {
  const target = wire?.incoming?.url;
  return target === undefined ? host : (AUTHORITY.exec(target)?.[1] ?? host);
}

export function routingPath(request: Request, options?: { env?: unknown }): string {
  if (rawPath(request, options?.env as Wire | undefined).startsWith(KEY_PATH)) return KEY_ROUTE;
  const path = getPath(request);
  return path.startsWith(KEY_PATH) ? NO_ROUTE : path;
}

/** The decoded key, not yet checked. */
export function keyInPath(request: Request, wire: Wire | undefined): string {
  // A target has no fragment (RFC 9112, 3.2). Behind one the options of the request would be left out.
  if (wire?.incoming?.url?.includes('#') === true)
    throw new Refusal(400, 'a # in the target of a request: in a key it is written as %23');
  return decoded(rawPath(request, wire).slice(KEY_PATH.length));
}

export function checked(key: string): string {
  const fault = keyFault(key);
  if (fault === undefined) return key;
  const hint =
    key === '' ? ': a key that is . or .., which clients take out of paths, is named by /v1/key?key=' : '';
  throw new Refusal(400, fault + hint);
}

/** The path as the client sent it, without the query. */
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
    // Refused below.
  }
  throw new Refusal(400, 'the key in the path is not UTF-8 in percent-encoding');
}
