/**
 * The values that simulated clients and the legacy source put: numbers so far apart that a value shows which put it
 * came from, even after increments and appended text. The content type of a value, or that it has none, follows from
 * that number.
 */

const STEP_DIGITS = 15;
/**
 * The distance between two put values: far more than all increments of a run together, so that a value reveals its put.
 * Increments are so large that hardly two sets of them have the same sum.
 */
export const VALUE_STEP = 10n ** BigInt(STEP_DIGITS);

/** The number of the put that the value came from; null if it came from none. */
export function putOf(value: string): number | null {
  let digits = 0;
  while (digits < value.length && isDigit(value.charCodeAt(digits))) digits += 1;
  // Called for every answer: the digits before those of the step are what a division would leave.
  const number = digits <= STEP_DIGITS ? 0 : Number(value.slice(0, digits - STEP_DIGITS));
  return number === 0 ? null : number;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** A put value as text. */
export function textOf(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  return bytes.toString();
}

/** Every third value has none, and every third has one of its own. */
export function typeOf(value: string): string | null {
  const put = putOf(value);
  if (put === null || put % 3 === 0) return null;
  return put % 3 === 1 ? 'text/plain' : `application/x.put;number=${put}`;
}
