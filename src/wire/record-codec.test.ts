/** A record that is kept holds no more memory than its own bytes. */
import { describe, expect, test } from 'vitest';
import { ORIGIN_CLIENT } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { openRecord, sealRecord, withOwnBytes } from './record-codec.ts';

const frame = new Uint8Array(1024 * 1024).fill(7);

function record(operationId: Uint8Array | null = null): KeyRecord {
  return {
    key: 'kept',
    version: 8193,
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: frame.subarray(100, 200),
    createdAt: 1,
    updatedAt: 2,
    expiresAt: 3,
    operationId,
  };
}

describe('a record with bytes of its own', () => {
  test('sealed here from a client message: its value no longer holds the message', () => {
    const kept = withOwnBytes(sealRecord(record()));
    expect(kept.record.value.buffer.byteLength).toBeLessThan(1_000);
    expect(openRecord(kept.bytes)).toEqual(kept);
  });

  test('cut out of a frame, with an operation id: nothing of it is a view into the frame', () => {
    const { bytes } = sealRecord(record(new Uint8Array(16).fill(9)));
    frame.set(bytes, 500);
    const cut = openRecord(Buffer.from(frame.buffer, 500, bytes.length))!;
    const kept = withOwnBytes(cut);
    frame.fill(0, 500, 500 + bytes.length);
    for (const part of [kept.bytes, kept.record.value, kept.record.operationId!]) {
      expect(part.buffer.byteLength).toBeLessThan(1_000);
    }
    expect(kept.record.operationId).toEqual(new Uint8Array(16).fill(9));
    expect(openRecord(kept.bytes)?.record.value).toEqual(Buffer.from(new Uint8Array(100).fill(7)));
  });

  test('already so: it is not copied again', () => {
    const kept = withOwnBytes(sealRecord(record()));
    expect(withOwnBytes(kept)).toBe(kept);
  });
});
