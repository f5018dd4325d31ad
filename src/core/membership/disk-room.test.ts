/** When a disk counts as nearly full, and which members the cluster can do without. */
import { describe, expect, test } from 'vitest';
import { DISK_FILES_RESERVE } from './disk-limits.ts';
import { DiskRoom, canDoWithout, isMissed } from './disk-room.ts';
import type { DiskSeen } from './disk-room.ts';
import { DISK_RETURN_FACTOR } from '../limits.ts';
import type { Member, SlotRow, Topology } from './topology.ts';

describe('the disk', () => {
  const reserve = { bytes: 1_000, shareMax: 0.1 };
  const seen = (freeBytes: number, totalBytes: number, freeFiles = 0, totalFiles = 0): DiskSeen => ({
    ...{ freeBytes, totalBytes, freeFiles, totalFiles, isGone: false },
  });
  const gone: DiskSeen = { freeBytes: 0, totalBytes: 0, freeFiles: 0, totalFiles: 0, isGone: true };

  test('below the reserve it is low, and no longer only well above it', () => {
    const room = new DiskRoom(reserve);
    expect(room.saw(seen(1_000, 100_000))).toBe(false);
    expect(room.saw(seen(999, 100_000))).toBe(true);
    expect(room.isLow).toBe(true);
    expect(room.saw(seen(1_000, 100_000))).toBe(false);
    expect(room.saw(seen(1_000 * DISK_RETURN_FACTOR - 1, 100_000))).toBe(false);
    expect(room.isLow).toBe(true);
    expect(room.saw(seen(1_000 * DISK_RETURN_FACTOR, 100_000))).toBe(true);
    expect(room.isLow).toBe(false);
  });

  test('a small disk: the reserve is a share of it, and told so', () => {
    const room = new DiskRoom(reserve);
    expect(room.saw(seen(500, 4_000))).toBe(false);
    expect(room).toMatchObject({ isLow: false, freeBytes: 500, reserveBytes: 400 });
    expect(room.saw(seen(399, 4_000))).toBe(true);
  });

  test('hardly a file can be made, with bytes enough: it is low, and no longer only well above that', () => {
    const room = new DiskRoom(reserve);
    const files = (free: number): DiskSeen => seen(50_000, 100_000, free, 1_000_000);
    expect(room.saw(files(DISK_FILES_RESERVE))).toBe(false);
    expect(room.saw(files(DISK_FILES_RESERVE - 1))).toBe(true);
    expect(room).toMatchObject({ isLow: true, freeFiles: 999, reserveFiles: 1_000 });
    expect(room.saw(files(DISK_FILES_RESERVE))).toBe(false);
    expect(room.saw(files(DISK_FILES_RESERVE * DISK_RETURN_FACTOR))).toBe(true);
    expect(room.isLow).toBe(false);
  });

  test('a small file system: a share of its files; one that does not count them: never low for that', () => {
    const room = new DiskRoom(reserve);
    expect(room.saw(seen(50_000, 100_000, 200, 16_000))).toBe(false);
    expect(room.saw(seen(50_000, 100_000, 159, 16_000))).toBe(true);
    expect(new DiskRoom(reserve).saw(seen(50_000, 100_000, 0, 0))).toBe(false);
    expect(new DiskRoom({ bytes: 0, shareMax: 0.1 }).saw(seen(0, 4_000, 0, 16_000))).toBe(false);
  });

  test('the store is not in its place: low, with the last numbers, and no longer when it is back', () => {
    const room = new DiskRoom(reserve);
    room.saw(seen(1_200, 100_000));
    expect(room.saw(gone)).toBe(true);
    expect(room).toMatchObject({ isLow: true, isGone: true, freeBytes: 1_200, reserveBytes: 1_000 });
    expect(room.saw(gone)).toBe(false);
    expect(room.saw(seen(1_200, 100_000))).toBe(true);
    expect(room).toMatchObject({ isLow: false, isGone: false });
  });

  test('the store of a full disk is not in its place, and is put back: low until there is clearly more room', () => {
    const room = new DiskRoom(reserve);
    expect(room.saw(seen(900, 100_000))).toBe(true);
    expect(room.saw(gone)).toBe(false);
    expect(room.saw(seen(1_200, 100_000))).toBe(false);
    expect(room).toMatchObject({ isLow: true, isGone: false });
    expect(room.saw(seen(1_000 * DISK_RETURN_FACTOR, 100_000))).toBe(true);
  });

  test('no reserve: never low, not even without any room', () => {
    expect(new DiskRoom({ bytes: 0, shareMax: 0.1 }).saw(seen(0, 4_000))).toBe(false);
  });
});

/** Members 1 to 4, of which the dead ones are not alive. */
function topologyOf(rows: readonly SlotRow[], dead: readonly number[] = [], ownerCountMin = 2): Topology {
  const members = [1, 2, 3, 4].map((id) => ({ id, name: `n${id}`, alive: !dead.includes(id) }) as Member);
  return { members, rows, replicaCount: 3, ownerCountMin } as unknown as Topology;
}

describe('who can be done without', () => {
  const all = (): boolean => true;
  const whole = { owners: [1, 2, 3], complete: [1, 2, 3] };

  test('as many other complete owners as a write needs are up: it can', () => {
    expect(canDoWithout(topologyOf([whole]), 1, all)).toBe(true);
  });

  test('one of them is gone, is silent, or only learns: it cannot', () => {
    expect(canDoWithout(topologyOf([whole], [2]), 1, all)).toBe(false);
    expect(canDoWithout(topologyOf([whole]), 1, (name) => name !== 'n3')).toBe(false);
    expect(canDoWithout(topologyOf([{ owners: [1, 2, 3], complete: [1, 2] }]), 1, all)).toBe(false);
  });

  test('a single row decides; rows that it does not hold whole do not', () => {
    const narrow = { owners: [1, 4], complete: [1, 4] };
    expect(canDoWithout(topologyOf([whole, narrow]), 1, all)).toBe(false);
    expect(canDoWithout(topologyOf([whole, narrow]), 2, all)).toBe(true);
    expect(canDoWithout(topologyOf([{ owners: [1, 2], complete: [2] }]), 1, all)).toBe(true);
  });

  test('where one owner is enough for a write, one other is', () => {
    expect(canDoWithout(topologyOf([whole], [2], 1), 1, all)).toBe(true);
    expect(canDoWithout(topologyOf([whole], [2, 3], 1), 1, all)).toBe(false);
  });

  test('missed is only the last complete owner of a row that no live one holds', () => {
    expect(isMissed(topologyOf([{ owners: [1, 2, 3], complete: [1] }], [1]), 1)).toBe(true);
    expect(isMissed(topologyOf([{ owners: [1, 2, 3], complete: [1, 2] }], [1]), 1)).toBe(false);
    expect(isMissed(topologyOf([{ owners: [1, 2, 3], complete: [2] }], [1, 2]), 1)).toBe(false);
  });
});
