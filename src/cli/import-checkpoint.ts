/**
 * How far an import has come, in a file beside the rows. It names the file that it belongs to by size and time
 * of change: an offset into another file would silently skip rows.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

export interface Checkpoint {
  readonly size: number;
  readonly changedAtMs: number;
  /** Bytes: every row before it is in, or was refused. */
  offset: number;
  /** Lines before the offset. */
  lines: number;
  imported: number;
  refused: number;
}

export function newCheckpoint(rowsPath: string): Checkpoint {
  const { size, mtimeMs } = statSync(rowsPath);
  return { size, changedAtMs: Math.floor(mtimeMs), offset: 0, lines: 0, imported: 0, refused: 0 };
}

/** Undefined where there is none. Throws where it is not usable for these rows. */
export function readCheckpoint(path: string, rowsPath: string): Checkpoint | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const fresh = newCheckpoint(rowsPath);
  let held: Partial<Checkpoint>;
  try {
    held = JSON.parse(text) as Partial<Checkpoint>;
  } catch {
    throw new Error(`${path} is damaged: start over with --restart`);
  }
  const isWhole = (Object.keys(fresh) as (keyof Checkpoint)[]).every((name) =>
    Number.isSafeInteger(held?.[name]),
  );
  if (!isWhole) throw new Error(`${path} is damaged: start over with --restart`);
  if (held.size !== fresh.size || held.changedAtMs !== fresh.changedAtMs) {
    throw new Error(`${rowsPath} has changed since ${path} was written: start over with --restart`);
  }
  return held as Checkpoint;
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(checkpoint)}\n`);
  renameSync(`${path}.new`, path);
}

export function removeCheckpoint(path: string): void {
  rmSync(path, { force: true });
}
