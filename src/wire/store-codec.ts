/**
 * The layout of a node's store: one ordered map of text keys, whose first letter tells the kind of entry.
 *
 *   r SSSS key      a record, SSSS its slot in hexadecimal
 *   f NNN…          an in-flight entry: the keys and versions that one batch made invalid (PROTOCOL R12)
 *   m name          what the node must remember of itself and of the council's register, and its reserved counters
 *   l SSSS          the floor of a slot (PROTOCOL R22)
 *   d SSSS          the counter up to which deletions of a slot were forgotten here (PROTOCOL R28)
 *   u               the latest life of the cluster for which the slots were examined (PROTOCOL R28)
 *   u SSSS          a slot that was given up and made whole without this disk, which has not copied it since
 *   u SSSS key      a key of such a slot that was written since
 *   o ID key        an operation that took effect under an id, in hexadecimal (PROTOCOL R33)
 */
import { crc32 } from 'node:zlib';
import type { SlotFloor } from '../core/upkeep/floors.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import type { Coordinator } from '../core/message.ts';
import type { IdentifiedOperation } from '../core/operation-id.ts';
import type { StoredWrite } from '../core/replication/context.ts';
import { isVersion } from '../core/version.ts';
import { OPERATION_KINDS } from './choices.ts';
import { openNumber, sealNumber } from './sealed-number.ts';
import { Writer } from './writer.ts';

const SLOT_DIGITS = 4;
const BATCH_DIGITS = 11;
/** Entries of format 1 had neither base nor operations. */
/**
 * Since format 3 an entry ends with a checksum over all of it: a damaged one must not name other keys, or another
 * process.
 */
const FORMAT = 3;
const CHECKSUM_BYTES = 4;
const ENTRY_FIXED_BYTES = 2 + 8 + 1 + 2 + 8 + 8 + 2;
const ENTRY_FIXED_BYTES_1 = ENTRY_FIXED_BYTES - 8;
const IDENTIFIED = 4;
const FLAGS_KNOWN = 7;
const OPERATION_BYTES = 16 + 1 + 1 + 8;

const SLOT_TEXT: readonly string[] = Array.from({ length: 16_384 }, (_, slot) =>
  slot.toString(16).padStart(SLOT_DIGITS, '0'),
);

export function recordKey(slot: number, key: string): string {
  return 'r' + SLOT_TEXT[slot]! + key;
}

export function slotRange(slot: number): { from: string; to: string } {
  return { from: recordKey(slot, ''), to: slot === 16_383 ? 's' : recordKey(slot + 1, '') };
}

/** The range of what follows a key in its slot; '' for the whole slot. */
export function slotRangeAfter(slot: number, afterKey: string): { from: string; to: string } {
  const range = slotRange(slot);
  return afterKey === '' ? range : { from: recordKey(slot, afterKey) + '\u0000', to: range.to };
}

export function splitRecordKey(stored: string): { slot: number; key: string } {
  return { slot: parseInt(stored.slice(1, 1 + SLOT_DIGITS), 16), key: stored.slice(1 + SLOT_DIGITS) };
}

export const RECORDS_FROM = 'r';
export const RECORDS_TO = 's';
export const IN_FLIGHT_FROM = 'f';
export const IN_FLIGHT_TO = 'g';

export function inFlightKey(batch: number): string {
  return 'f' + batch.toString(36).padStart(BATCH_DIGITS, '0');
}

export function batchOfInFlightKey(stored: string): number {
  return parseInt(stored.slice(1), 36);
}

export const FLOORS_FROM = 'l';
export const FLOORS_TO = 'm';

export function floorKey(slot: number): string {
  return 'l' + SLOT_TEXT[slot]!;
}

export const FORGOTTEN_FROM = 'd';
export const FORGOTTEN_TO = 'e';

/** Its value is encoded like a floor. */
export function forgottenKey(slot: number): string {
  return 'd' + SLOT_TEXT[slot]!;
}

export const SUPERSEDED_FROM = 'u';
export const SUPERSEDED_TO = 'v';
/** Its value is encoded like counters. */
export const LIFE_SEEN_KEY = 'u';

/** An empty key stands for the slot itself. */
export function supersededKey(slot: number, key: string): string {
  return 'u' + SLOT_TEXT[slot]! + key;
}

/** The checksum covers the slot: an entry under another key is invalid. */
export function encodeFloor(slot: number, counter: number): Uint8Array {
  return sealNumber(counter, slot);
}

/** Undefined if the entry is damaged: then it is unknown under which floor deletions were forgotten. */
export function decodeFloor(stored: string, value: Uint8Array): SlotFloor | undefined {
  const slot = parseInt(stored.slice(1), 16);
  if (!(slot < SLOT_COUNT)) return undefined;
  const counter = openNumber(value, slot);
  return counter !== undefined && isVersion(counter) ? { slot, counter } : undefined;
}

export function metaKey(name: string): string {
  return 'm' + name;
}

