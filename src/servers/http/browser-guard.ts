/**
 * Protects the door from web pages. It has no passwords, and browsers send it requests from any page. Requests from
 * pages of another origin are refused, even if such a page could not read the answer. A door that listens on this
 * machine alone refuses every other host name, because a page can make its own name resolve to this machine (DNS
 * rebinding). No other origin is ever allowed (no CORS). And a value that a client stored here is never loaded as an
 * active part of a page, such as a script: the node's own page has the same origin and would run it.
 */
import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { hostOf } from './key-path.ts';
import type { Wire } from './key-path.ts';
import { Refusal, problemResponse } from './problem.ts';

const READING = /^(GET|HEAD|OPTIONS)$/;
/**
 * The uses of a response (`Sec-Fetch-Dest`) that are allowed for values: showing it, or passing it to the program that
 * fetched it.
 */
const LOOKED_AT = /^(empty|document|image|audio|video|track|font)$/;
/** The path of values; the scripts and styles of the node's own page are elsewhere. */
const OF_CLIENTS = '/v1/';
const USE_CHARACTERS_TOLD_MAX = 40;

/** `listenHost` is the host that the door listens on. */
export function browserGuard(listenHost: string): MiddlewareHandler {
  const isPrivate = isOfThisMachine(listenHost);
  return async ({ req, env }, next) => {
    const header = (name: string): string | undefined => req.header(name);
    const host = hostOf(header('host'), env as Wire | undefined);
    const fault =
      faultOf(req.method, host, header, isPrivate) ?? useFault(req.path, header('sec-fetch-dest'));
    if (fault !== undefined) return problemResponse(new Refusal(403, fault).problem);
    await next();
    return undefined;
  };
}

function faultOf(
  method: string,
  host: string | undefined,
  header: (name: string) => string | undefined,
  isPrivate: boolean,
): string | undefined {
  if (isPrivate && host !== undefined && !isOfThisMachine(nameIn(host)))
    return 'this door listens on this machine alone: name it as localhost, 127.0.0.1 or [::1]';
  const isReading = READING.test(method);
  const site = header('sec-fetch-site');
  const isFollowedLink = isReading && header('sec-fetch-mode') === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isFollowedLink)
    return 'a page of another origin has no business here';
  const origin = header('origin');
  if (isReading || origin === undefined) return undefined;
  const page = URL.canParse(origin) ? new URL(origin) : null;
  const named = page?.host ?? '';
  if (page === null || named === '' || named !== hostFor(page.protocol, host))
    return 'a page of another origin has no business here';
  // An attacker can make a host name resolve to this node, but not an IP address.
  if (!isOfThisMachine(nameIn(named)) && isIP(nameIn(named)) === 0)
    return 'from a browser, changes are taken only at an address: open the page by the IP address of the node';
  return undefined;
}

function useFault(path: string, use: string | undefined): string | undefined {
  if (use === undefined || LOOKED_AT.test(use) || !path.startsWith(OF_CLIENTS)) return undefined;
  return `a value is data: a browser may show it or fetch it, and not load it as ${use.slice(0, USE_CHARACTERS_TOLD_MAX)}`;
}

/** As origins write it: in lower case, and without the port that the scheme has by itself (RFC 6454, 4). */
function hostFor(protocol: string, host = ''): string {
  const url = `${protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).host : '';
}

function nameIn(host: string): string {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return name.startsWith('[') ? name.slice(1, -1) : name;
}

function isOfThisMachine(name: string): boolean {
  if (name === 'localhost' || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}
