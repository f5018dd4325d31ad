/**
 * Looks for lost writes in LevelDB's write-ahead log before the engine opens it, because the engine itself silently
 * skips damaged parts, and acknowledged writes with them. A torn last batch, as a crash leaves it, is not damage: it
 * was never acknowledged. But an intact batch after a broken one proves that a synced write was lost. For the very last
 * batch, a torn write and damage look the same.
 *
 * Format: doc/log_format.md of LevelDB; blocks of 32 KiB, records of crc32c (4), length (2), type (1), data.
 */

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const TYPE_FULL = 1;
const TYPE_FIRST = 2;
const TYPE_MIDDLE = 3;
const TYPE_LAST = 4;

/** Returns true if a batch is missing between others. */
export function logLostWrites(log: Uint8Array): boolean {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  let broken = false;
  let assembling = false;
  let offset = 0;
  while (offset + HEADER_BYTES <= log.length) {
    const blockLeft = BLOCK_BYTES - (offset % BLOCK_BYTES);
    if (blockLeft < HEADER_BYTES) {
      offset += blockLeft;
      continue;
    }
    const length = view.getUint16(offset + 4, true);
    const end = offset + HEADER_BYTES + length;
    const type = log[offset + 6]!;
    if (HEADER_BYTES + length > blockLeft || end > log.length || !checksumHolds(log, view, offset, end)) {
      // As in the engine: the rest of the block cannot be trusted.
      broken = true;
      assembling = false;
      offset += blockLeft;
      continue;
    }
    if (type === TYPE_FULL || type === TYPE_FIRST) {
      if (assembling) broken = true;
      assembling = type === TYPE_FIRST;
      if (type === TYPE_FULL && broken) return true;
    } else if (assembling && type === TYPE_LAST) {
      if (broken) return true;
      assembling = false;
    } else if (!(assembling && type === TYPE_MIDDLE)) {
      broken = true;
    }
    offset = end;
  }
  return false;
}

function checksumHolds(log: Uint8Array, view: DataView, offset: number, end: number): boolean {
  const masked = view.getUint32(offset, true);
  const rotated = (masked - 0xa282ead8) >>> 0;
  const stored = ((rotated >>> 17) | (rotated << 15)) >>> 0;
  return crc32c(log, offset + 6, end) === stored;
}

const CRC_TABLE = buildTable();

function buildTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[byte] = crc >>> 0;
  }
  return table;
}

function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let index = from; index < to; index++) crc = CRC_TABLE[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
