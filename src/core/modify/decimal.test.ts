/** Decimal numbers as text: what is read, what is refused, and sums that are exact. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToDecimal } from './decimal.ts';
import { asciiBytes } from './integer.ts';

function sum(value: string | undefined, delta: string): string {
  const added = addToDecimal(value === undefined ? undefined : asciiBytes(value), delta);
  return typeof added === 'string' ? added : added.text;
}

describe('adding', () => {
  test.each([
    ['0.1', '0.2', '0.3'],
    ['10.50', '0.1', '10.6'],
    ['5.0e3', '2.0e2', '5200'],
    ['3.0', '1.000', '4'],
    ['1000.1', '0.1', '1000.2'],
    [undefined, '.5', '0.5'],
    ['1', '-1', '0'],
    ['-0', '0', '0'],
    ['1', '-1.00000000000000000001', '0'],
    ['0', '1e-17', '0.00000000000000001'],
    ['0', '-1e-18', '0'],
    ['1', '5e-18', '1'],
    ['1', '15e-18', '1.00000000000000002'],
    ['-1', '-15e-18', '-1.00000000000000002'],
    ['100000000000000000000', '0.1', '100000000000000000000.1'],
    ['5.', '+5', '10'],
    ['0x10', '0x.8', '16.5'],
    ['0x1p-2', '-0X1P3', '-7.75'],
    ['007', '1E1', '17'],
  ])('%s and %s make %s', (value, delta, expected) => {
    expect(sum(value, delta)).toBe(expected);
  });

  test('a whole long double: all its digits are kept', () => {
    expect(sum('1e4932', '1')).toBe(`1${'0'.repeat(4931)}1`);
    expect(sum('1e-4950', '1e-4950')).toBe('0');
  });
});

describe('what is no number', () => {
  test.each([
    '',
    ' 1',
    '1 ',
    'a',
    '1e',
    'e1',
    '.',
    '-',
    '1.2.3',
    'nan',
    '-NaN',
    '0x',
    '0x.',
    '0xg',
    '1_000',
    '１',
  ])('%j is refused, as a value and as an increment', (text) => {
    expect(sum(text, '1')).toBe('not_a_number');
    expect(sum('1', text)).toBe('not_a_number');
  });

  test.each(['1e4933', '-1e4933', '1e-4960', '1e99999999999999999999', '0x1p99999999', '9'.repeat(5_120)])(
    'out of the range of a long double: refused as it is read (%#)',
    (text) => {
      expect(sum(text, '1')).toBe('not_a_number');
      expect(sum('1', text)).toBe('not_a_number');
    },
  );

  test('bytes that are no text, and NUL within a number', () => {
    expect(addToDecimal(new Uint8Array([0x31, 0, 0x31]), '1')).toBe('not_a_number');
    expect(addToDecimal(new Uint8Array([0xff, 0xfe]), '1')).toBe('not_a_number');
  });
});

test('a sum out of range, or an infinity: there is no such number', () => {
  expect(sum('1e4932', '1e4932')).toBe('number_overflow');
  for (const text of ['inf', '-inf', 'Infinity', '+INFINITY']) {
    expect(sum('1', text)).toBe('number_overflow');
    expect(sum(text, '1')).toBe('number_overflow');
  }
});

test('whatever is added is taken away again by its negation', () => {
  const digits = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  const number = fc.tuple(digits, fc.nat(17)).map(([whole, places]) => `${whole}e-${places}`);
  fc.assert(
    fc.property(number, number, (a, b) => {
      const there = sum(a, b);
      const negated = b.startsWith('-') ? b.slice(1) : `-${b}`;
      expect(sum(there, negated)).toBe(sum(a, '0'));
      expect(there).toMatch(/^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/);
      expect(sum(b, a)).toBe(there);
    }),
  );
});
