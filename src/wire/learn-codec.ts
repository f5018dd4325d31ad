/**
 * Codec of the messages by which a learner makes a slot equal to its source, or repairs one damaged record. (PROTOCOL
 * R10, R19)
 */
import { NONE } from '../base/short-list.ts';
import type { RepairAbsent } from '../core/upkeep/collection-message.ts';
import type {
  HeldRecord,
  LearnDifferences,
  LearnDigests,
  LearnFrame,
  LearnOperations,
  LearnOperationsFrame,
  LearnPull,
  LearnRefused,
  LearnUntold,
  LearnUntoldFrame,
  RecordSummary,
  RememberedOperation,
  RepairPull,
  RepairRecord,
  SameRecord,
} from '../core/message.ts';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import { OPERATION_KINDS, readChoice } from './choices.ts';
import { readFloors, writeFloors } from './collection-codec.ts';
import { writeWords } from './failure-codec.ts';
import type { Reader } from './reader.ts';
import { readHeld, writeHeld } from './replication-codec.ts';
import type { Writer } from './writer.ts';

/** A slot and its digest. */
const DIGEST_BYTES = 14;

export function writeLearnDigests(out: Writer, { session, slots, digests }: LearnDigests): void {
  out.whole(session);
  writeDigests(out, slots, digests);
}

export function readLearnDigests(from: Reader): LearnDigests {
  return { kind: 'learnDigests', session: from.whole(), ...readDigests(from) };
}

export function writeDigests(out: Writer, slots: Uint16Array, digests: Uint32Array): void {
  out.u16(slots.length);
  for (let at = 0; at < slots.length; at++) {
    out.u16(slots[at]!);
    out.u32(digests[3 * at]!);
    out.u32(digests[3 * at + 1]!);
    out.u32(digests[3 * at + 2]!);
  }
}

export function readDigests(from: Reader): { slots: Uint16Array; digests: Uint32Array } {
  let count = from.u16();
  if (count * DIGEST_BYTES > from.remaining) {
    from.fail('digests end before their count');
    count = 0;
  }
  const slots = new Uint16Array(count);
  const digests = new Uint32Array(3 * count);
  for (let at = 0; at < count; at++) {
    slots[at] = from.u16();
    digests[3 * at] = from.u32();
    digests[3 * at + 1] = from.u32();
    digests[3 * at + 2] = from.u32();
  }
  return { slots, digests };
}

export function writeLearnDifferences(out: Writer, message: LearnDifferences): void {
  out.whole(message.session);
  out.u16(message.slotFirst);
  out.u16(message.slotCount);
  out.u16(message.differing.length);
  for (const slot of message.differing) out.u16(slot);
  writeFloors(out, message.floors);
}

export function readLearnDifferences(from: Reader): LearnDifferences {
  const session = from.whole();
  const slotFirst = from.u16();
  const slotCount = from.u16();
  const differing: number[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) differing.push(from.u16());
  return { kind: 'learnDifferences', session, slotFirst, slotCount, differing, floors: readFloors(from) };
}

export function writeLearnPull(out: Writer, message: LearnPull): void {
  out.whole(message.session);
  out.u16(message.slot);
  out.text(message.afterKey);
  if (out.protocol < SINCE.offeredRecords) return;
  out.u16(message.offered.length);
  for (const { version, checksum } of message.offered) {
    out.whole(version);
    out.u32(checksum);
  }
}

export function readLearnPull(from: Reader): LearnPull {
  const head = { session: from.whole(), slot: from.u16(), afterKey: from.text() };
  const offered: RecordSummary[] = [];
  const count = from.protocol < SINCE.offeredRecords ? 0 : from.u16();
  for (let left = count; left > 0 && from.ok; left--)
    offered.push({ version: from.whole(), checksum: from.u32() });
  return { kind: 'learnPull', ...head, offered };
}

/**
 * A reader that has been replaced by a process which knows nothing of offers cannot use the answer to one, so it is not
 * sent.
 */
