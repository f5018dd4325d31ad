/**
 * Codec of operations with an id: in a round's messages, in in-flight entries, and each on its own in the store, where
 * its key begins with the id and so with its time. (PROTOCOL R33)
 */
import { crc32 } from 'node:zlib';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import type { IdentifiedOperation, KnownOperation } from '../core/operation-id.ts';
import { isVersion } from '../core/version.ts';
import { checksumOf } from './checksum.ts';
import { OPERATION_KINDS, readChoice } from './choices.ts';
import type { Reader } from './reader.ts';
import { NUMBER_BYTES, openNumber, sealNumber } from './sealed-number.ts';
import type { Writer } from './writer.ts';

const FORMAT = 1;
/** u32 checksum of the rest, u8 format, u8 kind, u8 has a number, f64 version, i64 number */
export const KNOWN_BYTES = 23;
const CHECKSUM_BYTES = 4;
const NUMBER_AT = 15;
const ID_DIGITS = OPERATION_ID_BYTES * 2;

export const OPERATIONS_FROM = 'o';
export const OPERATIONS_TO = 'p';

export function operationKey(key: string, id: Uint8Array): string {
  const bytes = Buffer.isBuffer(id) ? id : Buffer.from(id.buffer, id.byteOffset, id.length);
  return 'o' + bytes.toString('hex') + key;
}

export function splitOperationKey(stored: string): { id: Uint8Array; key: string } {
  const digits = stored.slice(1, 1 + ID_DIGITS);
  return { id: Uint8Array.from(Buffer.from(digits, 'hex')), key: stored.slice(1 + ID_DIGITS) };
}

/** A store key below that of every id made after this time. */
export function operationKeyAfter(timeMs: number): string {
  return 'o' + (timeMs + 1).toString(16).padStart(12, '0');
}

/** The checksum covers the entry's key too: an entry is never taken for another one. */
export function encodeKnown(stored: string, known: KnownOperation): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(KNOWN_BYTES);
  bytes[4] = FORMAT;
  bytes[5] = OPERATION_KINDS.indexOf(known.kind);
  bytes[6] = known.number === null ? 0 : 1;
  bytes.writeDoubleLE(known.version, 7);
  if (known.number === null) bytes.fill(0, NUMBER_AT);
  else bytes.writeBigInt64LE(known.number, NUMBER_AT);
  bytes.writeUInt32LE(checksumOf(bytes, CHECKSUM_BYTES, KNOWN_BYTES, crc32(stored)), 0);
  return bytes;
}

/** Undefined if the bytes are damaged: they cannot tell whether the operation took effect. */
export function decodeKnown(stored: string, value: Uint8Array): KnownOperation | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length !== KNOWN_BYTES || bytes[4] !== FORMAT) return undefined;
  const checksum = checksumOf(bytes, CHECKSUM_BYTES, KNOWN_BYTES, crc32(stored));
  if (checksum !== bytes.readUInt32LE(0)) return undefined;
  const kind = OPERATION_KINDS[bytes[5]!];
  const version = bytes.readDoubleLE(7);
  if (kind === undefined || !isVersion(version)) return undefined;
  return { kind, version, number: bytes[6] === 0 ? null : bytes.readBigInt64LE(NUMBER_AT) };
}

/** The moment up to which ids were forgotten, with a checksum: a lower moment would make a used id look new. */
export function encodeForgotten(through: number): Uint8Array {
  return sealNumber(through);
}

/** Null if damaged: then it may be any moment up to now. Older stores had no checksum here. */
export function decodeForgotten(value: Uint8Array): number | null {
  const isSealed = value.length !== NUMBER_BYTES;
  const through = isSealed
    ? openNumber(value)
    : Buffer.from(value.buffer, value.byteOffset, value.length).readDoubleLE(0);
  return through !== undefined && Number.isFinite(through) ? through : null;
}

export function writeIdentified(out: Writer, operations: readonly IdentifiedOperation[]): void {
  out.u16(operations.length);
  for (const { id, kind, number } of operations) {
    out.raw(id);
    out.u8(OPERATION_KINDS.indexOf(kind));
    out.bool(number !== null);
    if (number !== null) out.i64(number);
  }
}

export function readIdentified(from: Reader): IdentifiedOperation[] {
  const operations: IdentifiedOperation[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) {
    const id = from.raw(OPERATION_ID_BYTES);
    const kind = readChoice(from, OPERATION_KINDS);
    operations.push({ id, kind, number: from.bool() ? from.i64() : null });
  }
  return operations;
}
