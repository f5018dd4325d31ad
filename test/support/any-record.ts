/** Records as a property test generates them, and the fields that other things share with them. */
import fc from 'fast-check';
import type { KeyRecord } from '../../src/core/record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';

export const whole = fc.maxSafeNat();
export const text = fc.string({ unit: 'binary', maxLength: 80 });
export const bytes = fc.uint8Array({ maxLength: 120 });
export const operationId = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }));
export const contentType = fc.option(
  fc.constantFrom('text/plain', 'application/json; charset=utf-8', 'a/b;c="d\\"e"', `x/${'y'.repeat(253)}`),
);
export const record: fc.Arbitrary<KeyRecord> = fc.record({
  key: text,
  version: whole,
  origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
  tombstone: fc.boolean(),
  value: bytes,
  createdAt: whole,
  updatedAt: whole,
  expiresAt: whole,
  operationId,
  contentType,
});
export const sealed = record.map(sealRecord);
