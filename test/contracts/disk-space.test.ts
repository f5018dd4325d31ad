/** The port for free space in both implementations: it accounts for what is written, and never answers synchronously. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SimDisk } from '../../sim/disk.ts';
import { Scheduler, type Life } from '../../sim/scheduler.ts';
import { systemDiskSpace } from '../../src/adapters/system/disk-space.ts';
import { Prng } from '../../src/base/prng.ts';
import type { DiskSpace, DiskUsage } from '../../src/ports/disk-space.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-space-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const scheduler = new Scheduler();
const life: Life = { alive: true, pausedUntil: 0 };

const subjects: readonly { name: string; space: DiskSpace; settle: () => void }[] = [
  { name: 'a directory of this machine', space: systemDiskSpace(root), settle: () => undefined },
  {
    name: 'a simulated disk',
    space: new SimDisk(new Prng(3)).space(scheduler, life),
    settle: () => scheduler.runUntil(scheduler.time + 10),
  },
];

describe.each(subjects)('$name', ({ space, settle }) => {
  test('is told once, after the call, and no more is free than there is', async () => {
    let calls = 0;
    const seen = await new Promise<DiskUsage>((resolve, reject) => {
      let isWithin = true;
      space.look((error, usage) => {
        calls += 1;
        if (error !== null || isWithin) reject(new Error(error ?? 'told within the call'));
        else resolve(usage);
      });
      isWithin = false;
      settle();
    });
    expect(calls).toBe(1);
    expect(seen.totalBytes).toBeGreaterThan(0);
    expect(seen.freeBytes).toBeGreaterThanOrEqual(0);
    expect(seen.freeBytes).toBeLessThanOrEqual(seen.totalBytes);
    expect(Number.isFinite(seen.freeBytes)).toBe(true);
    expect(seen.freeFiles).toBeGreaterThanOrEqual(0);
    expect(seen.freeFiles).toBeLessThanOrEqual(seen.totalFiles);
  });
});

test('a directory that is not there: an error, and no number that could be believed', async () => {
  const space = systemDiskSpace(join(root, 'missing'));
  const told = await new Promise<[string | null, DiskUsage]>((resolve) => {
    space.look((error, usage) => resolve([error, usage]));
  });
  expect(told[0]).toContain('ENOENT');
});

const told = (space: DiskSpace): Promise<[string | null, DiskUsage]> =>
  new Promise((resolve) => {
    space.look((error, usage) => resolve([error, usage]));
  });

test('a directory is moved away, another one is put in its place, and it is put back: told each time', async () => {
  const [path, elsewhere] = [join(root, 'moved'), join(root, 'elsewhere')];
  const isGone = async (): Promise<boolean> => {
    const [error, usage] = await told(space);
    expect(error).toBe(null);
    return usage.isGone;
  };
  mkdirSync(path);
  writeFileSync(join(path, 'CURRENT'), '');
  const space = systemDiskSpace(path, 'CURRENT');
  expect(await isGone()).toBe(false);
  renameSync(path, elsewhere);
  expect(await isGone()).toBe(true);
  mkdirSync(path);
  writeFileSync(join(path, 'CURRENT'), '');
  expect(await isGone()).toBe(true);
  rmSync(path, { recursive: true });
  renameSync(elsewhere, path);
  expect(await isGone()).toBe(false);
  rmSync(join(path, 'CURRENT'));
  expect(await isGone()).toBe(true);
});

test('a simulated disk: what is written there is missing from its free space', () => {
  const disk = new SimDisk(new Prng(4));
  const storage = disk.open(scheduler, life);
  disk.roomBytes = 1_000;
  storage.write(['key'], [new Uint8Array(400)], () => undefined);
  scheduler.runUntil(scheduler.time + 1_000);
  let freeBytes = 0;
  disk.space(scheduler, life).look((_error, usage) => (freeBytes = usage.freeBytes));
  scheduler.runUntil(scheduler.time + 10);
  expect(freeBytes).toBe(1_000 - 403);
});
