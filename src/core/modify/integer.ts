/** 64-bit integers stored as decimal text, parsed exactly as Redis parses them. */
import type { ErrorCode } from '../errors.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Redis's own form: no sign but minus, no leading zeros, no spaces. */
const INTEGER_PATTERN = /^(?:0|-?[1-9][0-9]{0,18})$/;
const TEXT_LENGTH_MAX = 20;

/** The current number plus `delta`, or why there is no such number; an absent value counts as 0. */
export function addToInteger(value: Uint8Array | undefined, delta: bigint): bigint | ErrorCode {
  const before = value === undefined ? 0n : parseInteger(value);
  if (before === undefined) return 'not_an_integer';
  const after = before + delta;
  return after > INT64_MAX || after < INT64_MIN ? 'integer_overflow' : after;
}

function parseInteger(value: Uint8Array): bigint | undefined {
  if (value.length === 0 || value.length > TEXT_LENGTH_MAX) return undefined;
  const text = textOf(value);
  if (!INTEGER_PATTERN.test(text)) return undefined;
  const number = BigInt(text);
  return number > INT64_MAX || number < INT64_MIN ? undefined : number;
}

/** For short values: each byte becomes one character. */
export function textOf(value: Uint8Array): string {
  return String.fromCharCode(...value);
}

export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
