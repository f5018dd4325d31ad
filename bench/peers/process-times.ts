/**
 * The CPU time that processes have used, and the size of files on disk. Only on Linux, where the system provides this.
 */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';

/** The kernel counts CPU time in these ticks on all machines that Node runs on. */
const MS_PER_TICK = 10;
const BLOCK_BYTES = 512;

interface Times {
  readonly pid: number;
  readonly parent: number;
  /** Including those of its children that have ended. */
  readonly ticks: number;
}

/** CPU milliseconds of these processes and all their descendants; NaN if not available. */
export function cpuMsOf(roots: readonly number[]): number {
  if (platform() !== 'linux') return NaN;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((times) => times !== undefined);
  const wanted = new Set(roots);
  // A child may be listed before its parent, so the list is scanned until nothing is added.
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  const ticks = all.filter(({ pid }) => wanted.has(pid)).reduce((sum, times) => sum + times.ticks, 0);
  return ticks * MS_PER_TICK;
}

export function parentOf(pid: number): number | undefined {
  return platform() === 'linux' ? timesOf(pid)?.parent : undefined;
}

/** Undefined if it has ended. */
function timesOf(pid: number): Times | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid, parent: Number(fields[1]), ticks };
  } catch {
    return undefined;
  }
}

/** The disk space that the files below a directory take. */
export function diskBytesOf(directory: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) bytes += diskBytesOf(path);
      else if (entry.isFile()) bytes += (lstatSync(path).blocks || 0) * BLOCK_BYTES;
    }
  } catch {
    // It was removed since it was listed.
  }
  return bytes;
}
