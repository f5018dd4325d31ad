/**
 * The checker of content types notices a wrong, a lost and a foreign type; a type that nobody had to keep may be
 * missing.
 */
import { expect, test } from 'vitest';
import { typeOf, VALUE_STEP } from '../values.ts';
import { ContentTypes } from './content-types.ts';

const valueOf = (put: bigint, more = 0n): string => String(put * VALUE_STEP + more);

function told(value: string, contentType: string | null, isKept = true): string[] {
  const violations: string[] = [];
  const types = new ContentTypes((text) => violations.push(text));
  types.began(value, isKept);
  types.saw({ key: 'k', value: Buffer.from(value), contentType });
  return violations;
}

test('a value tells its put, and so its content type, after increments and appended text, too', () => {
  expect([1n, 2n, 3n].map((put) => typeOf(valueOf(put)))).toEqual([
    'text/plain',
    'application/x.put;number=2',
    null,
  ]);
  expect(typeOf(valueOf(2n, 77n))).toBe('application/x.put;number=2');
  expect(typeOf(`${valueOf(2n)}+12`)).toBe('application/x.put;number=2');
  expect([typeOf('+12'), typeOf('4711')]).toEqual([null, null]);
});

test.each([
  ['as it was put', valueOf(2n), 'application/x.put;number=2', 0],
  ['forgotten', valueOf(2n), null, 1],
  ['of another value', valueOf(2n), 'application/x.put;number=5', 1],
  ['where there was none', valueOf(3n), 'text/plain', 1],
])('told %s: seen', (_what, value, contentType, count) => {
  expect(told(value, contentType)).toHaveLength(count);
});

test('put while a member spoke an earlier version: it may be missing, and nothing else', () => {
  expect(told(valueOf(1n), null, false)).toEqual([]);
  expect(told(valueOf(1n), 'text/html', false)).toHaveLength(1);
});

test('put once before and once after: it may be missing', () => {
  const violations: string[] = [];
  const types = new ContentTypes((text) => violations.push(text));
  for (const isKept of [false, true]) types.began(valueOf(1n), isKept);
  types.saw({ key: 'k', value: Buffer.from(valueOf(1n)), contentType: null });
  expect(violations).toEqual([]);
});
