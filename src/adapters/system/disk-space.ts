/** The DiskSpace port on the file system that a directory lies on. */
import { statfs } from 'node:fs';
import type { DiskSpace } from '../../ports/disk-space.ts';

/** The directory must exist. */
export function systemDiskSpace(directory: string): DiskSpace {
  return {
    look: (done) => {
      statfs(directory, (error, stats) => {
        if (error !== null) return done(error.message, { freeBytes: 0, totalBytes: 0 });
        // What is kept for the system's administrator is free, and not for us.
        done(null, { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize });
      });
    },
  };
}
