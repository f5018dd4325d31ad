/** The number formats of the page, where they switch units. */
import { expect, test } from 'vitest';
import { bytes, counted, duration, listed, milliseconds, percent, short } from './format.ts';

test.each([
  [short(0), '0'],
  [short(9_999), '9,999'],
  [short(12_345), '12.3 k'],
  [short(999_600), '1.00 M'],
  [short(4_560_000), '4.56 M'],
  [bytes(0), '0 B'],
  [bytes(1_023), '1.00 KiB'],
  [bytes(52_428_800), '50.0 MiB'],
  [milliseconds(0.417), '0.42 ms'],
  [milliseconds(4.44), '4.4 ms'],
  [milliseconds(123.4), '123 ms'],
  [milliseconds(1_200), '1.20 s'],
  [duration(4.2), '4 s'],
  [duration(200), '3 min'],
  [duration(7_500), '2 h 5 min'],
  [duration(4 * 86_400), '4 days'],
])('%s is written %s', (written, wanted) => expect(written).toBe(wanted));

test('a share: all and nothing are said only where it is all or nothing', () => {
  expect([0, 0.0001, 0.4, 0.9999, 1].map(percent)).toEqual(['0 %', '1 %', '40 %', '99 %', '100 %']);
});

test('lists and counts read as sentences, and long lists end', () => {
  expect(listed(['a'])).toBe('a');
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c');
  expect(listed(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d and 2 more');
  expect(counted(1, 'slot')).toBe('1 slot');
  expect(counted(16_384, 'slot')).toBe('16,384 slots');
});
