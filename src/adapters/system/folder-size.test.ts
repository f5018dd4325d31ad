/** The size of a folder, measured in the background. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { folderSize } from './folder-size.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-size-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('files of a folder: nothing is told at first, then their bytes, without those of folders within', async () => {
  writeFileSync(join(folder, 'a'), Buffer.alloc(1_000));
  writeFileSync(join(folder, 'b'), Buffer.alloc(24));
  mkdirSync(join(folder, 'within'));
  writeFileSync(join(folder, 'within', 'c'), Buffer.alloc(500));
  const size = folderSize(folder);
  expect(size()).toBe(null);
  await vi.waitUntil(() => size() !== null, { timeout: 10_000 });
  expect(size()).toBe(1_024);
});

test('a folder that is not there: nothing is told, and nobody is thrown at', async () => {
  const size = folderSize(join(folder, 'none'));
  expect(size()).toBe(null);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(size()).toBe(null);
});
