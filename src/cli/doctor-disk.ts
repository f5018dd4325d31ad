/** Measures the disk on which a directory lies, with a file of its own that it removes again. */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { DiskFacts } from './doctor-disk-rules.ts';

const SYNC_COUNT = 50;
/** Milliseconds for all syncs; on a slow disk there are fewer of them. */
const SYNC_TIME_MS = 1_500;
const SYNC_BYTES = 4_096;
const STREAM_BYTES = 16 * 1024 * 1024;

/** Names of file systems by their Linux magic number; others are shown as a number. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x0102_1994: 'tmpfs',
  0x8584_58f6: 'ramfs',
  0x6969: 'nfs',
  0xff53_4d42: 'cifs',
  0xfe53_4d42: 'smb',
  0x0102_1997: '9p',
  0x6573_5546: 'fuse',
  0x794c_7630: 'overlay',
  0xef53: 'ext4',
  0x5846_5342: 'xfs',
  0x9123_683e: 'btrfs',
  0x2fc1_2fc1: 'zfs',
};

export async function diskFacts(directory: string, signal: AbortSignal): Promise<DiskFacts> {
  const { path, exists, obstacle } = await nearest(resolve(directory));
  const { type, bsize, blocks, bavail, files, ffree } = await statfs(path);
  const unsigned = type >>> 0;
  const facts = {
    ...{ path, exists, refusal: '', freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    fileSystem:
      FILE_SYSTEMS[unsigned] ?? (process.platform === 'linux' ? `0x${unsigned.toString(16)}` : 'a disk'),
    ...{ inodesFree: ffree, inodesTotal: files, syncMs: [], bytesPerSecond: 0 },
  };
  if (obstacle !== '') return { ...facts, path: resolve(directory), refusal: `${obstacle} is no directory` };
  const file = join(path, `.causeway-doctor-${process.pid}`);
  try {
    return { ...facts, ...(await measure(file, signal)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ...facts, refusal: code ?? message };
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/**
 * The nearest ancestor that exists, because a check must not create anything. `obstacle`: a path in the way that is not
 * a directory.
 */
async function nearest(path: string): Promise<{ path: string; exists: boolean; obstacle: string }> {
  let obstacle = '';
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
      return null;
    });
    if (found?.isDirectory() === true) return { path: at, exists: at === path, obstacle };
    if (found !== null) obstacle = at;
    if (dirname(at) === at) throw new Error(`there is no directory above ${path}`);
  }
}

async function measure(
  path: string,
  signal: AbortSignal,
): Promise<{ syncMs: number[]; bytesPerSecond: number }> {
  const file = await open(path, 'wx', 0o600);
  try {
    const page = Buffer.alloc(SYNC_BYTES, 'causeway');
    const syncMs: number[] = [];
    const until = performance.now() + SYNC_TIME_MS;
    while (syncMs.length < SYNC_COUNT && performance.now() < until && !signal.aborted) {
      await file.write(page);
      const began = performance.now();
      await file.datasync();
      syncMs.push(performance.now() - began);
    }
    // The first sync includes making the file known to its directory.
    if (syncMs.length > 1) syncMs.shift();
    const began = performance.now();
    const chunk = Buffer.alloc(1024 * 1024, 'causeway');
    for (let written = 0; written < STREAM_BYTES && !signal.aborted; written += chunk.length)
      await file.write(chunk);
    await file.datasync();
    const seconds = (performance.now() - began) / 1_000;
    return { syncMs: syncMs.sort((a, b) => a - b), bytesPerSecond: STREAM_BYTES / seconds };
  } finally {
    await file.close();
  }
}
