/**
 * CRC-32 of a range of bytes, as zlib computes it. Most frames and records are so short that calling the runtime's
 * function, and creating the view it takes, costs more than the tables here (at 40 bytes 159 ns against 40, at 152
 * bytes 203 against 94); from about 350 bytes on the runtime's function is faster.
 */
import { crc32 } from 'node:zlib';

const SHORT_BYTES_MAX = 320;
const POLYNOMIAL = 0xedb88320;

/** `TABLES[n][byte]`: the contribution of a byte that n more bytes of the same step follow. */
const STEP_BYTES = 8;
const TABLES = makeTables(STEP_BYTES);
const T0 = TABLES[0]!;
const T1 = TABLES[1]!;
const T2 = TABLES[2]!;
const T3 = TABLES[3]!;
const T4 = TABLES[4]!;
const T5 = TABLES[5]!;
const T6 = TABLES[6]!;
const T7 = TABLES[7]!;

/** The checksum of the bytes from `from` up to `end`; `before` is the checksum of the preceding bytes. */
export function checksumOf(bytes: Uint8Array, from: number, end: number, before = 0): number {
  return end - from > SHORT_BYTES_MAX
    ? crc32(bytes.subarray(from, end), before)
    : shortChecksum(bytes, from, end, before);
}

function shortChecksum(bytes: Uint8Array, from: number, end: number, before: number): number {
  let crc = ~before;
  let index = from;
  for (; index + STEP_BYTES <= end; index += STEP_BYTES) {
    const first =
      crc ^
      (bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24));
    const half =
      T7[first & 0xff]! ^ T6[(first >>> 8) & 0xff]! ^ T5[(first >>> 16) & 0xff]! ^ T4[first >>> 24]!;
    crc =
      half ^
      T3[bytes[index + 4]!]! ^
      T2[bytes[index + 5]!]! ^
      T1[bytes[index + 6]!]! ^
      T0[bytes[index + 7]!]!;
  }
  for (; index < end; index += 1) crc = T0[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(count: number): Int32Array[] {
  const tables = [Int32Array.from({ length: 256 }, (_, byte) => shiftOut(byte))];
  while (tables.length < count) {
    const before = tables.at(-1)!;
    tables.push(before.map((crc) => tables[0]![crc & 0xff]! ^ (crc >>> 8)));
  }
  return tables;
}

function shiftOut(byte: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
}
