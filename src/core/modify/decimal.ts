/**
 * Decimal numbers stored as text, and parsed, added and printed as Redis does: as an 80-bit long double, which Redis
 * has on most machines, with at most 17 digits after the point and no trailing zeros. Numbers are represented as that
 * long double represents them, with 64 significant bits and a power of two. So every processor computes the same
 * digits, and the cost of a number grows with its exponent no more than with its text.
 */
import type { ErrorCode } from '../errors.ts';
import { textOf } from './integer.ts';

/** `bits` times two to the power of `exponent`; at most 64 bits, or a one followed by 64 zeros. */
interface LongDouble {
  readonly bits: bigint;
  readonly exponent: number;
}

/** Characters: as many as Redis reads of a number. */
export const DECIMAL_LENGTH_MAX = 5_119;
const FRACTION_DIGITS = 17;
const FRACTION_UNIT = 10n ** BigInt(FRACTION_DIGITS);
/** A power of ten above the largest 80-bit long double, and one below the smallest. */
const EXPONENT_MAX = 4_933;
const EXPONENT_MIN = -4_951;

const SIGNIFICANT_BITS = 64;
const SIGNIFICANT_LIMIT = 2n ** BigInt(SIGNIFICANT_BITS);
/** The exponent of the smallest long double that is not 0; and the first power of two above the largest. */
const BINARY_EXPONENT_MIN = -16_445;
const BINARY_EXPONENT_LIMIT = 16_384;

const ZERO: LongDouble = { bits: 0n, exponent: 0 };

const DECIMAL_PATTERN = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;
const HEXADECIMAL_PATTERN = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?$/;
const EXPONENT_PATTERN = /[eEpP][+-]?([0-9]+)$/;
const INFINITY_PATTERN = /^[+-]?inf(?:inity)?$/i;

/**
 * The current number plus `delta`, as the text to store, or why there is no such number; an absent value counts as 0.
 */
export function addToDecimal(
  value: Uint8Array | undefined,
  delta: string,
): { readonly text: string } | ErrorCode {
  if (value !== undefined && value.length > DECIMAL_LENGTH_MAX) return 'not_a_number';
  const before = value === undefined ? ZERO : parseDecimal(textOf(value));
  const added = parseDecimal(delta);
  if (before === undefined || added === undefined) return 'not_a_number';
  if (before === 'infinite' || added === 'infinite') return 'number_overflow';
  const exponent = Math.min(before.exponent, added.exponent);
  const sum = rounded(aligned(before, exponent) + aligned(added, exponent), exponent);
  if (isTooLarge(sum)) return 'number_overflow';
  return { text: formatDecimal(sum) };
}

/** About how many digits parsing has to process: those written, and those that the exponent stands for. */
export function digitsToRead(text: string): number {
  const exponent = EXPONENT_PATTERN.exec(text)?.[1] ?? '0';
  return text.length + Math.min(Number(exponent), DECIMAL_LENGTH_MAX);
}

function aligned({ bits, exponent }: LongDouble, to: number): bigint {
  return bits << BigInt(exponent - to);
}

function isTooLarge({ bits, exponent }: LongDouble): boolean {
  return bits !== 0n && bitLength(bits) + exponent > BINARY_EXPONENT_LIMIT;
}

function parseDecimal(text: string): LongDouble | 'infinite' | undefined {
  if (text.length > DECIMAL_LENGTH_MAX) return undefined;
  const parts = DECIMAL_PATTERN.exec(text);
  if (parts !== null) return decimalOf(parts[1]!, parts[2]!, parts[3] ?? '', Number(parts[4] ?? 0));
  if (INFINITY_PATTERN.test(text)) return 'infinite';
  const hexadecimal = HEXADECIMAL_PATTERN.exec(text);
  if (hexadecimal === null) return undefined;
  const [, sign, whole, fraction, exponent] = hexadecimal;
  return hexadecimalOf(sign!, whole!, fraction ?? '', Number(exponent ?? 0));
}

