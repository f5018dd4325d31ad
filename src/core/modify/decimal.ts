/**
 * Decimal numbers kept as text, read, added and told as Redis does it: as a long double of 80 bits, which is what Redis has on
 * most machines, with at most 17 digits behind the point and no zeros at their end. The numbers are exact here and are brought to the
 * 64 significant bits of a long double after each step, so that every processor comes to the same digits.
 */
import type { ErrorCode } from '../errors.ts';
import { textOf } from './integer.ts';

/** `digits` divided by 10 to the power of `scale`, which is not below 0. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Characters: what Redis reads of a number. */
export const DECIMAL_LENGTH_MAX = 5_119;
const FRACTION_DIGITS = 17;
/** The largest long double of 80 bits, and a power of ten that is above it, and one below its smallest. */
const LARGEST = (2n ** 64n - 1n) * 2n ** 16320n;
const EXPONENT_MAX = 4_933;
const EXPONENT_MIN = -4_951;

const SIGNIFICANT_BITS = 64;
const SIGNIFICANT_LIMIT = 2n ** BigInt(SIGNIFICANT_BITS);
/** Of the smallest long double that is not 0. */
const BINARY_EXPONENT_MIN = -16_445;

const DECIMAL_PATTERN = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;
const HEXADECIMAL_PATTERN = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?$/;
const INFINITY_PATTERN = /^[+-]?inf(?:inity)?$/i;

/** What stands plus `delta`, as the text to store, or why there is no such number; what is absent counts as 0. */
export function addToDecimal(
  value: Uint8Array | undefined,
  delta: string,
): { readonly text: string } | ErrorCode {
  if (value !== undefined && value.length > DECIMAL_LENGTH_MAX) return 'not_a_number';
  const before = value === undefined ? { digits: 0n, scale: 0 } : parseDecimal(textOf(value));
  const added = parseDecimal(delta);
  if (before === undefined || added === undefined) return 'not_a_number';
  if (before === 'infinite' || added === 'infinite') return 'number_overflow';
  const scale = Math.max(before.scale, added.scale);
  const sum = toLongDouble({ digits: scaled(before, scale) + scaled(added, scale), scale });
  if (isTooLarge(sum)) return 'number_overflow';
  return { text: formatDecimal(sum.digits, sum.scale) };
}

function scaled({ digits, scale }: Decimal, to: number): bigint {
  return scale === to ? digits : digits * 10n ** BigInt(to - scale);
}

function isTooLarge({ digits, scale }: Decimal): boolean {
  const limit = scale === 0 ? LARGEST : LARGEST * 10n ** BigInt(scale);
  return digits > limit || digits < -limit;
}

function parseDecimal(text: string): Decimal | 'infinite' | undefined {
  if (text.length > DECIMAL_LENGTH_MAX) return undefined;
  const parts = DECIMAL_PATTERN.exec(text);
  if (parts !== null) return decimalOf(parts[1]!, parts[2]!, parts[3] ?? '', Number(parts[4] ?? 0));
  if (INFINITY_PATTERN.test(text)) return 'infinite';
  const hexadecimal = HEXADECIMAL_PATTERN.exec(text);
  if (hexadecimal === null) return undefined;
  const [, sign, whole, fraction, exponent] = hexadecimal;
  return hexadecimalOf(sign!, whole!, fraction ?? '', Number(exponent ?? 0));
}

function decimalOf(sign: string, whole: string, fraction: string, exponent: number): Decimal | undefined {
  if (whole.length + fraction.length === 0) return undefined;
  const significant = (whole + fraction).replace(/^0+/, '');
  if (significant === '') return { digits: 0n, scale: 0 };
  const scale = fraction.length - exponent;
  // Of numbers that are out of reach the powers would be endless.
  const magnitude = significant.length - scale;
  if (magnitude > EXPONENT_MAX || magnitude < EXPONENT_MIN) return undefined;
  return signed(sign, BigInt(significant), scale);
}

function hexadecimalOf(sign: string, whole: string, fraction: string, exponent: number): Decimal | undefined {
  if (whole.length + fraction.length === 0) return undefined;
  const significant = (whole + fraction).replace(/^0+/, '');
  if (significant === '') return { digits: 0n, scale: 0 };
  const shift = exponent - 4 * fraction.length;
  const magnitude = 4 * significant.length + shift;
  if (magnitude > 4 * EXPONENT_MAX || magnitude < 4 * EXPONENT_MIN) return undefined;
  const digits = BigInt(`0x${significant}`);
  if (shift >= 0) return signed(sign, digits * 2n ** BigInt(shift), 0);
  return signed(sign, digits * 5n ** BigInt(-shift), -shift);
}

function signed(sign: string, digits: bigint, scale: number): Decimal | undefined {
  const whole = scale < 0 ? digits * 10n ** BigInt(-scale) : digits;
  const decimal = toLongDouble({ digits: sign === '-' ? -whole : whole, scale: Math.max(scale, 0) });
  return isTooLarge(decimal) ? undefined : decimal;
}

/** The nearest number of 64 significant bits; of two that are equally near, the even one. */
function toLongDouble({ digits, scale }: Decimal): Decimal {
  if (digits === 0n) return { digits, scale: 0 };
  const size = digits < 0n ? -digits : digits;
  const unit = 10n ** BigInt(scale);
  // As many bits as are kept, or one more: which of both the first attempt shows.
  let exponent = bitLength(size) - bitLength(unit) - SIGNIFICANT_BITS;
  if (scale === 0 && exponent + 1 <= 0) return { digits, scale };
  exponent = Math.max(exponent, BINARY_EXPONENT_MIN);
  let bits = dividedBinary(size, unit, exponent);
  if (bits >= SIGNIFICANT_LIMIT) {
    exponent += 1;
    bits = dividedBinary(size, unit, exponent);
  }
  const rounded = digits < 0n ? -bits : bits;
  if (exponent >= 0) return { digits: rounded << BigInt(exponent), scale: 0 };
  // Half of something is five tenths of it.
  const halvings = bits === 0n ? -exponent : Math.min(-exponent, trailingZeros(bits));
  const halves = -exponent - halvings;
  return { digits: (rounded >> BigInt(halvings)) * 5n ** BigInt(halves), scale: halves };
}

/** Divided by `unit` and by two to the power of `exponent`. */
function dividedBinary(size: bigint, unit: bigint, exponent: number): bigint {
  if (exponent >= 0) return dividedToEven(size, unit << BigInt(exponent));
  return dividedToEven(size << BigInt(-exponent), unit);
}

function bitLength(number: bigint): number {
  return number.toString(2).length;
}

function trailingZeros(number: bigint): number {
  return number.toString(2).length - number.toString(2).lastIndexOf('1') - 1;
}

function formatDecimal(digits: bigint, scale: number): string {
  const rounded =
    scale > FRACTION_DIGITS ? dividedToEven(digits, 10n ** BigInt(scale - FRACTION_DIGITS)) : digits;
  if (rounded === 0n) return '0';
  const places = Math.min(scale, FRACTION_DIGITS);
  const sign = rounded < 0n ? '-' : '';
  const text = (rounded < 0n ? -rounded : rounded).toString().padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  const fraction = text.slice(text.length - places).replace(/0+$/, '');
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** The nearest whole number; of two that are equally near, the even one. */
function dividedToEven(digits: bigint, by: bigint): bigint {
  const quotient = digits / by;
  const rest = digits % by;
  const twice = 2n * (rest < 0n ? -rest : rest);
  if (twice < by || (twice === by && quotient % 2n === 0n)) return quotient;
  return digits < 0n ? quotient - 1n : quotient + 1n;
}
