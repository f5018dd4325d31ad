/** Which addresses the legacy source may connect to, and how `Retry-After` is parsed. */
import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import type { AddressInfo, LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { guardedConnector, isRefusedAddress } from './connector.ts';
import { parseRetryAfter } from './judge.ts';

test.each([
  '169.254.169.254',
  '169.254.0.1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  'fd00:ec2::254',
  '100.100.100.200',
  '224.0.0.1',
  '255.255.255.255',
  'ff02::1',
  'not an address',
])('%s: refused', (address) => {
  expect(isRefusedAddress(address)).toBe(true);
});

test.each([
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '192.168.1.1',
  '169.253.1.1',
  '93.184.216.34',
  'fd00::1',
  '2001:db8::1',
])('%s: allowed', (address) => {
  expect(isRefusedAddress(address)).toBe(false);
});

function lookupOf(...addresses: LookupAddress[]): LookupFunction {
  return (_hostname, options, done) => {
    expect(options.all).toBe(true);
    done(null, addresses);
  };
}

function connect(lookup: LookupFunction, port: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { hostname: 'legacy.test', host: 'legacy.test', protocol: 'http:', port };
    guardedConnector(1_000, lookup)(options, (error, socket) => {
      resolve(error === null ? 'connected' : String((error as NodeJS.ErrnoException).code));
      socket?.destroy();
    });
  });
}

test('a name that resolves to a refused address, alone or among others: not connected to', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  const good = { address: '127.0.0.1', family: 4 };
  const metadata = { address: '169.254.169.254', family: 4 };
  expect(await connect(lookupOf(good), port)).toBe('connected');
  expect(await connect(lookupOf(metadata), port)).toBe('REFUSED_ADDRESS');
  expect(await connect(lookupOf(good, metadata), port)).toBe('REFUSED_ADDRESS');
  expect(await connect(lookupOf(), port)).toBe('REFUSED_ADDRESS');
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('a name that cannot be resolved: the reason is told, and nothing hangs', async () => {
  const unknown = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  expect(await connect((_hostname, _options, done) => done(unknown, []), '80')).toBe('ENOTFOUND');
});

test('a name that is slow to resolve: asked for once, however many connections wait, and again afterwards', async () => {
  const unknown = Object.assign(new Error('no such name'), { code: 'EAI_AGAIN' });
  const asked: (() => void)[] = [];
  const connector = guardedConnector(1_000, (_hostname, _options, done) => {
    asked.push(() => done(unknown, []));
  });
  const begin = (): Promise<string> =>
    new Promise((resolve) => {
      const options = { hostname: 'legacy.test', host: 'legacy.test', protocol: 'http:', port: '80' };
      connector(options, (error, socket) => {
        resolve(error === null ? 'connected' : String((error as NodeJS.ErrnoException).code));
        socket?.destroy();
      });
    });
  const waiting = Array.from({ length: 32 }, begin);
  expect(asked.length).toBe(1);
  asked[0]!();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['EAI_AGAIN']));
  const later = begin();
  expect(asked.length).toBe(2);
  asked[1]!();
  expect(await later).toBe('EAI_AGAIN');
});

test('Retry-After: seconds or a date; anything else is no advice', () => {
  const now = Date.parse('Wed, 21 Oct 2015 07:28:00 GMT');
  expect(parseRetryAfter('120', now)).toBe(120_000);
  expect(parseRetryAfter('Wed, 21 Oct 2015 07:28:30 GMT', now)).toBe(30_000);
  expect(parseRetryAfter('Wednesday, 21-Oct-15 07:28:30 GMT', now)).toBe(30_000);
  for (const text of [
    '',
    '-1',
    '1.5',
    'soon',
    'tomorrow 2016',
    'Wed, 21 Oct 2015 07:27:00 GMT',
    'Infinity',
  ]) {
    expect(parseRetryAfter(text, now), text).toBe(0);
  }
});
