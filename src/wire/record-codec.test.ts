/** A record opened from memory is the one that was sealed, and a damaged one from outside is noticed. */
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { ORIGIN_LEGACY } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { openKept, openRecord, recordKept, sealRecord } from './record-codec.ts';

function record(operationId: Uint8Array | null = null, contentType: string | null = null): KeyRecord {
  return {
    key: 'kept ü',
    version: 8193,
    origin: ORIGIN_LEGACY,
    tombstone: false,
    value: Buffer.from('some value'),
    createdAt: 1,
    updatedAt: 2_000_000_000_000,
    expiresAt: 3,
    operationId,
    contentType,
  };
}

test.each([
  [null, null],
  [Buffer.alloc(16, 9), null],
  [null, 'text/plain'],
  [Buffer.alloc(16, 9), `x/${'y'.repeat(253)}`],
])('with operation id %o and content type %o: kept and opened it is what was sealed', (id, type) => {
  const sealed = sealRecord(record(id, type));
  const bytes = Buffer.from(sealed.bytes);
  expect(openRecord(bytes)).toEqual({ record: record(id, type), bytes, checksum: sealed.checksum });
  expect(openKept(bytes, 'kept ü')).toEqual(openRecord(bytes));
  const among = Buffer.concat([Buffer.alloc(7, 255), bytes, Buffer.alloc(5, 255)]);
  const view = new DataView(among.buffer, among.byteOffset, among.length);
  expect(recordKept(among, view, 7, 7 + bytes.length, 'kept ü')).toEqual(record(id, type));
});

test.each(['', 'short', 'x'.repeat(64), 'x'.repeat(65), `${'x'.repeat(63)}ü`, 'ü'.repeat(64), '\u{1f600}'])(
  'a record under the key %o: its key stands in it as UTF-8',
  (key) => {
    const { bytes } = sealRecord({ ...record(), key });
    const keyBytes = Buffer.byteLength(key);
    expect(Buffer.from(bytes).readUInt16LE(6)).toBe(keyBytes);
    expect(Buffer.from(bytes).toString('utf8', 40, 40 + keyBytes)).toBe(key);
    expect(openRecord(bytes)?.record.key).toBe(key);
  },
);

test('a record without a content type is what it was before there were any, byte for byte', () => {
  const { key, version, origin, value, createdAt, updatedAt, expiresAt } = record();
  const head = Buffer.alloc(40);
  head.set([1, origin << 2, Buffer.byteLength(key)], 4);
  for (const [index, number] of [version, createdAt, updatedAt, expiresAt].entries())
    head.writeDoubleLE(number, 8 + 8 * index);
  const bytes = Buffer.concat([head, Buffer.from(key), value]);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  expect(Buffer.from(sealRecord(record()).bytes)).toEqual(bytes);
});

test.each([
  ['longer than the record', Buffer.from([200, 0x61, 0x2f, 0x62])],
  ['without a character', Buffer.from([0, 0x61, 0x2f, 0x62])],
  ['with a line break', Buffer.from([4, 0x61, 0x2f, 0x0a, 0x62])],
  ['with bytes beyond ASCII', Buffer.from([4, 0x61, 0x2f, 0xc3, 0xa4])],
])('a content type %s: the record is not opened', (_what, typed) => {
  const sealed = sealRecord({ ...record(null, 'a/b'), value: Buffer.alloc(0) });
  const bytes = Buffer.concat([sealed.bytes.subarray(0, sealed.bytes.length - 4), typed]);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  expect(openRecord(bytes)).toBeUndefined();
});

test.each([null, 'text/plain'])(
  'of content type %o, with any one bit turned over: it is not opened',
  (type) => {
    const { bytes } = sealRecord(record(null, type));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(openRecord(damaged)).toBeUndefined();
    }
  },
);
