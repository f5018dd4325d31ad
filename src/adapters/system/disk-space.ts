/** The DiskSpace port on the file system of a directory. */
import { stat, statfs } from 'node:fs';
import { join } from 'node:path';
import type { DiskSpace, DiskUsage } from '../../ports/disk-space.ts';

const NOTHING: DiskUsage = { freeBytes: 0, totalBytes: 0, freeFiles: 0, totalFiles: 0, isGone: false };
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * `directory` must exist. `file`: the name, in it, of a file without which what it holds cannot be opened again; null if
 * there is none.
 */
export function systemDiskSpace(directory: string, file: string | null = null): DiskSpace {
  const needed = join(directory, file ?? '.');
  /** The directory at the first look, whatever its path. */
  let first: string | undefined;
  return {
    look: (done) => {
      const gone = (error: NodeJS.ErrnoException): void => {
        if (first === undefined || !ABSENT.has(error.code ?? '')) done(error.message, NOTHING);
        else done(null, { ...NOTHING, isGone: true });
      };
      stat(directory, (error, place) => {
        if (error !== null) return gone(error);
        const seen = `${place.dev}:${place.ino}`;
        if (seen !== (first ?? seen)) return done(null, { ...NOTHING, isGone: true });
        stat(needed, (missing) => {
          if (missing !== null) return gone(missing);
          first = seen;
          measure(directory, done);
        });
      });
    },
  };
}

function measure(directory: string, done: (error: string | null, space: DiskUsage) => void): void {
  statfs(directory, (error, stats) => {
    if (error !== null) return done(error.message, NOTHING);
    // Blocks reserved for the system administrator are free, but not for us.
    done(null, {
      freeBytes: stats.bavail * stats.bsize,
      totalBytes: stats.blocks * stats.bsize,
      freeFiles: stats.ffree,
      totalFiles: stats.files,
      isGone: false,
    });
  });
}
