/** A number that stands alone in the store, with a checksum: one flipped bit would make another number of it. */
import { crc32 } from 'node:zlib';

export const NUMBER_BYTES = 8;
const CHECKSUM_BYTES = 4;

/** `seed`: of what the number is told, where the checksum is to cover that, too. */
export function sealNumber(value: number, seed = 0): Uint8Array {
  const bytes = Buffer.allocUnsafe(NUMBER_BYTES + CHECKSUM_BYTES);
  bytes.writeDoubleLE(value, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, NUMBER_BYTES), seed), NUMBER_BYTES);
  return bytes;
}

/** Undefined where it is damaged. */
export function openNumber(value: Uint8Array, seed = 0): number | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length !== NUMBER_BYTES + CHECKSUM_BYTES) return undefined;
  const isWhole = crc32(bytes.subarray(0, NUMBER_BYTES), seed) === bytes.readUInt32LE(NUMBER_BYTES);
  return isWhole ? bytes.readDoubleLE(0) : undefined;
}
