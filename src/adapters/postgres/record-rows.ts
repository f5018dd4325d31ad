/**
 * Conversion of records to columns and back. The record read back is identical: its checksum is that of the record
 * written.
 */
import { contentTypeFault } from '../../core/clients/check-key.ts';
import { EMPTY_VALUE, type KeyRecord, type Origin } from '../../core/record.ts';
import type { RecordRow } from '../../ports/system-of-record.ts';
import {
  packBooleans,
  packBytes,
  packInt2s,
  packInt4s,
  packInt8s,
  packTexts,
  packTextsOrNull,
  packTimestamps,
} from './binary-array.ts';
import { RecordFailure } from './record-failure.ts';

const TYPE_BOOL = 16;
const TYPE_BYTEA = 17;
const TYPE_INT8 = 20;
const TYPE_INT2 = 21;
const TYPE_INT4 = 23;

/** Parsers for the server's text format: a number becomes a safe integer or an error, and is never rounded. */
export const RESULT_TYPES = {
  getTypeParser(type: number): (text: string) => unknown {
    if (type === TYPE_INT8 || type === TYPE_INT4 || type === TYPE_INT2) return parseInteger;
    if (type === TYPE_BOOL) return (text) => text === 't';
    if (type === TYPE_BYTEA) return parseBytes;
    return (text) => text;
  },
};

/**
 * The parameters of COMMIT after the life, in order. `isWhole`: no array may be left out, even if all its values are
 * empty.
 */
export function packRows(rows: readonly RecordRow[], isWhole = false): (Buffer | null)[] {
  return [
    packTexts(rows.map((row) => row.record.key)),
    packInt4s(rows.map((row) => row.slot)),
    packBytes(rows.map((row) => valueColumn(row.record))),
    packInt8s(rows.map((row) => row.record.version)),
    packInt2s(rows.map((row) => row.record.origin)),
    packTimestamps(rows.map((row) => row.record.createdAt)),
    packTimestamps(rows.map((row) => row.record.updatedAt)),
    packTimestamps(rows.map((row) => (row.record.expiresAt === 0 ? null : row.record.expiresAt))),
    packBooleans(rows.map((row) => row.record.tombstone)),
    packInt8s(rows.map((row) => row.checksum)),
    packBytes(rows.map((row) => row.record.operationId)),
    isWhole || rows.some((row) => row.record.contentType !== null)
      ? packTextsOrNull(rows.map((row) => row.record.contentType))
      : null,
  ];
}

/**
 * Fields in the order of the statements' columns. An invalid content type was written by hand. No record can have it,
 * so it is dropped, and the row fails its checksum like any other row changed by hand.
 */
export function rowFromFields(fields: readonly unknown[]): RecordRow {
  const type = fields[11] as string | null;
  const record: KeyRecord = {
    key: fields[0] as string,
    version: fields[3] as number,
    origin: fields[4] as Origin,
    tombstone: fields[8] as boolean,
    value: fields[2] === null ? EMPTY_VALUE : (fields[2] as Uint8Array),
    createdAt: fields[5] as number,
    updatedAt: fields[6] as number,
    expiresAt: fields[7] === null ? 0 : (fields[7] as number),
    operationId: fields[10] as Uint8Array | null,
    contentType: contentTypeFault(type) === undefined ? type : null,
  };
  const row: RecordRow = { record, slot: fields[1] as number, checksum: fields[9] as number };
  return fields[12] === true ? { ...row, edited: true } : row;
}

/**
 * The order in which every writer locks its rows: two writers that lock in different orders deadlock (39 of 40 rounds,
 * measured). Any order will do, as long as all use the same.
 */
export function compareKeys(a: RecordRow, b: RecordRow): number {
  return a.record.key < b.record.key ? -1 : a.record.key > b.record.key ? 1 : 0;
}

function valueColumn(record: KeyRecord): Uint8Array | null {
  return record.tombstone && record.value.length === 0 ? null : record.value;
}

function parseInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  // Damage at the server, but no reason to consider it down: other rows are not affected.
  const message = `PostgreSQL holds a number that is no safe integer: ${text}`;
  throw new RecordFailure('unknown', message, { isOutage: false, ofRows: true });
}

function parseBytes(text: string): Uint8Array {
  // Every connection sets `bytea_output` to hex: \x68656c6c6f
  return Buffer.from(text.slice(2), 'hex');
}
