/**
 * Codec of what PostgreSQL lacks: one mark per key in the store, named like the record's own entry, and the messages by
 * which marks are copied and dropped. (PROTOCOL R34)
 */
import { crc32 } from 'node:zlib';
import { SLOT_COPY_RECORDS_MAX } from '../core/limits.ts';
import type {
  LearnSpool,
  LearnSpoolFrame,
  RecordHearsay,
  SpoolDrained,
} from '../core/system-of-record/spool-message.ts';
import { isVersion } from '../core/version.ts';
import type { Reader } from './reader.ts';
import { recordKey, splitRecordKey } from './store-codec.ts';
import type { Writer } from './writer.ts';

const FORMAT = 1;
/** u32 checksum of the rest, u8 format, f64 version, f64 since, u32 bytes of the record */
const MARK_BYTES = 25;

export const SPOOL_FROM = 's';
export const SPOOL_TO = 't';

export interface SpoolMark {
  /** PostgreSQL lacks this version of the key. */
  readonly version: number;
  /** Milliseconds since 1970 by this node's clock: when the key was first marked. For people only. */
  readonly since: number;
  /** Bytes of the record. */
  readonly byteCount: number;
}

export function spoolKey(slot: number, key: string): string {
  return 's' + recordKey(slot, key).slice(1);
}

export function splitSpoolKey(stored: string): { slot: number; key: string } {
  return splitRecordKey(stored);
}

/** The checksum covers the mark's key too: a mark is never taken for another one. */
export function encodeSpoolMark(stored: string, mark: SpoolMark): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(MARK_BYTES);
  bytes[4] = FORMAT;
  bytes.writeDoubleLE(mark.version, 5);
  bytes.writeDoubleLE(mark.since, 13);
  bytes.writeUInt32LE(mark.byteCount, 21);
  bytes.writeUInt32LE(crc32(bytes.subarray(4), crc32(stored)), 0);
  return bytes;
}

/** Undefined if the bytes are damaged: the key is marked, but nobody knows for which version. */
export function decodeSpoolMark(stored: string, value: Uint8Array): SpoolMark | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length !== MARK_BYTES || bytes[4] !== FORMAT) return undefined;
  if (crc32(bytes.subarray(4), crc32(stored)) !== bytes.readUInt32LE(0)) return undefined;
  const version = bytes.readDoubleLE(5);
  const since = bytes.readDoubleLE(13);
  if (!isVersion(version) || !Number.isFinite(since)) return undefined;
  return { version, since, byteCount: bytes.readUInt32LE(21) };
}

export function writeLearnSpool(out: Writer, message: LearnSpool): void {
  out.whole(message.session);
  out.text(message.after);
}

export function readLearnSpool(from: Reader): LearnSpool {
  return { kind: 'learnSpool', session: from.whole(), after: from.text() };
}

export function writeLearnSpoolFrame(out: Writer, message: LearnSpoolFrame): void {
  out.whole(message.session);
  out.text(message.after);
  out.u16(message.marks.length);
  for (const { key, version, since, byteCount } of message.marks) {
    out.text(key);
    out.whole(version);
    out.real(since);
    out.u32(byteCount);
  }
  out.text(message.next);
}

export function readLearnSpoolFrame(from: Reader): LearnSpoolFrame {
  const session = from.whole();
  const after = from.text();
  const marks: LearnSpoolFrame['marks'][number][] = [];
  for (let left = countOf(from); left > 0 && from.ok; left--)
    marks.push({ key: from.text(), version: from.whole(), since: from.real(), byteCount: from.u32() });
  return { kind: 'learnSpoolFrame', session, after, marks, next: from.text() };
}

export function writeSpoolDrained(out: Writer, message: SpoolDrained): void {
  out.u16(message.drained.length);
  for (const { key, version } of message.drained) {
    out.text(key);
    out.whole(version);
  }
}

export function readSpoolDrained(from: Reader): SpoolDrained {
  const drained: SpoolDrained['drained'][number][] = [];
  for (let left = countOf(from); left > 0 && from.ok; left--)
    drained.push({ key: from.text(), version: from.whole() });
  return { kind: 'spoolDrained', drained };
}

export function writeRecordHearsay(out: Writer, message: RecordHearsay): void {
  out.real(message.awayMs);
  out.real(message.backMs);
  out.bool(message.isFull);
}

export function readRecordHearsay(from: Reader): RecordHearsay {
  return { kind: 'recordHearsay', awayMs: from.real(), backMs: from.real(), isFull: from.bool() };
}

function countOf(from: Reader): number {
  const count = from.u16();
  if (count > SLOT_COPY_RECORDS_MAX) from.fail('more marks than one message may hold');
  return from.ok ? count : 0;
}
