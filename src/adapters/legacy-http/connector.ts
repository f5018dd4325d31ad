/**
 * Opens sockets to the legacy source, and refuses addresses that no legacy source has: link-local ones, where clouds
 * offer metadata services with credentials, and multicast. The check applies to the resolved IP address, at every
 * connect, so that a name whose address changes (DNS rebinding) gains nothing.
 */
import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';

type Connector = buildConnector.connector;

const REFUSED = new BlockList();
for (const prefix of ['', '::ffff:', '64:ff9b::']) {
  // Plain IPv4, IPv4 mapped into IPv6 (RFC 4291 2.5.5.2), and translated (RFC 6052).
  const [family, bits] = prefix === '' ? (['ipv4', 0] as const) : (['ipv6', 96] as const);
  REFUSED.addSubnet(`${prefix}169.254.0.0`, 16 + bits, family);
  REFUSED.addSubnet(`${prefix}224.0.0.0`, 4 + bits, family);
  REFUSED.addSubnet(`${prefix}240.0.0.0`, 4 + bits, family);
  // The metadata service of Alibaba Cloud.
  REFUSED.addAddress(`${prefix}100.100.100.200`, family);
}
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addSubnet('ff00::', 8, 'ipv6');
// The metadata service of Amazon.
REFUSED.addAddress('fd00:ec2::254', 'ipv6');

class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly code = 'REFUSED_ADDRESS';

  constructor() {
    super('the address is link-local, multicast or a metadata service');
  }
}

export function isRefusedAddress(address: string): boolean {
  const bare = address.split('%')[0]!;
  const family = isIPv6(bare) ? 'ipv6' : 'ipv4';
  return isIP(bare) === 0 || REFUSED.check(bare, family);
}

export function guardedConnector(connectTimeoutMs: number, lookup: LookupFunction = systemLookup): Connector {
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    lookup: guardedLookup(sharedLookup(lookup)),
    port: 0,
  });
  return (options, callback) => {
    // A literal address is never looked up.
    const host = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && isRefusedAddress(host)) {
      queueMicrotask(() => callback(new RefusedAddressError(), null));
      return;
    }
    connect(options, callback);
  };
}

/** One refused address among several refuses the name: no honest name mixes them. */
function guardedLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, '', 0);
        return;
      }
      const addresses = found as unknown as LookupAddress[];
      const first = addresses[0];
      if (first === undefined || addresses.some(({ address }) => isRefusedAddress(address))) {
        done(new RefusedAddressError(), '', 0);
      } else if (options.all === true) {
        done(null, addresses);
      } else {
        done(null, first.address, first.family);
      }
    });
  };
}

/**
 * Asks for a name once, however many connections wait for it. The system answers two names at a time, each for as long as
 * its DNS server keeps silent (ten seconds, say): with a lookup for each connection the source's name would hold up those
 * of the other members and of PostgreSQL for minutes.
 */
function sharedLookup(lookup: LookupFunction): LookupFunction {
  const waiting = new Map<string, Parameters<LookupFunction>[2][]>();
  return (hostname, options, done) => {
    const question = JSON.stringify([hostname, options]);
    const others = waiting.get(question);
    if (others !== undefined) {
      others.push(done);
      return;
    }
    const all = [done];
    waiting.set(question, all);
    lookup(hostname, options, (...answer) => {
      waiting.delete(question);
      for (const each of all) each(...answer);
    });
  };
}
