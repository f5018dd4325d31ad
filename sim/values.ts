/**
 * What simulated clients and the legacy source put: numbers so far apart that a value tells which one it came of, even after
 * increments, and after a text was appended. By that number it has a content type, or none.
 */

const STEP_DIGITS = 15;
/**
 * Between two values put: far more than all increments of a run together, so that a value tells its put. Increments
 * are so large that hardly two sets of them have one sum.
 */
export const VALUE_STEP = 10n ** BigInt(STEP_DIGITS);

/** Of the put that the value came of; null: of none. */
export function putOf(value: string): number | null {
  let digits = 0;
  while (digits < value.length && isDigit(value.charCodeAt(digits))) digits += 1;
  // Asked for with every answer: what stands before the digits of the step is what a division would leave.
  const number = digits <= STEP_DIGITS ? 0 : Number(value.slice(0, digits - STEP_DIGITS));
  return number === 0 ? null : number;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** A value that was put, as text. */
export function textOf(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  return bytes.toString();
}

/** Every third has none, every third has one of its own. */
export function typeOf(value: string): string | null {
  const put = putOf(value);
  if (put === null || put % 3 === 0) return null;
  return put % 3 === 1 ? 'text/plain' : `application/x.put;number=${put}`;
}
