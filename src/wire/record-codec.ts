/**
 * Codec of one record: the same bytes in every store and on every link, so that it is encoded only once. The checksum
 * covers everything after it, so a damaged record is noticed wherever it is read. (PROTOCOL R10)
 *
 *   0 u32 checksum   4 u8 format   5 u8 flags   6 u16 key bytes
 *   8 f64 version   16 f64 createdAt   24 f64 updatedAt   32 f64 expiresAt
 *  40 [16 operation id]   key   [u8 bytes, content type]   value     (little endian)
 */
import { assert } from '../base/assert.ts';
import { CONTENT_TYPE_BYTES_MAX } from '../core/limits.ts';
import type { KeyRecord, Origin, SealedRecord } from '../core/record.ts';
import { isVersion } from '../core/version.ts';
import { checksumOf } from './checksum.ts';
import { ASCII_LOOP_LENGTH_MAX } from './writer.ts';

const RECORD_FORMAT = 1;
const HEADER_BYTES = 40;
const FLAG_TOMBSTONE = 1;
const FLAG_OPERATION_ID = 2;
/** Only where version 6 of the member protocol is in force: an earlier program would take it for damage. */
const FLAG_CONTENT_TYPE = 16;
const ORIGIN_SHIFT = 2;
const ORIGIN_MASK = 3;
const FLAGS_KNOWN = 31;
const OPERATION_ID_BYTES = 16;

export function sealRecord(record: KeyRecord): SealedRecord {
  const isAscii = isShortAscii(record.key);
  const keyBytes = isAscii ? record.key.length : Buffer.byteLength(record.key);
  const idBytes = record.operationId === null ? 0 : OPERATION_ID_BYTES;
  const { contentType } = record;
  const typeBytes = contentType === null ? 0 : 1 + contentType.length;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + idBytes + keyBytes + typeBytes + record.value.length);
  bytes[4] = RECORD_FORMAT;
  bytes[5] =
    (record.tombstone ? FLAG_TOMBSTONE : 0) |
    (idBytes === 0 ? 0 : FLAG_OPERATION_ID) |
    (typeBytes === 0 ? 0 : FLAG_CONTENT_TYPE) |
    (record.origin << ORIGIN_SHIFT);
  bytes.writeUInt16LE(keyBytes, 6);
  bytes.writeDoubleLE(record.version, 8);
  bytes.writeDoubleLE(record.createdAt, 16);
  bytes.writeDoubleLE(record.updatedAt, 24);
  bytes.writeDoubleLE(record.expiresAt, 32);
  if (record.operationId !== null) bytes.set(record.operationId, HEADER_BYTES);
  if (isAscii) writeAscii(bytes, HEADER_BYTES + idBytes, record.key);
  else bytes.write(record.key, HEADER_BYTES + idBytes, 'utf8');
  const keyEnd = HEADER_BYTES + idBytes + keyBytes;
  if (contentType !== null) {
    bytes[keyEnd] = contentType.length;
    bytes.write(contentType, keyEnd + 1, 'latin1');
  }
  bytes.set(record.value, keyEnd + typeBytes);
  const checksum = checksumOf(bytes, 4, bytes.length);
  bytes.writeUInt32LE(checksum, 0);
  return { record, bytes, checksum };
}

/**
 * Undefined if the bytes are damaged or of an unknown format: the caller asks another owner, and never takes that for
 * absence. The value is a view into `bytes`, which must not be reused.
 */
export function openRecord(bytes: Uint8Array): SealedRecord | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const checksum = buffer.readUInt32LE(0);
  if (checksumOf(buffer, 4, buffer.length) !== checksum) return undefined;
  const flags = buffer[5]!;
  if (buffer[4] !== RECORD_FORMAT || (flags & ~FLAGS_KNOWN) !== 0) return undefined;
  if (((flags >> ORIGIN_SHIFT) & ORIGIN_MASK) > 2) return undefined;
  const idBytes = (flags & FLAG_OPERATION_ID) === 0 ? 0 : OPERATION_ID_BYTES;
  const keyEnd = HEADER_BYTES + idBytes + buffer.readUInt16LE(6);
  if (keyEnd > buffer.length || !isVersion(buffer.readDoubleLE(8))) return undefined;
  if ((flags & FLAG_CONTENT_TYPE) !== 0 && !isTyped(buffer, keyEnd)) return undefined;
  return recordIn(buffer, buffer.toString('utf8', HEADER_BYTES + idBytes, keyEnd), keyEnd, checksum);
}

function isShortAscii(text: string): boolean {
  if (text.length > ASCII_LOOP_LENGTH_MAX) return false;
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function writeAscii(bytes: Buffer, from: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) bytes[from + index] = text.charCodeAt(index);
}

