/** Decimal numbers as text: what is parsed, what is refused, and sums as an 80-bit long double gives them. */
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
    ['1000.1', '0.1', '1000.19999999999999996'],
    [undefined, '.5', '0.5'],
    ['1', '-1', '0'],
    ['-0', '0', '0'],
    ['1', '-1.00000000000000000001', '0'],
    ['0', '1e-17', '0.00000000000000001'],
    ['0', '-1e-18', '0'],
    ['1', '5e-18', '1'],
    ['1', '15e-18', '1.00000000000000001'],
    ['-1', '-15e-18', '-1.00000000000000001'],
    ['100000000000000000000', '0.1', '100000000000000000000'],
    ['9223372036854775807', '0.25', '9223372036854775807'],
    ['9223372036854775807', '0.5', '9223372036854775807.5'],
    ['18446744073709551615', '0.5', '18446744073709551616'],
    ['18446744073709551616', '1', '18446744073709551616'],
    ['18446744073709551616', '3', '18446744073709551620'],
    ['-18446744073709551616', '-3', '-18446744073709551620'],
    ['123456789.123456789', '1', '123456790.12345678899873747'],
    ['1e15', '0.1', '1000000000000000.0999755859375'],
    ['0.1', '3.0e3', '3000.10000000000000009'],
    ['17179869184', '0.1', '17179869184.09999999962747097'],
    ['5.', '+5', '10'],
    ['0x10', '0x.8', '16.5'],
    ['0x1p-2', '-0X1P3', '-7.75'],
    ['007', '1E1', '17'],
  ])('%s and %s make %s', (value, delta, expected) => {
    expect(sum(value, delta)).toBe(expected);
  });

  test('the largest and the smallest long doubles', () => {
    expect(sum('1e4932', '1')).toMatch(/^\d{4932,4933}$/);
    expect(sum('1e4932', '1')).toBe(sum('1e4932', '0'));
    expect(BigInt(sum('1e4932', '0')) / 10n ** 4912n).toBe(10n ** 20n);
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

  test.each([
    '1e4933',
    '-1e4933',
    '1e-4951',
    '-0x1p-16446',
    '1e-4960',
    '1e99999999999999999999',
    '0x1p99999999',
    '9'.repeat(5_120),
  ])('out of the range of a long double: refused as it is read (%#)', (text) => {
    expect(sum(text, '1')).toBe('not_a_number');
    expect(sum('1', text)).toBe('not_a_number');
  });

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

test('whole numbers of at most 62 bits: their exact sum', () => {
  const whole = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
  fc.assert(
    fc.property(whole, whole, (a, b) => {
      expect(sum(`${a}`, `${b}`)).toBe(`${a + b}`);
    }),
  );
});

test('either way round the same; off by no more than the last of 64 bits', () => {
  const digits = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  const number = fc.tuple(digits, fc.nat(17));
  const scaled = ([whole, places]: readonly [bigint, number]): bigint => whole * 10n ** BigInt(17 - places);
  fc.assert(
    fc.property(number, number, (a, b) => {
      const there = sum(`${a[0]}e-${a[1]}`, `${b[0]}e-${b[1]}`);
      expect(there).toMatch(/^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/);
      expect(sum(`${b[0]}e-${b[1]}`, `${a[0]}e-${a[1]}`)).toBe(there);
      const [whole, fraction = ''] = there.replace('-', '').split('.');
      const told = BigInt(whole! + fraction.padEnd(17, '0')) * (there.startsWith('-') ? -1n : 1n);
      const size = [scaled(a), scaled(b)].map((one) => (one < 0n ? -one : one));
      const slack = (size[0]! + size[1]!) / 2n ** 62n + 1n;
      const off = told - scaled(a) - scaled(b);
      expect(off <= slack && -off <= slack).toBe(true);
    }),
  );
});
