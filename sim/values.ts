/**
 * What simulated clients and the legacy source put: numbers so far apart that a value tells which one it came of, even after
 * increments, and after a text was appended. By that number it has a content type, or none.
 */

/**
 * Between two values put: far more than all increments of a run together, so that a value tells its put. Increments
 * are so large that hardly two sets of them have one sum.
 */
export const VALUE_STEP = 10n ** 15n;

/** Of the put that the value came of; null: of none. */
export function putOf(value: string): number | null {
  const digits = /^\d+/.exec(value);
  const number = digits === null ? 0 : Number(BigInt(digits[0]) / VALUE_STEP);
  return number === 0 ? null : number;
}

/** Every third has none, every third has one of its own. */
export function typeOf(value: string): string | null {
  const put = putOf(value);
  if (put === null || put % 3 === 0) return null;
  return put % 3 === 1 ? 'text/plain' : `application/x.put;number=${put}`;
}
