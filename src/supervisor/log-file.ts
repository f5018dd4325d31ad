/**
 * The log of one child, bounded in size. The child writes directly to the file, not through a pipe to the supervisor,
 * so that its last words are kept even if the supervisor dies first. Rotation copies and truncates; the child's
 * descriptor stays valid because it was opened for appending.
 */
import {
  closeSync,
  copyFile,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  stat,
  truncate,
} from 'node:fs';
import { dirname } from 'node:path';

/** Maximum size in bytes of the file (plus a second's output), and of the previous one. */
const LOG_BYTES_MAX = 8 * 1024 * 1024;
const CHECK_EVERY_MS = 1_000;

export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  readonly #timer: NodeJS.Timeout;
  #rotating = false;

  constructor(path: string, bytesMax = LOG_BYTES_MAX, checkEveryMs = CHECK_EVERY_MS) {
    this.path = path;
    this.#bytesMax = bytesMax;
    mkdirSync(dirname(path), { recursive: true });
    this.#timer = setInterval(() => this.#check(), checkEveryMs);
    this.#timer.unref();
  }

  /**
   * A file descriptor for a child's output; the caller closes it once the child has been started. Logs may have been
   * cleared away with their folder; but where the folder above has gone as well, nothing is made in its place.
   */
  open(): number {
    const folder = dirname(this.path);
    if (!existsSync(folder) && existsSync(dirname(folder))) mkdirSync(folder);
    return openSync(this.path, 'a', 0o640);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#rotating) return;
    this.#rotating = true;
    stat(this.path, (error, stats) => {
      if (error || stats.size <= this.#bytesMax) {
        this.#rotating = false;
        return;
      }
      this.#rotate();
    });
  }

  /** Lines written between the copy and the truncation are lost: the price of bounding the size without a pipe. */
  #rotate(): void {
    const copy = `${this.path}.1.new`;
    copyFile(this.path, copy, (copyError) => {
      truncate(this.path, 0, () => {
        this.#rotating = false;
        if (copyError) return;
        try {
          renameSync(copy, `${this.path}.1`);
        } catch {
          // The bound holds nevertheless; only the older part is missing.
        }
      });
    });
  }
}

/** A child that has just ended has given its reason within this many lines. */
const LINES_SEARCHED = 20;

/** The last lines of a log, for a message about a child that did not start. */
export function lastLines(path: string, count: number): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}

/** The last line written for people, as nodes write all others as JSON. '' if there is none. */
export function lastWords(path: string): string {
  const forPeople = lastLines(path, LINES_SEARCHED).filter((line) => line !== '' && !line.startsWith('{'));
  return forPeople.at(-1) ?? '';
}

/** For spawning a child: passes the descriptor to `use`, and closes our copy afterwards in any case. */
export function withDescriptor<T>(log: LogFile, use: (descriptor: number) => T): T {
  const descriptor = log.open();
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
