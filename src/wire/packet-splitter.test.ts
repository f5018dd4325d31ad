/** Packets reassembled from bytes that arrive in pieces of any size. */
import { expect, test, vi } from 'vitest';
import { PREFIX_BYTES, withPrefix } from './packet-codec.ts';
import { PacketSplitter } from './packet-splitter.ts';

const BYTES_MAX = 100;

function packets(...lengths: number[]): Buffer[] {
  return lengths.map((length, at) => Buffer.alloc(length, at + 1));
}

/** The resulting packets; null if one of the pieces was refused. */
function split(...pieces: Buffer[]): Buffer[] | null {
  const splitter = new PacketSplitter(BYTES_MAX);
  const found: Buffer[] = [];
  for (const piece of pieces) if (!splitter.push(piece, (packet) => found.push(packet))) return null;
  return found;
}

test('packets cut at every two places: the same packets', () => {
  const sent = packets(0, 1, 30, 0, BYTES_MAX, 7);
  const whole = Buffer.concat(sent);
  const bytes = Buffer.concat(sent.map(withPrefix));
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 3) {
      const cut = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      const found = split(...cut);
      if (found?.length !== sent.length || Buffer.compare(Buffer.concat(found), whole) !== 0)
        expect(found, `cut at ${first} and ${second}`).toEqual(sent);
    }
  }
});

test('byte by byte: the same packets', () => {
  const sent = packets(3, 0, 12);
  const bytes = Buffer.concat(sent.map(withPrefix));
  expect(split(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(sent);
});

test('within one piece nothing is copied', () => {
  const [packet] = packets(20);
  const piece = withPrefix(packet!);
  expect(split(piece)![0]!.buffer).toBe(piece.buffer);
});

test('a packet that is compressed or too large: refused as soon as its prefix is here', () => {
  const good = withPrefix(packets(4)[0]!);
  const compressed = Buffer.from(good);
  compressed[0] = 1;
  const large = withPrefix(Buffer.alloc(BYTES_MAX + 1)).subarray(0, PREFIX_BYTES);
  for (const bad of [compressed, large]) {
    expect(split(good, bad)).toBeNull();
    expect(split(good, bad.subarray(0, 2), bad.subarray(2))).toBeNull();
  }
});

test('a packet in very many pieces: put together once, and not with each of them', () => {
  const joined = vi.spyOn(Buffer, 'concat');
  try {
    const bytes = withPrefix(Buffer.alloc(BYTES_MAX, 7));
    const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(split(...pieces)).toEqual([Buffer.alloc(BYTES_MAX, 7)]);
    // Once for the prefix, and once for the whole.
    expect(joined).toHaveBeenCalledTimes(2);
  } finally {
    joined.mockRestore();
  }
});
