/** Logs made by hand: which of them show that a synced batch is missing, and which only end early. */
import { expect, test } from 'vitest';
import { logLostWrites } from './log-check.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

/** The bits one by one, unlike the code under test. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

function piece(type: number, dataBytes = 10): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + dataBytes, type);
  bytes.writeUInt16LE(dataBytes, 4);
  bytes[6] = type;
  const crc = crc32c(bytes.subarray(6));
  const masked = ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  bytes.writeUInt32LE(masked >>> 0, 0);
  return bytes;
}

function rotten(type: number): Buffer {
  const bytes = piece(type);
  bytes[HEADER_BYTES]! ^= 1;
  return bytes;
}

/** As the engine fills it: no header begins in the last six bytes of a block. */
function blocks(...pieces: Buffer[]): Buffer {
  const log: Buffer[] = [];
  let at = 0;
  for (const bytes of pieces) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    const gap = left < HEADER_BYTES ? left : 0;
    log.push(Buffer.alloc(gap), bytes);
    at += gap + bytes.length;
  }
  return Buffer.concat(log);
}

/** Fills a block except for `left` bytes. */
const allBut = (left: number): Buffer => piece(FULL, BLOCK_BYTES - HEADER_BYTES - left);

test.each([
  ['empty', []],
  ['of whole batches', [piece(FULL), piece(FIRST), piece(MIDDLE), piece(LAST), piece(FULL)]],
  ['with a block that is filled up', [allBut(6), piece(FULL), piece(FULL)]],
  [
    'with a block in which there is just room for a header',
    [allBut(HEADER_BYTES), piece(FULL, 0), piece(FULL)],
  ],
  [
    'with a block in which a batch has just its first header',
    [allBut(7), piece(FIRST, 0), piece(LAST), piece(FULL)],
  ],
  ['of three blocks, the first of them filled up', [allBut(6), allBut(0), piece(FULL)]],
  [
    'that ends with a batch in two blocks, rotten in between',
    [allBut(34), piece(FIRST), rotten(MIDDLE), piece(LAST)],
  ],
  ['with rot, and the beginning of a batch in the next block', [rotten(FULL), allBut(17), piece(FIRST)]],
  ['that ends within a batch', [piece(FULL), piece(FIRST), piece(MIDDLE)]],
  ['that ends with a rotten batch', [piece(FULL), rotten(FULL)]],
  ['that ends with the rest of a batch', [piece(FULL), piece(LAST)]],
  ['with rot that hides the rest of a block, in which everything ends', [rotten(FULL), piece(FULL)]],
])('a log %s: nothing is missing between', (_, pieces) => {
  expect(logLostWrites(blocks(...pieces))).toBe(false);
});

test.each([
  ['a batch without its end before another', [piece(FIRST), piece(FULL)]],
  ['a batch without its end before one in parts', [piece(FIRST), piece(FIRST), piece(LAST)]],
  ['the middle of a batch without its beginning', [piece(MIDDLE), piece(FULL)]],
  ['the end of a batch without its beginning', [piece(LAST), piece(FULL)]],
  ['a piece of a kind that there is not', [piece(9), piece(FULL)]],
  ['a rotten batch, and a whole one in the next block', [rotten(FULL), allBut(17), piece(FULL)]],
  [
    'a rotten end, and a batch in parts in the next block',
    [allBut(17), rotten(LAST), piece(FIRST), piece(LAST)],
  ],
])('a log with %s: a batch is missing', (_, pieces) => {
  expect(logLostWrites(blocks(...pieces))).toBe(true);
});
