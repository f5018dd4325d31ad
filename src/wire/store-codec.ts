/**
 * How a node's store is laid out: one ordered map of text keys, by the first letter.
 *
 *   r SSSS key      a record, SSSS its slot in hexadecimal
 *   f NNN…          an in-flight entry: the keys and versions that one batch made invalid (PROTOCOL R12)
 *   m name          what the node must remember of itself and of the council's register
 */
import { SLOT_COUNT } from '../core/limits.ts';
import type { Coordinator } from '../core/message.ts';
import type { StoredWrite } from '../core/replication/context.ts';
import { isVersion } from '../core/version.ts';

const SLOT_DIGITS = 4;
const BATCH_DIGITS = 11;
const FORMAT = 1;
const FLAGS_KNOWN = 3;
const ENTRY_FIXED_BYTES = 2 + 8 + 1 + 2 + 8 + 2;

const SLOT_TEXT: readonly string[] = Array.from({ length: 16_384 }, (_, slot) =>
  slot.toString(16).padStart(SLOT_DIGITS, '0'),
);

export function recordKey(slot: number, key: string): string {
  return 'r' + SLOT_TEXT[slot]! + key;
}

export function slotRange(slot: number): { from: string; to: string } {
  return { from: recordKey(slot, ''), to: slot === 16_383 ? 's' : recordKey(slot + 1, '') };
}

export function splitRecordKey(stored: string): { slot: number; key: string } {
  return { slot: parseInt(stored.slice(1, 1 + SLOT_DIGITS), 16), key: stored.slice(1 + SLOT_DIGITS) };
}

export const RECORDS_FROM = 'r';
export const RECORDS_TO = 's';
export const MARKS_FROM = 'f';
export const MARKS_TO = 'g';

export function markKey(batch: number): string {
  return 'f' + batch.toString(36).padStart(BATCH_DIGITS, '0');
}

export function batchOfMarkKey(stored: string): number {
  return parseInt(stored.slice(1), 36);
}

export function metaKey(name: string): string {
  return 'm' + name;
}

/** One key that a batch made invalid. */
export interface InFlightMark {
  readonly key: string;
  readonly slot: number;
  readonly version: number;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
}

/** The in-flight entry of the writes that one batch stores. */
export function encodeMarks(writes: readonly StoredWrite[]): Uint8Array {
  let size = 1 + 4;
  for (const { sealed } of writes) size += ENTRY_FIXED_BYTES + Buffer.byteLength(sealed.record.key);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = FORMAT;
  bytes.writeUInt32LE(writes.length, 1);
  let at = 5;
  for (const write of writes) {
    const { key, version } = write.sealed.record;
    at = bytes.writeUInt16LE(write.slot, at);
    at = bytes.writeDoubleLE(version, at);
    at = bytes.writeUInt8((write.conditional ? 1 : 0) | (write.recorded ? 2 : 0), at);
    at = bytes.writeUInt16LE(write.coordinator.id, at);
    at = bytes.writeDoubleLE(write.coordinator.incarnation, at);
    const length = bytes.write(key, at + 2, 'utf8');
    bytes.writeUInt16LE(length, at);
    at += 2 + length;
  }
  return bytes;
}

/** Undefined where the entry is damaged: then which keys were in flight is not known. */
export function decodeMarks(stored: Uint8Array): InFlightMark[] | undefined {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  if (bytes.length < 5 || bytes[0] !== FORMAT) return undefined;
  const count = bytes.readUInt32LE(1);
  const marks: InFlightMark[] = [];
  let at = 5;
  for (let index = 0; index < count; index += 1) {
    if (at + ENTRY_FIXED_BYTES > bytes.length) return undefined;
    const slot = bytes.readUInt16LE(at);
    const version = bytes.readDoubleLE(at + 2);
    const flags = bytes.readUInt8(at + 10);
    const length = bytes.readUInt16LE(at + 21);
    if (at + ENTRY_FIXED_BYTES + length > bytes.length) return undefined;
    if (slot >= SLOT_COUNT || !isVersion(version) || flags > FLAGS_KNOWN) return undefined;
    marks.push({
      slot,
      version,
      conditional: (flags & 1) !== 0,
      recorded: (flags & 2) !== 0,
      coordinator: { id: bytes.readUInt16LE(at + 11), incarnation: bytes.readDoubleLE(at + 13) },
      key: bytes.toString('utf8', at + 23, at + 23 + length),
    });
    at += ENTRY_FIXED_BYTES + length;
  }
  return at === bytes.length ? marks : undefined;
}
