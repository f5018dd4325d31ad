/** A record opened from memory is the one that was sealed, and a damaged one is noticed where it came from outside. */
import { expect, test } from 'vitest';
import { ORIGIN_LEGACY } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { openKept, openRecord, recordKept, sealRecord } from './record-codec.ts';

function record(operationId: Uint8Array | null = null): KeyRecord {
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
  };
}

test.each([null, Buffer.alloc(16, 9)])(
  'with operation id %o: kept and opened it is what was sealed',
  (id) => {
    const sealed = sealRecord(record(id));
    const bytes = Buffer.from(sealed.bytes);
    expect(openRecord(bytes)).toEqual({ record: record(id), bytes, checksum: sealed.checksum });
    expect(openKept(bytes, 'kept ü')).toEqual(openRecord(bytes));
    const among = Buffer.concat([Buffer.alloc(7, 255), bytes, Buffer.alloc(5, 255)]);
    const view = new DataView(among.buffer, among.byteOffset, among.length);
    expect(recordKept(among, view, 7, 7 + bytes.length, 'kept ü')).toEqual(record(id));
  },
);

test('with any one bit turned over: it is not opened', () => {
  const { bytes } = sealRecord(record());
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(openRecord(damaged)).toBeUndefined();
  }
});
