/** A single number in the store, with a checksum, because one flipped bit would make it another number. */
import { crc32 } from 'node:zlib';

export const NUMBER_BYTES = 8;
const CHECKSUM_BYTES = 4;

/** `seed`: a checksum of what the number belongs to, if the checksum should cover that too. */
export function sealNumber(value: number, seed = 0): Uint8Array {
  const bytes = Buffer.allocUnsafe(NUMBER_BYTES + CHECKSUM_BYTES);
  bytes.writeDoubleLE(value, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, NUMBER_BYTES), seed), NUMBER_BYTES);
  return bytes;
}

/** Undefined if damaged. */
export function openNumber(value: Uint8Array, seed = 0): number | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length !== NUMBER_BYTES + CHECKSUM_BYTES) return undefined;
  const isWhole = crc32(bytes.subarray(0, NUMBER_BYTES), seed) === bytes.readUInt32LE(NUMBER_BYTES);
  return isWhole ? bytes.readDoubleLE(0) : undefined;
}
