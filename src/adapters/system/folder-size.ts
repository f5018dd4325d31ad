/**
 * The total size of the files in a folder, without subfolders. Measured in the background when somebody asks; the
 * caller gets the previous result, so nobody waits for a disk.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Milliseconds between two measurements: an engine may have thousands of files. */
const LOOK_MS = 5_000;

/** Returns bytes, or null if nothing was measured yet. */
export function folderSize(path: string): () => number | null {
  let found: number | null = null;
  let lookedAt = -Infinity;
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    try {
      found = await sizeOf(path);
    } catch {
      // The folder does not exist, or is being set aside.
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
    // A file that the engine has removed meanwhile counts as 0.
    if (entry.isFile()) bytes += (await stat(join(path, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
