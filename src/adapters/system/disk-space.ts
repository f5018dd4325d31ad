/** The DiskSpace port on the file system that a directory lies on. */
import { statfs } from 'node:fs';
import type { DiskSpace } from '../../ports/disk-space.ts';

const NOTHING = { freeBytes: 0, totalBytes: 0, freeFiles: 0, totalFiles: 0 };

/** The directory must exist. */
export function systemDiskSpace(directory: string): DiskSpace {
  return {
    look: (done) => {
      statfs(directory, (error, stats) => {
        if (error !== null) return done(error.message, NOTHING);
        // What is kept for the system's administrator is free, and not for us.
        done(null, {
          freeBytes: stats.bavail * stats.bsize,
          totalBytes: stats.blocks * stats.bsize,
          freeFiles: stats.ffree,
          totalFiles: stats.files,
        });
      });
    },
  };
}