function decimalOf(sign: string, whole: string, fraction: string, exponent: number): LongDouble | undefined {
  if (whole.length + fraction.length === 0) return undefined;
  const significant = (whole + fraction).replace(/^0+/, '');
  if (significant === '') return ZERO;
  const scale = fraction.length - exponent;
  // For numbers out of range the powers would be enormous.
  const magnitude = significant.length - scale;
  if (magnitude > EXPONENT_MAX || magnitude < EXPONENT_MIN) return undefined;
  const digits = BigInt(sign + significant);
  if (scale > 0) return withinReach(divided(digits, scale));
  return withinReach(rounded(digits * 10n ** BigInt(-scale), 0));
}

function hexadecimalOf(
  sign: string,
  whole: string,
  fraction: string,
  exponent: number,
): LongDouble | undefined {
  if (whole.length + fraction.length === 0) return undefined;
  const significant = (whole + fraction).replace(/^0+/, '');
  if (significant === '') return ZERO;
  const shift = exponent - 4 * fraction.length;
  const magnitude = 4 * significant.length + shift;
  if (magnitude > 4 * EXPONENT_MAX || magnitude < 4 * EXPONENT_MIN) return undefined;
  const digits = BigInt(`0x${significant}`);
  return withinReach(rounded(sign === '-' ? -digits : digits, shift));
}

/** For a number that is not 0: undefined if it is too large or, as in Redis, rounds to 0. */
function withinReach(number: LongDouble): LongDouble | undefined {
  return number.bits === 0n || isTooLarge(number) ? undefined : number;
}

/** The nearest number with 64 significant bits; of two equally near, the even one. */
function rounded(bits: bigint, exponent: number): LongDouble {
  if (bits === 0n) return ZERO;
  const surplus = Math.max(bitLength(bits) - SIGNIFICANT_BITS, BINARY_EXPONENT_MIN - exponent);
  if (surplus <= 0) return { bits, exponent };
  return { bits: halvedToEven(bits, surplus), exponent: exponent + surplus };
}

/** The same for `digits` divided by ten to the power of `scale`. */
function divided(digits: bigint, scale: number): LongDouble {
  const unit = 10n ** BigInt(scale);
  // The quotient has as many bits as are kept, or one more; the first attempt shows which.
  let exponent = Math.max(bitLength(digits) - bitLength(unit) - SIGNIFICANT_BITS, BINARY_EXPONENT_MIN);
  let bits = dividedBinary(digits, unit, exponent);
  if (bits >= SIGNIFICANT_LIMIT || bits <= -SIGNIFICANT_LIMIT) {
    exponent += 1;
    bits = dividedBinary(digits, unit, exponent);
  }
  return { bits, exponent };
}

/** The quotient by `unit` and by two to the power of `exponent`. */
function dividedBinary(digits: bigint, unit: bigint, exponent: number): bigint {
  if (exponent >= 0) return dividedToEven(digits, unit << BigInt(exponent));
  return dividedToEven(digits << BigInt(-exponent), unit);
}

/** The length of the number without its sign. */
function bitLength(number: bigint): number {
  const text = (number < 0n ? -number : number).toString(16);
  return 4 * text.length - (Math.clz32(parseInt(text[0]!, 16)) - 28);
}

/** Divides by two to the power of `times` and rounds to the nearest integer; of two equally near, to the even one. */
function halvedToEven(bits: bigint, times: number): bigint {
  const quotient = bits >> BigInt(times);
  const twice = (bits - (quotient << BigInt(times))) << 1n;
  const unit = 1n << BigInt(times);
  return twice < unit || (twice === unit && quotient % 2n === 0n) ? quotient : quotient + 1n;
}

function formatDecimal({ bits, exponent }: LongDouble): string {
  if (exponent >= 0) return (bits << BigInt(exponent)).toString();
  const fractions = halvedToEven(bits * FRACTION_UNIT, -exponent);
  if (fractions === 0n) return '0';
  const sign = fractions < 0n ? '-' : '';
  const text = (fractions < 0n ? -fractions : fractions).toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = text.slice(0, text.length - FRACTION_DIGITS);
  const fraction = text.slice(text.length - FRACTION_DIGITS).replace(/0+$/, '');
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** Divides and rounds to the nearest integer; of two equally near, to the even one. */
function dividedToEven(digits: bigint, by: bigint): bigint {
  const quotient = digits / by;
  const rest = digits % by;
  const twice = 2n * (rest < 0n ? -rest : rest);
  if (twice < by || (twice === by && quotient % 2n === 0n)) return quotient;
  return digits < 0n ? quotient - 1n : quotient + 1n;
}
