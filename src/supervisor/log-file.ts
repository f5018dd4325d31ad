/**
 * The log of one child, bounded in size. The child writes straight to the file (no pipe through the supervisor),
 * so that its last words are kept when the supervisor dies first. Rotation copies and truncates: the child's
 * descriptor stays good, because it was opened for appending.
 */
import { closeSync, copyFile, mkdirSync, openSync, readFileSync, renameSync, stat, truncate } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes. At most this (and a second's output) in the file, and as much in the one before it. */
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

  /** A descriptor for a child's output; the caller closes it as soon as the child has been started. */
  open(): number {
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

  /** Lines written between the copy and the truncation are lost: the price of a bound without a pipe. */
  #rotate(): void {
    const copy = `${this.path}.1.new`;
    copyFile(this.path, copy, (copyError) => {
      truncate(this.path, 0, () => {
        this.#rotating = false;
        if (copyError) return;
        try {
          renameSync(copy, `${this.path}.1`);
        } catch {
          // The bound holds all the same; only the older part is missing.
        }
      });
    });
  }
}

/** Among these a child that has just ended has said why. */
const LINES_SEARCHED = 20;

/** The last lines of a log, for a message about a child that would not start. */
export function lastLines(path: string, count: number): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}

/** The last line that was written for people: nodes write all others as JSON. Empty where there is none. */
export function lastWords(path: string): string {
  const forPeople = lastLines(path, LINES_SEARCHED).filter((line) => line !== '' && !line.startsWith('{'));
  return forPeople.at(-1) ?? '';
}

/** For a spawn: hands the descriptor to `use` and closes our copy afterwards, whatever happens. */
export function withDescriptor<T>(log: LogFile, use: (descriptor: number) => T): T {
  const descriptor = log.open();
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
