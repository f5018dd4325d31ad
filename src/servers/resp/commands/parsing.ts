/** Argument parsing shared by many commands: keys, times and ranges, with the error texts of Redis. */
import type { Arguments } from '../arguments.ts';

const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
/** The latest time that is an exact number; anything beyond it is refused as too late. */
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

export function keyError(args: Arguments, at: number): string {
  return `ERR invalid_argument: ${args.keyFaultAt(at)}`;
}

/** The default number of databases of Redis. A Redis Cluster has only the first one, and so does this door. */
const DATABASES = 16n;

export function noDatabase(database: bigint, what: string): string {
  if (database > INT32_MAX || database < -INT32_MAX - 1n)
    return `ERR value is out of range, value must between ${-INT32_MAX - 1n} and ${INT32_MAX}`;
  if (database < 0n || database >= DATABASES) return 'ERR DB index is out of range';
  return `ERR ${what} not allowed in cluster mode`;
}

/** EX and EXAT count in seconds, PX and PXAT in milliseconds; the forms without AT count from now. */
export interface TimeForm {
  readonly unit: 1 | 1000;
  readonly isRelative: boolean;
}

export const TIME_FORMS: Readonly<Record<string, TimeForm>> = {
  EX: { unit: 1000, isRelative: true },
  PX: { unit: 1, isRelative: true },
  EXAT: { unit: 1000, isRelative: false },
  PXAT: { unit: 1, isRelative: false },
};

/**
 * Milliseconds since 1970, not below 0, or the text of an error. `mayBePast`: a time in the past, or a negative one,
 * means that the key is deleted.
 */
export function expiryOf(
  args: Arguments,
  at: number,
  { unit, isRelative }: TimeForm,
  mayBePast: boolean,
  command: string,
): number | string {
  const value = args.integer(at);
  if (value === undefined) return 'ERR value is not an integer or out of range';
  const invalid = `ERR invalid expire time in '${command}' command`;
  if (!mayBePast && value <= 0n) return invalid;
  const inMs = value * BigInt(unit);
  if (inMs > INT64_MAX || inMs < -INT64_MAX - 1n) return invalid;
  const moment = isRelative ? inMs + BigInt(Date.now()) : inMs;
  if (moment > INT64_MAX) return invalid;
  if (moment < 0n) return 0;
  return Number(moment > SAFE_MAX ? SAFE_MAX : moment);
}

/** Start and end as in GETRANGE: negative ones count from the end, and both are included. */
export function sliceOf(value: Uint8Array, start: bigint, end: bigint): Uint8Array {
  const length = BigInt(value.length);
  if (start < 0n && end < 0n && start > end) return value.subarray(0, 0);
  const from = start < 0n ? (start + length < 0n ? 0n : start + length) : start;
  const last = end < 0n ? (end + length < 0n ? 0n : end + length) : end;
  const to = last >= length ? length - 1n : last;
  if (length === 0n || from > to) return value.subarray(0, 0);
  return value.subarray(Number(from), Number(to) + 1);
}
