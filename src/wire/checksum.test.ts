/** The checksum of short input is computed here and that of long input by zlib: both must be the same. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksumOf } from './checksum.ts';

test('any bytes, from any place to any other: the checksum is the one that zlib computes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 340 }),
    fc.uint8Array({ minLength: 300, maxLength: 700 }),
  );
  fc.assert(
    fc.property(bytes, fc.nat(12), fc.nat(12), fc.nat(0xffffffff), (any, from, spare, before) => {
      const buffer = Buffer.from(any);
      const start = Math.min(from, buffer.length);
      const end = Math.max(start, buffer.length - spare);
      expect(checksumOf(buffer, start, end)).toBe(crc32(buffer.subarray(start, end)));
      // For empty input, zlib's function forgets the previous checksum.
      const onward = start === end ? before : crc32(buffer.subarray(start, end), before);
      expect(checksumOf(buffer, start, end, before)).toBe(onward);
    }),
    { numRuns: 2_000 },
  );
});

test('one bit is flipped in short bytes: the checksum is another', () => {
  const buffer = Buffer.from('a record');
  const before = checksumOf(buffer, 4, buffer.length);
  for (let bit = 0; bit < (buffer.length - 4) * 8; bit += 1) {
    const damaged = Buffer.from(buffer);
    damaged[4 + (bit >> 3)]! ^= 1 << (bit & 7);
    expect(checksumOf(damaged, 4, damaged.length)).not.toBe(before);
  }
});
