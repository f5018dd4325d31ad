/**
 * Which of the 16,384 slots a key belongs to: CRC-16 of its UTF-8 bytes modulo 16,384, exactly as Redis Cluster
 * computes it, so that its clients route to the right node. Where the key has a `{hash tag}` only the tag
 * counts, so that keys with the same tag live together. (Redis Cluster specification, "Key distribution model")
 */
import { SLOT_COUNT } from '../limits.ts';

const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const SLOT_MASK = SLOT_COUNT - 1;

/** CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. Check value of "123456789": 0x31C3. */
const CRC_TABLE = ((): Uint16Array => {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = crc & 0xffff;
  }
  return table;
})();

/**
 * The slot of a key, 0 to 16,383. Works on the string itself without allocating; an ASCII key without a tag takes one
 * pass, with one table look-up per character.
 */
export function slotOf(key: string): number {
  let crc = 0;
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code === BRACE_OPEN || code >= 0x80) return slotOfTagged(key);
    crc = ((crc << 8) & 0xff00) ^ CRC_TABLE[(crc >>> 8) ^ code]!;
  }
  return crc & SLOT_MASK;
}

/** The same for bytes, which need not be valid text. */
export function slotOfBytes(key: Uint8Array): number {
  const open = key.indexOf(BRACE_OPEN);
  const close = open < 0 ? -1 : key.indexOf(BRACE_CLOSE, open + 1);
  const tagged = close > open + 1;
  let crc = 0;
  for (let at = tagged ? open + 1 : 0; at < (tagged ? close : key.length); at++) crc = step(crc, key[at]!);
  return crc & SLOT_MASK;
}

/** The part from the first `{` to the next `}` if there is something between them; otherwise the whole key. */
function slotOfTagged(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const tagged = close > open + 1;
  return crcOfUtf8(key, tagged ? open + 1 : 0, tagged ? close : key.length) & SLOT_MASK;
}

/** CRC of the UTF-8 bytes of a part of the key. A lone surrogate counts as U+FFFD, which is how UTF-8 encoders write it. */
function crcOfUtf8(key: string, start: number, end: number): number {
  let crc = 0;
  let at = start;
  while (at < end) {
    let point = key.codePointAt(at)!;
    at += point > 0xffff ? 2 : 1;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) {
      crc = step(crc, point);
    } else if (point < 0x800) {
      crc = step(step(crc, 0xc0 | (point >> 6)), tail(point));
    } else if (point < 0x10000) {
      crc = step(step(step(crc, 0xe0 | (point >> 12)), tail(point >> 6)), tail(point));
    } else {
      crc = step(step(crc, 0xf0 | (point >> 18)), tail(point >> 12));
      crc = step(step(crc, tail(point >> 6)), tail(point));
    }
  }
  return crc;
}

function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xff00) ^ CRC_TABLE[(crc >>> 8) ^ byte]!;
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
