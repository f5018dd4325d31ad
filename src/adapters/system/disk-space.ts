/** The DiskSpace port on the file system of a directory. */
import { statfs } from 'node:fs';
import type { DiskSpace } from '../../ports/disk-space.ts';

const NOTHING = { freeBytes: 0, totalBytes: 0, freeFiles: 0, totalFiles: 0 };

/** The directory must exist. */
export function systemDiskSpace(directory: string): DiskSpace {
  return {
    look: (done) => {
      statfs(directory, (error, stats) => {
        if (error !== null) return done(error.message, NOTHING);
        // Blocks reserved for the system administrator are free, but not for us.
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