export function writeLearnFrame(out: Writer, message: LearnFrame): void {
  const { same } = message;
  const isWhole = same.length === 0 || out.protocol >= SINCE.offeredRecords;
  const records = isWhole ? message.records : NONE;
  out.whole(message.session);
  out.u16(message.slot);
  out.text(message.afterKey);
  out.bool(isWhole && message.last);
  out.u16(records.length);
  for (const held of records) writeHeld(out, held);
  if (out.protocol < SINCE.offeredRecords) return;
  out.u16(same.length);
  for (const { index, key } of same) {
    out.u16(index);
    out.text(key);
  }
}

export function readLearnFrame(from: Reader): LearnFrame {
  const session = from.whole();
  const slot = from.u16();
  const afterKey = from.text();
  const last = from.bool();
  const records: HeldRecord[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) records.push(readHeld(from));
  const same: SameRecord[] = [];
  const count = from.protocol < SINCE.offeredRecords ? 0 : from.u16();
  for (let left = count; left > 0 && from.ok; left--) same.push({ index: from.u16(), key: from.text() });
  return { kind: 'learnFrame', session, slot, afterKey, records, same, last };
}

export function writeLearnOperations(out: Writer, message: LearnOperations): void {
  out.whole(message.session);
  out.text(message.after);
}

export function readLearnOperations(from: Reader): LearnOperations {
  return { kind: 'learnOperations', session: from.whole(), after: from.text() };
}

export function writeLearnOperationsFrame(out: Writer, message: LearnOperationsFrame): void {
  out.whole(message.session);
  out.text(message.after);
  out.text(message.next);
  out.whole(message.forgottenThrough);
  out.u16(message.operations.length);
  for (const { key, id, kind, version, number, open } of message.operations) {
    out.text(key);
    out.raw(id);
    out.u8(OPERATION_KINDS.indexOf(kind));
    out.whole(version);
    out.bool(open);
    out.bool(number !== null);
    if (number !== null) out.i64(number);
  }
}

export function readLearnOperationsFrame(from: Reader): LearnOperationsFrame {
  const session = from.whole();
  const after = from.text();
  const next = from.text();
  const forgottenThrough = from.whole();
  const operations: RememberedOperation[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) operations.push(readRemembered(from));
  return { kind: 'learnOperationsFrame', session, after, operations, next, forgottenThrough };
}

export function writeLearnUntold(out: Writer, message: LearnUntold): void {
  out.whole(message.session);
  out.text(message.after);
}

export function readLearnUntold(from: Reader): LearnUntold {
  return { kind: 'learnUntold', session: from.whole(), after: from.text() };
}

export function writeLearnUntoldFrame(out: Writer, message: LearnUntoldFrame): void {
  out.whole(message.session);
  out.text(message.after);
  out.bool(message.last);
  out.u16(message.records.length);
  for (const held of message.records) writeHeld(out, held);
}

export function readLearnUntoldFrame(from: Reader): LearnUntoldFrame {
  const session = from.whole();
  const after = from.text();
  const last = from.bool();
  const records: HeldRecord[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) records.push(readHeld(from));
  return { kind: 'learnUntoldFrame', session, after, records, last };
}

function readRemembered(from: Reader): RememberedOperation {
  const key = from.text();
  const id = from.raw(OPERATION_ID_BYTES);
  const kind = readChoice(from, OPERATION_KINDS);
  const version = from.whole();
  const open = from.bool();
  return { key, id, kind, version, open, number: from.bool() ? from.i64() : null };
}

export function writeLearnRefused(out: Writer, message: LearnRefused): void {
  out.whole(message.session);
  out.u16(message.slot);
  writeWords(out, message.reason);
}

export function readLearnRefused(from: Reader): LearnRefused {
  return { kind: 'learnRefused', session: from.whole(), slot: from.u16(), reason: from.text() };
}

export function writeRepairPull(out: Writer, message: RepairPull): void {
  out.text(message.key);
}

export function readRepairPull(from: Reader): RepairPull {
  return { kind: 'repairPull', key: from.text() };
}

export function writeRepairRecord(out: Writer, message: RepairRecord): void {
  writeHeld(out, message.held);
}

export function readRepairRecord(from: Reader): RepairRecord {
  return { kind: 'repairRecord', held: readHeld(from) };
}

export function writeRepairAbsent(out: Writer, message: RepairAbsent): void {
  out.text(message.key);
}

export function readRepairAbsent(from: Reader): RepairAbsent {
  return { kind: 'repairAbsent', key: from.text() };
}
