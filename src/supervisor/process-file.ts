/**
 * The processes of a local cluster at this moment, as a file in its data directory, for tools and people that want to
 * stop one of them from outside. A process id alone proves nothing, so each comes with its start mark.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildEvent } from './child-process.ts';
import { isAlive, startMark } from './process-table.ts';

interface Noted {
  readonly pid: number;
  readonly mark: string;
}

const FILE = 'processes.json';

export class ProcessFile {
  readonly #path: string;
  readonly #processes = new Map<string, Noted>();

  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  /** Never throws: a cluster that cannot record its processes runs all the same. */
  note(event: ChildEvent): void {
    if (event.kind === 'started')
      this.#processes.set(event.name, { pid: event.pid, mark: startMark(event.pid) });
    else this.#processes.delete(event.name);
    try {
      if (this.#processes.size === 0) return rmSync(this.#path, { force: true });
      const text = `${JSON.stringify(Object.fromEntries(this.#processes))}\n`;
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // The disk is full; the nodes themselves report it.
    }
  }
}

/** The process id of this child of the cluster in that directory; undefined if it is not alive. */
export function pidOf(directory: string, name: string): number | undefined {
  let noted: Noted | undefined;
  try {
    noted = (JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as Record<string, Noted>)[name];
  } catch {
    return undefined;
  }
  if (noted === undefined || !Number.isSafeInteger(noted.pid) || noted.pid <= 1) return undefined;
  return isAlive(noted.pid) && startMark(noted.pid) === noted.mark ? noted.pid : undefined;
}
