/**
 * One record as bytes: the same in every store and on every link, so that it is encoded once. The checksum
 * covers everything behind it; a damaged record is noticed wherever it is read. (PROTOCOL R10)
 *
 *   0 u32 checksum   4 u8 format   5 u8 flags   6 u16 key bytes
 *   8 f64 version   16 f64 createdAt   24 f64 updatedAt   32 f64 expiresAt
 *  40 [16 operation id]   key   value                               (little endian)
 */
import { crc32 } from 'node:zlib';
import type { KeyRecord, Origin, SealedRecord } from '../core/record.ts';
import { isVersion } from '../core/version.ts';

export const RECORD_FORMAT = 1;
const HEADER_BYTES = 40;
const FLAG_TOMBSTONE = 1;
const FLAG_OPERATION_ID = 2;
const ORIGIN_SHIFT = 2;
const ORIGIN_MASK = 3;
const FLAGS_KNOWN = 15;
const OPERATION_ID_BYTES = 16;

export function sealRecord(record: KeyRecord): SealedRecord {
  const keyBytes = Buffer.byteLength(record.key);
  const idBytes = record.operationId === null ? 0 : OPERATION_ID_BYTES;
  const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + idBytes + keyBytes + record.value.length);
  bytes[4] = RECORD_FORMAT;
  bytes[5] =
    (record.tombstone ? FLAG_TOMBSTONE : 0) |
    (idBytes === 0 ? 0 : FLAG_OPERATION_ID) |
    (record.origin << ORIGIN_SHIFT);
  bytes.writeUInt16LE(keyBytes, 6);
  bytes.writeDoubleLE(record.version, 8);
  bytes.writeDoubleLE(record.createdAt, 16);
  bytes.writeDoubleLE(record.updatedAt, 24);
  bytes.writeDoubleLE(record.expiresAt, 32);
  if (record.operationId !== null) bytes.set(record.operationId, HEADER_BYTES);
  bytes.write(record.key, HEADER_BYTES + idBytes, 'utf8');
  bytes.set(record.value, HEADER_BYTES + idBytes + keyBytes);
  const checksum = crc32(bytes.subarray(4));
  bytes.writeUInt32LE(checksum, 0);
  return { record, bytes, checksum };
}

/**
 * Undefined where the bytes are damaged or of an unknown format: the caller asks another owner, and never
 * takes it for absence. The value is a view into `bytes`; `bytes` must not be reused.
 */
export function openRecord(bytes: Uint8Array): SealedRecord | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const checksum = buffer.readUInt32LE(0);
  if (crc32(buffer.subarray(4)) !== checksum) return undefined;
  const flags = buffer[5]!;
  if (buffer[4] !== RECORD_FORMAT || (flags & ~FLAGS_KNOWN) !== 0) return undefined;
  const origin = (flags >> ORIGIN_SHIFT) & ORIGIN_MASK;
  if (origin > 2) return undefined;
  const idBytes = (flags & FLAG_OPERATION_ID) === 0 ? 0 : OPERATION_ID_BYTES;
  const keyEnd = HEADER_BYTES + idBytes + buffer.readUInt16LE(6);
  if (keyEnd > buffer.length) return undefined;
  const version = buffer.readDoubleLE(8);
  if (!isVersion(version)) return undefined;
  const record: KeyRecord = {
    key: buffer.toString('utf8', HEADER_BYTES + idBytes, keyEnd),
    version,
    origin: origin as Origin,
    tombstone: (flags & FLAG_TOMBSTONE) !== 0,
    value: buffer.subarray(keyEnd),
    createdAt: buffer.readDoubleLE(16),
    updatedAt: buffer.readDoubleLE(24),
    expiresAt: buffer.readDoubleLE(32),
    operationId: idBytes === 0 ? null : buffer.subarray(HEADER_BYTES, HEADER_BYTES + idBytes),
  };
  return { record, bytes, checksum };
}

/**
 * The same record in bytes that nothing else shares. One that came in a frame is a view into it, and the value of
 * one that was sealed here is a view into the client's message: kept, a hundred bytes would hold a megabyte.
 */
export function withOwnBytes(sealed: SealedRecord): SealedRecord {
  const { record, checksum } = sealed;
  const shared = sealed.bytes.buffer.byteLength > sealed.bytes.length * 2 + 64;
  if (!shared && record.value.buffer === sealed.bytes.buffer) return sealed;
  const bytes = shared ? new Uint8Array(sealed.bytes) : sealed.bytes;
  const own: KeyRecord = {
    key: record.key,
    version: record.version,
    origin: record.origin,
    tombstone: record.tombstone,
    value: bytes.subarray(bytes.length - record.value.length),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    expiresAt: record.expiresAt,
    operationId:
      record.operationId === null ? null : bytes.subarray(HEADER_BYTES, HEADER_BYTES + OPERATION_ID_BYTES),
  };
  return { record: own, bytes, checksum };
}
