/**
 * A small disk for each node, so that one can be filled without harming the machine: a memory file system of a few
 * megabytes, mounted where the node keeps its data. Mounting needs root on Linux.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface NodeDisk {
  readonly name: string;
  readonly disk: string;
}

/** Room for what a run of minutes writes, including logs that are about to be compacted. */
const DISK_MB = 384;
const BALLAST = 'ballast';
const CHUNK_BYTES = 1024 * 1024;
const run = promisify(execFile);

export class SmallDisks {
  private readonly disks: readonly NodeDisk[];

  /** Why this is not possible on this machine; null if it is. */
  static whyNot(): string | null {
    if (process.platform !== 'linux') return 'small disks are mounted on Linux only';
    if (process.getuid?.() !== 0) return 'mounting small disks needs root';
    const probe = mkdtempSync(join(tmpdir(), 'causeway-disk-'));
    try {
      mount(probe, 1);
      unmount(probe);
      return null;
    } catch {
      return 'this machine lets nobody mount';
    } finally {
      rmdirSync(probe);
    }
  }

  constructor(disks: readonly NodeDisk[]) {
    this.disks = disks;
    for (const { disk } of disks) {
      mkdirSync(disk, { recursive: true });
      mount(disk, DISK_MB);
    }
  }

  /** Fills it until nothing more fits; returns true if the disk itself reported that. */
  fill(name: string): boolean {
    const file = openSync(join(this.diskOf(name), BALLAST), 'w');
    try {
      for (let bytes = CHUNK_BYTES; bytes >= 1;) {
        try {
          if (writeSync(file, Buffer.alloc(bytes)) < bytes) bytes = Math.floor(bytes / 2);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          if (bytes < 4_096) return true;
          bytes = Math.floor(bytes / 2);
        }
      }
      return true;
    } finally {
      closeSync(file);
    }
  }

  /**
   * Leaves this much free. Another process does it, because it takes a second in which the clients of this one would
   * stand still.
   */
  async leave(name: string, bytes: number): Promise<void> {
    const path = this.diskOf(name);
    const { bavail, bsize } = statfsSync(path);
    const ballast = Math.max(1, bavail * bsize - bytes);
    await run('fallocate', ['--length', String(ballast), join(path, BALLAST)]);
  }

  free(name: string): void {
    rmSync(join(this.diskOf(name), BALLAST), { force: true });
  }

  /** The nodes must have ended. */
  close(): void {
    for (const { disk } of this.disks) if (existsSync(disk)) unmount(disk);
  }

  private diskOf(name: string): string {
    return this.disks.find((one) => one.name === name)!.disk;
  }
}

function mount(path: string, megabytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'causeway-test', path], {
    stdio: 'pipe',
  });
}

/** Works even while somebody is still using it: it is removed when they are done. */
function unmount(path: string): void {
  execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });
}
