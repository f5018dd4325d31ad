/**
 * A wall clock for each node that can be set at any moment, by libfaketime: the library is loaded before the node, and
 * reads the offset from a file whenever the clock is read. Monotonic clocks are not changed.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY = 'faketime/libfaketimeMT.so.1';

export class FakeClocks {
  private readonly library: string;
  private readonly files: ReadonlyMap<string, string>;

  /** Why this is not possible on this machine; null if it is. */
  static whyNot(): string | null {
    return findLibrary() === null ? 'clocks are set by libfaketime, which is not installed' : null;
  }

  constructor(nodes: readonly { readonly name: string; readonly home: string }[]) {
    this.library = findLibrary()!;
    this.files = new Map(nodes.map(({ name, home }) => [name, join(home, 'clock')]));
  }

  envOf(name: string): Record<string, string> {
    const file = this.files.get(name)!;
    if (!existsSync(file)) this.set(name, 0);
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
    };
  }

  /** From the next reading on, the clock is off by this much (positive: ahead). */
  set(name: string, offsetMs: number): void {
    const file = this.files.get(name)!;
    writeFileSync(`${file}.new`, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1_000}\n`);
    renameSync(`${file}.new`, file);
  }

  /** Whether this process uses our clock. */
  isWornBy(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/maps`, 'utf8').includes(this.library);
    } catch {
      return false;
    }
  }
}

/** Debian keeps it in a directory named after the machine's architecture. */
function findLibrary(): string | null {
  if (process.platform !== 'linux') return null;
  const kinds = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  const folders = ['/usr/local/lib', '/usr/lib', '/usr/lib64', ...kinds.map((kind) => `/usr/lib/${kind}`)];
  return folders.map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path)) ?? null;
}