/** True if the text of a content type is there. Its content was checked by whoever made the record. */
function isTyped(bytes: Buffer, keyEnd: number): boolean {
  const length = keyEnd < bytes.length ? bytes[keyEnd]! : 0;
  const end = keyEnd + 1 + length;
  if (length === 0 || end > bytes.length) return false;
  for (let at = keyEnd + 1; at < end; at += 1) {
    const code = bytes[at]!;
    if ((code < 0x20 && code !== 0x09) || code > 0x7e) return false;
  }
  return true;
}

/** The version and checksum that damaged bytes state; an impossible version is taken as higher than all. */
export function claimOf(bytes: Uint8Array): { version: number; checksum: number } {
  if (bytes.length < HEADER_BYTES) return { version: Infinity, checksum: -1 };
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = buffer.readDoubleLE(8);
  return { version: isVersion(version) ? version : Infinity, checksum: buffer.readUInt32LE(0) };
}

/** Opens a record that was opened before and has been in this process's memory since. */
export function openKept(bytes: Buffer, key: string): SealedRecord {
  const idBytes = (bytes[5]! & FLAG_OPERATION_ID) === 0 ? 0 : OPERATION_ID_BYTES;
  const keyEnd = HEADER_BYTES + idBytes + bytes.readUInt16LE(6);
  return recordIn(bytes, key, keyEnd, bytes.readUInt32LE(0));
}

/**
 * The same without the record's bytes, which lie from `from` to `end` among others; `view` covers the same memory. This
 * is on the hit path of a read, so it creates no view of the whole and reads numbers with the engine's built-in
 * operations.
 */
export function recordKept(bytes: Buffer, view: DataView, from: number, end: number, key: string): KeyRecord {
  const flags = bytes[from + 5]!;
  const hasId = (flags & FLAG_OPERATION_ID) !== 0;
  const idEnd = from + HEADER_BYTES + (hasId ? OPERATION_ID_BYTES : 0);
  const keyEnd = idEnd + view.getUint16(from + 6, true);
  const typeBytes = (flags & FLAG_CONTENT_TYPE) === 0 ? 0 : 1 + bytes[keyEnd]!;
  return {
    key,
    version: view.getFloat64(from + 8, true),
    origin: ((flags >> ORIGIN_SHIFT) & ORIGIN_MASK) as Origin,
    tombstone: (flags & FLAG_TOMBSTONE) !== 0,
    value: bytes.subarray(keyEnd + typeBytes, end),
    createdAt: view.getFloat64(from + 16, true),
    updatedAt: view.getFloat64(from + 24, true),
    expiresAt: view.getFloat64(from + 32, true),
    operationId: hasId ? bytes.subarray(from + HEADER_BYTES, idEnd) : null,
    contentType: typeBytes === 0 ? null : bytes.toString('latin1', keyEnd + 1, keyEnd + typeBytes),
  };
}

/** True if the record at `from` belongs to that key. Also on the hit path, so no string is made of its bytes. */
export function isKeptOf(bytes: Buffer, view: DataView, from: number, key: string): boolean {
  const idBytes = (bytes[from + 5]! & FLAG_OPERATION_ID) === 0 ? 0 : OPERATION_ID_BYTES;
  const start = from + HEADER_BYTES + idBytes;
  const length = view.getUint16(from + 6, true);
  if (length < key.length) return false;
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at);
    if (unit > 0x7f) return bytes.toString('utf8', start, start + length) === key;
    if (bytes[start + at] !== unit) return false;
  }
  return length === key.length;
}

function recordIn(bytes: Buffer, key: string, keyEnd: number, checksum: number): SealedRecord {
  const flags = bytes[5]!;
  const typeBytes = (flags & FLAG_CONTENT_TYPE) === 0 ? 0 : 1 + bytes[keyEnd]!;
  const record: KeyRecord = {
    key,
    version: bytes.readDoubleLE(8),
    origin: ((flags >> ORIGIN_SHIFT) & ORIGIN_MASK) as Origin,
    tombstone: (flags & FLAG_TOMBSTONE) !== 0,
    value: bytes.subarray(keyEnd + typeBytes),
    createdAt: bytes.readDoubleLE(16),
    updatedAt: bytes.readDoubleLE(24),
    expiresAt: bytes.readDoubleLE(32),
    operationId:
      (flags & FLAG_OPERATION_ID) === 0
        ? null
        : bytes.subarray(HEADER_BYTES, HEADER_BYTES + OPERATION_ID_BYTES),
    contentType: typeBytes === 0 ? null : bytes.toString('latin1', keyEnd + 1, keyEnd + typeBytes),
  };
  return { record, bytes, checksum };
}

assert(CONTENT_TYPE_BYTES_MAX <= 0xff, 'the length of a content type fits its byte');
