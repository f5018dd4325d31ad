/** Which keys are valid, compared with a second implementation: the round trip through UTF-8. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyFault, operationIdFault, ttlFault, valueFault } from './check-key.ts';
import { KEY_BYTES_MAX, TTL_MS_MAX } from '../limits.ts';

/** The same rule by other means: a round trip through bytes. */
function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'utf8');
  return (
    bytes.length >= 1 && bytes.length <= KEY_BYTES_MAX && !text.includes('\0') && bytes.toString() === text
  );
}

describe('a key', () => {
  test('any string: allowed exactly when its UTF-8 is short enough, faithful and free of NUL', () => {
    const anyString = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
        .map((units) => String.fromCharCode(...units)),
      fc.integer({ min: 330, max: 350 }).map((length) => '€'.repeat(length)),
      fc.integer({ min: 250, max: 260 }).map((length) => '😀'.repeat(length)),
    );
    fc.assert(
      fc.property(anyString, (text) => {
        expect(keyFault(text) === undefined).toBe(isKey(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['', 'empty'],
    ['a\0b', 'NUL'],
    ['a\ud800', 'Unicode'],
    ['\udc00a', 'Unicode'],
    ['\ud800\ud800', 'Unicode'],
    ['x'.repeat(KEY_BYTES_MAX + 1), '1024 bytes'],
    ['ü'.repeat(KEY_BYTES_MAX / 2) + 'x', '1024 bytes'],
  ])('a key that breaks a rule: the fault names it (%#)', (key, word) => {
    expect(keyFault(key)).toContain(word);
  });

  test('a key of exactly the limit, a replacement character, a byte order mark: allowed', () => {
    expect(keyFault('x'.repeat(KEY_BYTES_MAX))).toBeUndefined();
    expect(keyFault('\ufffd')).toBeUndefined();
    expect(keyFault('\ufeffkey')).toBeUndefined();
  });
});

test('values, times to live and operation ids: refused beyond their limits, allowed up to them', () => {
  expect(valueFault(10, 10)).toBeUndefined();
  expect(valueFault(11, 10)).toContain('limit of 10');
  expect([0, 1, TTL_MS_MAX].map(ttlFault)).toEqual([undefined, undefined, undefined]);
  for (const ttl of [-1, 0.5, NaN, TTL_MS_MAX + 1, 2 ** 63]) expect(ttlFault(ttl)).toContain('time to live');
  expect([0, 16].map(operationIdFault)).toEqual([undefined, undefined]);
  for (const bytes of [1, 15, 17]) expect(operationIdFault(bytes)).toContain('operation id');
});
