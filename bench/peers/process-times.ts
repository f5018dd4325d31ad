/** What processes have used of the cores, and files of the disk. Told where the system tells it: on Linux. */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';

/** The kernel counts the time of processes in these; it is so on all machines that Node runs on. */
const MS_PER_TICK = 10;
const BLOCK_BYTES = 512;

interface Times {
  readonly pid: number;
  readonly parent: number;
  /** With that of its children that have ended. */
  readonly ticks: number;
}

/** Milliseconds on a core of these processes and all below them; NaN where nobody tells. */
export function cpuMsOf(roots: readonly number[]): number {
  if (platform() !== 'linux') return NaN;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((times) => times !== undefined);
  const wanted = new Set(roots);
  // A child may stand before its parent: the list is gone through until nothing is added.
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

/** Undefined: it has ended. */
function timesOf(pid: number): Times | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid, parent: Number(fields[1]), ticks };
  } catch {
    return undefined;
  }
}

/** What the files below a directory take on the disk. */
export function diskBytesOf(directory: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) bytes += diskBytesOf(path);
      else if (entry.isFile()) bytes += (lstatSync(path).blocks || 0) * BLOCK_BYTES;
    }
  } catch {
    // It has been removed since it was listed.
  }
  return bytes;
}
