/**
 * Hostile bytes for a decoder: sometimes random, mostly a valid sample with a few things wrong. If the format has
 * checksums, they may be recomputed for the damaged bytes, so that the code behind the checksum is reached.
 */
import type { Prng } from '../../src/base/prng.ts';

export interface InputSource {
  /** Valid inputs, of as many kinds as possible. */
  readonly samples: readonly Uint8Array[];
  /** Corrects the checksums of the format, in place. */
  readonly reseal?: ((bytes: Uint8Array) => void) | undefined;
  /** Byte sequences that have a meaning in the format. */
  readonly tokens?: readonly Uint8Array[] | undefined;
}

const RANDOM_SHARE = 0.1;
const RANDOM_BYTES_MAX = 160;
const CHANGES_MAX = 6;
/** Mutations do not grow an input beyond this size in bytes. */
const INPUT_BYTES_MAX = 256 * 1024;
const BYTES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];
const WORDS = [0, 1, 0x7f, 0xff, 0x100, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xffff];
const LONGS = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const REALS = [NaN, Infinity, -Infinity, -1, -0, 0.5, 2 ** 53, 2 ** 53 - 1, 1e308, 4096];

export function drawInput(prng: Prng, source: InputSource): Uint8Array {
  if (prng.chance(RANDOM_SHARE)) return randomBytes(prng, prng.below(RANDOM_BYTES_MAX));
  let bytes: Uint8Array = new Uint8Array(prng.pick(source.samples));
  // Few changes are more likely than many: what a single change leaves intact is parsed further.
  const count = 1 + Math.min(prng.below(CHANGES_MAX), prng.below(CHANGES_MAX));
  for (let left = count; left > 0; left -= 1) bytes = change(prng, source, bytes);
  if (source.reseal !== undefined && prng.chance(0.8)) source.reseal(bytes);
  return bytes;
}

function randomBytes(prng: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = prng.uint32();
  return bytes;
}

function change(prng: Prng, source: InputSource, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return randomBytes(prng, 1 + prng.below(8));
  const at = prng.below(bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const left = bytes.length - at;
  switch (prng.below(10)) {
    case 0:
      bytes[at]! ^= 1 << prng.below(8);
      return bytes;
    case 1:
      bytes[at] = prng.pick(BYTES);
      return bytes;
    case 2:
      if (left >= 2) view.setUint16(at, prng.pick(WORDS), prng.chance(0.5));
      return bytes;
    case 3:
      if (left >= 4) view.setUint32(at, prng.pick(LONGS), prng.chance(0.5));
      return bytes;
    case 4:
      if (left >= 8) view.setFloat64(at, prng.pick(REALS), true);
      return bytes;
    case 5:
      return bytes.slice(0, at);
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + prng.below(Math.min(left, 40))));
    case 7:
      return grown(bytes, at, piece(prng, bytes));
    case 8:
      return grown(bytes, at, piece(prng, prng.pick(source.samples)));
    default:
      return grown(bytes, at, source.tokens === undefined ? randomBytes(prng, 1) : prng.pick(source.tokens));
  }
}

/** A part of some bytes, now and then repeated many times. */
function piece(prng: Prng, from: Uint8Array): Uint8Array {
  const at = prng.below(from.length + 1);
  const part = from.subarray(at, at + prng.below(80));
  if (!prng.chance(0.05)) return part;
  return joined(...Array.from({ length: 2 + prng.below(200) }, () => part));
}

function grown(bytes: Uint8Array, at: number, inserted: Uint8Array): Uint8Array {
  if (bytes.length + inserted.length > INPUT_BYTES_MAX) return bytes;
  return joined(bytes.subarray(0, at), inserted, bytes.subarray(at));
}

function joined(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
