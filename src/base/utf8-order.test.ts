/** The order of keys as in the store and in PostgreSQL, compared with the order of their bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareUtf8 } from './utf8-order.ts';

test('any two texts: their order is that of their UTF-8 bytes', () => {
  const text = fc.string({
    unit: fc.constantFrom('', 'a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '🜁'),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('a character beyond U+FFFF: sorts above U+FFFF, unlike in JavaScript', () => {
  expect('😀' < '\uffff').toBe(true);
  expect(compareUtf8('😀', '\uffff')).toBeGreaterThan(0);
});
