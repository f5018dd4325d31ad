/** Slots of keys against Redis's own answers and against a plain CRC over encoded bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slotOf, slotOfBytes } from './slots.ts';

/** The definition, bit by bit over bytes, with the tag cut out by hand. */
function slotByDefinition(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed, 'utf8')) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % 16384;
}

describe('slot of a key', () => {
  test.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['bar', 5061],
    ['hello', 866],
    ['somekey', 11058],
    ['foo{hash_tag}', 2515],
    ['bar{hash_tag}', 2515],
    ['', 0],
  ])('%j as CLUSTER KEYSLOT answers: %d', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  test('two keys with the same tag: the same slot', () => {
    expect(slotOf('{user1000}.following')).toBe(slotOf('{user1000}.followers'));
    expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'));
  });

  test('an empty tag: the whole key counts, also when another tag follows', () => {
    expect(slotOf('foo{}{bar}')).toBe(slotByDefinition('foo{}{bar}'));
    expect(slotOf('foo{}{bar}')).not.toBe(slotOf('bar'));
  });

  test('braces in braces: from the first opening to the first closing one', () => {
    expect(slotOf('foo{{bar}}zap')).toBe(slotOf('{bar'));
    expect(slotOf('foo{bar}{zap}')).toBe(slotOf('bar'));
  });

  test('an opening brace that is never closed, or closed before it opens: the whole key counts', () => {
    for (const key of ['foo{bar', '}foo{', 'foo}bar{zap']) expect(slotOf(key)).toBe(slotByDefinition(key));
  });

  test('any text, with tags, beyond ASCII and with lone surrogates: the definition over its UTF-8 bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom('{', '}', 'ä', '€', '😀', '\ud83d', '\ude00', '\u0000', '\u07ff', '\u0800', '\uffff'),
      fc.string({ maxLength: 4 }),
      fc.string({ maxLength: 4, unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const key = pieces.join('');
        expect(slotOf(key)).toBe(slotByDefinition(key));
        expect(slotOfBytes(Buffer.from(key))).toBe(slotOf(key));
      }),
      { numRuns: 2000 },
    );
  });
});