/** Counters that a node has reserved. (PROTOCOL R8) */
export const COUNTERS_NAME = 'counters';

export function encodeCounters(through: number): Uint8Array {
  return sealNumber(through);
}

/** Undefined if the entry is damaged: then it is unknown which versions were sent to others. */
export function decodeCounters(value: Uint8Array): number | undefined {
  const through = openNumber(value);
  return through !== undefined && isVersion(through) ? through : undefined;
}

/** One key that a batch made invalid. */
export interface InFlightWrite {
  readonly key: string;
  readonly slot: number;
  readonly version: number;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
  /** As in an Invalidate. (PROTOCOL R33) */
  readonly base: number;
  readonly operations: readonly IdentifiedOperation[] | null;
}

const entryOut = new Writer();

/** The in-flight entry of the writes that one batch stores. */
export function encodeInFlight(writes: readonly StoredWrite[]): Uint8Array {
  const out = entryOut;
  out.reset();
  out.u8(FORMAT);
  out.u32(writes.length);
  for (const { sealed, slot, conditional, recorded, coordinator, base, operations } of writes) {
    out.u16(slot);
    out.whole(sealed.record.version);
    out.u8((conditional ? 1 : 0) | (recorded ? 2 : 0) | (operations === null ? 0 : IDENTIFIED));
    out.u16(coordinator.id);
    out.whole(coordinator.incarnation);
    out.whole(base);
    out.text(sealed.record.key);
    if (operations !== null) writeOperations(out, operations);
  }
  out.u32(out.checksum(0));
  return out.copy();
}

function writeOperations(out: Writer, operations: readonly IdentifiedOperation[]): void {
  out.u16(operations.length);
  for (const { id, kind, number } of operations) {
    out.raw(id);
    out.u8(OPERATION_KINDS.indexOf(kind));
    out.bool(number !== null);
    out.i64(number ?? 0n);
  }
}

/** Undefined if the entry is damaged: then it is unknown which keys were in flight. */
export function decodeInFlight(stored: Uint8Array): InFlightWrite[] | undefined {
  const bytes = withoutChecksum(Buffer.from(stored.buffer, stored.byteOffset, stored.length));
  if (bytes === undefined) return undefined;
  const fixedBytes = bytes[0] === 1 ? ENTRY_FIXED_BYTES_1 : ENTRY_FIXED_BYTES;
  const count = bytes.readUInt32LE(1);
  const writes: InFlightWrite[] = [];
  let at = 5;
  for (let index = 0; index < count; index += 1) {
    if (at + fixedBytes > bytes.length) return undefined;
    const slot = bytes.readUInt16LE(at);
    const version = bytes.readDoubleLE(at + 2);
    const flags = bytes.readUInt8(at + 10);
    const keyAt = at + fixedBytes;
    const end = keyAt + bytes.readUInt16LE(keyAt - 2);
    if (end > bytes.length) return undefined;
    const operations = (flags & IDENTIFIED) === 0 ? null : readOperations(bytes, end);
    if (operations === undefined) return undefined;
    if (slot >= SLOT_COUNT || !isVersion(version) || flags > FLAGS_KNOWN) return undefined;
    writes.push({
      slot,
      version,
      conditional: (flags & 1) !== 0,
      recorded: (flags & 2) !== 0,
      coordinator: { id: bytes.readUInt16LE(at + 11), incarnation: bytes.readDoubleLE(at + 13) },
      base: bytes[0] === 1 ? 0 : bytes.readDoubleLE(at + 21),
      key: bytes.toString('utf8', keyAt, end),
      operations,
    });
    at = operations === null ? end : end + 2 + operations.length * OPERATION_BYTES;
  }
  return at === bytes.length ? writes : undefined;
}

/** The entry's content, if it is intact and of a known format. Formats before 3 had no checksum. */
function withoutChecksum(stored: Buffer): Buffer | undefined {
  const format = stored[0];
  if (format === 1 || format === 2) return stored.length < 5 ? undefined : stored;
  const end = stored.length - CHECKSUM_BYTES;
  if (format !== FORMAT || end < 5) return undefined;
  const bytes = stored.subarray(0, end);
  return crc32(bytes) === stored.readUInt32LE(end) ? bytes : undefined;
}

function readOperations(bytes: Buffer, start: number): IdentifiedOperation[] | undefined {
  if (start + 2 > bytes.length) return undefined;
  const count = bytes.readUInt16LE(start);
  if (start + 2 + count * OPERATION_BYTES > bytes.length) return undefined;
  const operations: IdentifiedOperation[] = [];
  for (let at = start + 2; operations.length < count; at += OPERATION_BYTES) {
    const kind = OPERATION_KINDS[bytes[at + 16]!];
    if (kind === undefined) return undefined;
    const number = bytes[at + 17] === 0 ? null : bytes.readBigInt64LE(at + 18);
    operations.push({ id: Uint8Array.from(bytes.subarray(at, at + 16)), kind, number });
  }
  return operations;
}
