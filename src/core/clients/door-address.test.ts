/** Which addresses a process announces for its doors, depending on where they listen and where its peers reach it. */
import { describe, expect, test } from 'vitest';
import { advertised, isDoorAddress } from './door-address.ts';

const door = { port: 6379, told: undefined, memberAddress: '10.0.0.5:50051' };

describe('the address of a door', () => {
  test('that listens everywhere is the host that peers reach, with its own port', () => {
    expect(advertised({ ...door, host: '0.0.0.0' })).toBe('10.0.0.5:6379');
    const pod = 'causeway-0.causeway-peers.default.svc:50051';
    expect(advertised({ ...door, host: '::', memberAddress: pod })).toBe(
      'causeway-0.causeway-peers.default.svc:6379',
    );
    expect(advertised({ ...door, host: '::', memberAddress: '[fd00::5]:50051' })).toBe('[fd00::5]:6379');
  });

  test('that listens at one address is that one', () => {
    expect(advertised({ ...door, host: '192.168.1.5' })).toBe('192.168.1.5:6379');
    expect(advertised({ ...door, host: 'fd00::5' })).toBe('[fd00::5]:6379');
  });

  test('that only its own machine reaches is told where the members are on it, too', () => {
    expect(advertised({ ...door, host: '127.0.0.1' })).toBe('');
    expect(advertised({ ...door, host: 'localhost' })).toBe('');
    expect(advertised({ ...door, host: '127.0.0.1', memberAddress: '127.0.0.1:50051' })).toBe(
      '127.0.0.1:6379',
    );
    expect(advertised({ ...door, host: '::1', memberAddress: '[::1]:50051' })).toBe('[::1]:6379');
  });

  test('is whatever the operator says', () => {
    expect(advertised({ ...door, host: '127.0.0.1', told: 'cache.example:7000' })).toBe('cache.example:7000');
  });
});

test('an address is host and port, and not longer than a name of the network', () => {
  for (const good of ['a:1', '127.0.0.1:65535', '[::1]:7001']) expect(isDoorAddress(good)).toBe(true);
  for (const bad of ['', 'a', 'a:0', 'a:65536', '::1:7001', 'a b:1', `${'a'.repeat(300)}:1`])
    expect(isDoorAddress(bad)).toBe(false);
});
