/** Topologies on disk and on links: intact, or recognised as damaged. */
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import { inOneShape } from '../core/membership/topology.ts';
import type { SlotRow, Topology } from '../core/membership/topology.ts';
import { decodeTopology, encodeTopology } from './topology-codec.ts';

function makeTopology(rows: readonly SlotRow[], slotRow: Uint16Array): Topology {
  return {
    epoch: 7,
    clusterId: 'c-1',
    life: 2,
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    members: [1, 2, 3].map((id) => ({
      id,
      name: `node-${id}`,
      address: `127.0.0.1:5005${id}`,
      incarnation: id * 10,
      alive: id !== 2,
      zone: 'z',
      host: 'h',
      weight: 1,
    })),
    council: [1, 2, 3],
    nextId: 4,
    rows,
    slotRow,
    placed: [1, 2, 3],
    floorCounter: 5,
    loaded: true,
  };
}

const ROW: SlotRow = { owners: [1, 2, 3], complete: [1, 3] };
const randomSlots = (rowCount: number): Uint16Array => {
  const prng = new Prng(rowCount);
  return Uint16Array.from({ length: SLOT_COUNT }, () => prng.below(rowCount));
};

describe('a topology as bytes', () => {
  test('one row for all slots: comes back equal, in less than 300 bytes', () => {
    const topology = makeTopology([ROW], new Uint16Array(SLOT_COUNT));
    const bytes = encodeTopology(topology);
    expect(decodeTopology(bytes)).toEqual(topology);
    expect(bytes.length).toBeLessThan(300);
  });

  test.each([2, 256, 257, 3000])('%d rows scattered over the slots: come back equal', (rowCount) => {
    const topology = makeTopology(new Array<SlotRow>(rowCount).fill(ROW), randomSlots(rowCount));
    expect(decodeTopology(encodeTopology(topology))).toEqual(topology);
  });

  test('decoded, or made by a change and proposed: the same fields in the same order, whatever is left out', () => {
    const plain = makeTopology([ROW], new Uint16Array(SLOT_COUNT));
    const record = { driven: true, drive: 2, timeline: 3, system: '7412336951' };
    const members = plain.members.map((member) => ({ standing: 'leaving' as const, ...member }));
    const told = { protocol: 6, ...plain, members, record, spooling: true, rows: [{ ...ROW, coming: [2] }] };
    const fieldsOf = ({ record: standing, ...topology }: Topology): string[][] =>
      [topology, topology.members[0]!, topology.rows[0]!, standing ?? record].map((each) =>
        Object.keys(each),
      );
    const [first, ...others] = [plain, told].flatMap((each) => [
      fieldsOf(inOneShape(each)),
      fieldsOf(decodeTopology(encodeTopology(each))!),
    ]);
    for (const other of others) expect(other.slice(0, 3)).toEqual(first!.slice(0, 3));
    expect(others[1]![3]).toEqual(others[2]![3]);
  });

  test('with the PostgreSQL in use: comes back equal; as an earlier build wrote it, without one', () => {
    const topology = makeTopology([ROW], new Uint16Array(SLOT_COUNT));
    const record = { system: '7412336951', timeline: 3, drive: 2, driven: false };
    const named = encodeTopology({ ...topology, record });
    expect(decodeTopology(named)).toEqual({ ...topology, record });
    const bytes = encodeTopology(topology);
    // After the checksum, the first difference between the two is the byte that says whether one follows.
    const at = bytes.findIndex((byte, index) => index > 4 && byte !== named[index]);
    const isFormat = (format: number, kept: Uint8Array): void => {
      const earlier = Buffer.concat([kept, bytes.subarray(at + 2)]);
      earlier[4] = format;
      earlier.writeUInt32LE(crc32(earlier.subarray(4)), 0);
      expect(decodeTopology(earlier)).toEqual(topology);
    };
    isFormat(2, bytes.subarray(0, at));
    isFormat(3, bytes.subarray(0, at + 1));
  });

  test('while writes do without PostgreSQL: comes back equal', () => {
    const topology = { ...makeTopology([ROW], new Uint16Array(SLOT_COUNT)), spooling: true };
    expect(decodeTopology(encodeTopology(topology))).toEqual(topology);
  });

  test('a slot whose row does not exist: cannot be encoded, and is not accepted', () => {
    const slots = new Uint16Array(SLOT_COUNT);
    slots[5] = 1;
    expect(() => encodeTopology(makeTopology([ROW], slots))).toThrow('the row of a slot exists');
    const bytes = Buffer.from(encodeTopology(makeTopology([ROW, ROW], slots)));
    // The runs are the last bytes: (0, 5) (1, 1) (0, the rest).
    bytes.writeUInt16LE(2, bytes.length - 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    expect(decodeTopology(bytes)).toBeUndefined();
  });

  test('cut off anywhere, or with any one bit flipped: is recognised as damaged', () => {
    const bytes = encodeTopology(makeTopology([ROW, ROW], new Uint16Array(SLOT_COUNT)));
    for (let at = 0; at < bytes.length; at++) {
      expect(decodeTopology(bytes.subarray(0, at))).toBeUndefined();
      const flipped = new Uint8Array(bytes);
      flipped[at]! ^= 1 << (at % 8);
      expect(decodeTopology(flipped)).toBeUndefined();
    }
  });
});
