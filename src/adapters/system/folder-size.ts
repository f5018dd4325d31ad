/**
 * How large the files of a folder are together, those of folders within it left out. Looked at when somebody asks, who is told
 * what was found the last time: nobody waits for a disk.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Milliseconds between two looks: an engine may have thousands of files. */
const LOOK_MS = 5_000;

/** Bytes; null: nothing was found yet. */
export function folderSize(path: string): () => number | null {
  let found: number | null = null;
  let lookedAt = -Infinity;
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    try {
      found = await sizeOf(path);
    } catch {
      // The folder is not there, or is being set aside.
      found = null;
    }
    isLooking = false;
    lookedAt = performance.now();
  };
  return () => {
    if (!isLooking && performance.now() - lookedAt >= LOOK_MS) void look();
    return found;
  };
}

async function sizeOf(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    // One that the engine has removed meanwhile takes no room.
    if (entry.isFile()) bytes += (await stat(join(path, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
