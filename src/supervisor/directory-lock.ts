/**
 * One supervisor per data directory: a lock file with the owner's process id and start mark. A lock whose owner is gone
 * is stale and taken over, even if another process has the same id now.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { directoryAdvice } from '../base/system-reason.ts';
import { isAlive, startMark } from './process-table.ts';
import { reasonOf } from '../base/reason-of.ts';
import { codeOf, StartError } from './start-error.ts';

export interface DirectoryLock {
  /** The previous supervisor did not release the lock: its children may still be ending. */
  readonly wasStale: boolean;
  /** Removes the directory, too, if it was made for the lock and nothing has come into it. */
  release(): void;
}

/** Creates the directory if needed. Throws a StartError if it is not writable or another supervisor holds it. */
export function lockDirectory(directory: string): DirectoryLock {
  const lockPath = join(directory, 'up.lock');
  const ownPath = `${lockPath}.${process.pid}`;
  const own = `${process.pid} ${startMark(process.pid)}\n`;
  const isNew = !existsSync(directory);
  try {
    makeFolders({ statSync, mkdirSync, dirname }, directory);
    writeFileSync(ownPath, own, { mode: 0o644 });
  } catch (error) {
    throw new StartError(
      `the data directory ${directory} cannot be written (${codeOf(error) || reasonOf(error)}): ` +
        `${directoryAdvice(error)}, or choose another with --data-dir`,
    );
  }
  try {
    const wasStale = takeOver(directory, lockPath, ownPath);
    return { wasStale, release: () => release(lockPath, own, isNew) };
  } finally {
    rmSync(ownPath, { force: true });
  }
}

/** A link is created atomically and fails if the name exists, so only one of several processes gets it. */
function takeOver(directory: string, lockPath: string, ownPath: string): boolean {
  let wasStale = false;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    try {
      linkSync(ownPath, lockPath);
      return wasStale;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const held = readLock(lockPath);
    if (held === undefined) continue;
    const [pidText = '', ...mark] = held.trim().split(' ');
    const pid = Number(pidText);
    if (pid > 0 && isAlive(pid) && startMark(pid) === mark.join(' ')) {
      throw new StartError(
        `another causeway up (pid ${pid}) runs on ${directory}: stop it first, or choose another --data-dir`,
      );
    }
    wasStale = true;
    setAside(lockPath, `${ownPath}.stale`, held);
  }
  throw new StartError(`the lock ${lockPath} changes all the time: start only one causeway up at a time`);
}

/** Removes only the stale lock: one that another process took over between our check and our rename is put back. */
function setAside(lockPath: string, asidePath: string, held: string): void {
  try {
    renameSync(lockPath, asidePath);
    if (readLock(asidePath) !== held) linkSync(asidePath, lockPath);
  } catch {
    // Another process was faster; the next attempt sees the present state.
  } finally {
    rmSync(asidePath, { force: true });
  }
}

function release(lockPath: string, own: string, isNew: boolean): void {
  if (readLock(lockPath) !== own) return;
  rmSync(lockPath, { force: true });
  if (!isNew) return;
  try {
    rmdirSync(dirname(lockPath));
  } catch {
    // It holds a cluster now.
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
