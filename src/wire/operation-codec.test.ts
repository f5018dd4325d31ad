/** Operations with an id on disk: on their own, and in in-flight entries. */
import { expect, test } from 'vitest';
import type { KnownOperation } from '../core/operation-id.ts';
import { ORIGIN_CLIENT } from '../core/record.ts';
import {
  decodeKnown,
  encodeKnown,
  operationKey,
  operationKeyAfter,
  splitOperationKey,
} from './operation-codec.ts';
import { sealRecord } from './record-codec.ts';
import { decodeInFlight, encodeInFlight } from './store-codec.ts';
import type { InFlightWrite } from './store-codec.ts';

const ID = Uint8Array.from({ length: 16 }, (_, at) => at * 15);
const INCREMENT: KnownOperation = { kind: 'increment', version: 2 ** 53 - 1, number: -(2n ** 63n) };
const WRITE: InFlightWrite = {
  key: 'schlüssel',
  slot: 16_383,
  version: 12_345,
  conditional: true,
  recorded: false,
  coordinator: { id: 7, incarnation: 99 },
  base: 8_192,
  operations: [
    { id: ID, kind: 'increment', number: 5n },
    { id: ID.toReversed(), kind: 'compareAndDelete', number: null },
  ],
};

/** The in-flight entry of writes that leave these behind. */
function entryOf(writes: readonly InFlightWrite[]): Uint8Array {
  const content = {
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: Buffer.from('v'),
    operationId: null,
    contentType: null,
  } as const;
  const times = { createdAt: 0, updatedAt: 0, expiresAt: 0 };
  return encodeInFlight(
    writes.map(({ key, version, ...rest }) => {
      return {
        ...rest,
        sealed: sealRecord({ ...content, ...times, key, version }),
        voided: null,
        replaced: null,
      };
    }),
  );
}

test('what is remembered: comes back as it was, under its own name only', () => {
  const stored = operationKey('k', ID);
  for (const known of [INCREMENT, { kind: 'delete', version: 1, number: null } as const]) {
    const value = encodeKnown(stored, known);
    expect(decodeKnown(stored, value)).toEqual(known);
    expect(decodeKnown(operationKey('l', ID), value)).toBeUndefined();
  }
});

test('a flipped bit anywhere: is noticed', () => {
  const stored = operationKey('k', ID);
  const value = encodeKnown(stored, INCREMENT);
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Uint8Array.from(value);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeKnown(stored, damaged)).toBeUndefined();
  }
  expect(decodeKnown(stored, value.subarray(1))).toBeUndefined();
});

test('names stand in the order of the ids and so of their times', () => {
  const time = Buffer.from(ID).readUIntBE(0, 6);
  const stored = operationKey('any key', ID);
  expect(splitOperationKey(stored)).toEqual({ id: ID, key: 'any key' });
  expect(stored < operationKeyAfter(time)).toBe(true);
  expect(stored < operationKeyAfter(time - 1)).toBe(false);
});

test('an entry with and without operations: comes back as it was', () => {
  const plain = { ...WRITE, key: 'p', base: 0, operations: null };
  expect(decodeInFlight(entryOf([WRITE, plain, WRITE]))).toEqual([WRITE, plain, WRITE]);
});

test('an entry cut off anywhere: is damaged, never fewer', () => {
  const bytes = entryOf([WRITE, WRITE]);
  for (let end = 0; end < bytes.length; end += 1)
    expect(decodeInFlight(bytes.subarray(0, end))).toBeUndefined();
});

test('an entry of the first format knows neither base nor operations, one of the second has no checksum', () => {
  const now = Buffer.from(entryOf([{ ...WRITE, operations: null }]));
  const second = Buffer.from(now.subarray(0, -4));
  second[0] = 2;
  expect(decodeInFlight(second)).toEqual([{ ...WRITE, operations: null }]);
  // The base follows header, slot, version, flags and coordinator.
  const first = Buffer.concat([second.subarray(0, 26), second.subarray(34)]);
  first[0] = 1;
  expect(decodeInFlight(first)).toEqual([{ ...WRITE, base: 0, operations: null }]);
});

test('any one bit of an entry is turned over: it is not taken for another one', () => {
  const whole = Buffer.from(entryOf([WRITE]));
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeInFlight(damaged)).toBeUndefined();
  }
});
