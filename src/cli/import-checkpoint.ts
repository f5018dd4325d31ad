/**
 * The progress of an import, in a file next to the rows. It identifies that file by size and modification time: an
 * offset into another file would silently skip rows.
 */
import * as fs from 'node:fs';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../base/replace-file.ts';

export interface Checkpoint {
  readonly size: number;
  readonly changedAtMs: number;
  /** In bytes: every row before it is imported, or was refused. */
  offset: number;
  /** Number of lines before the offset. */
  lines: number;
  imported: number;
  /** Rows that were left out since their keys have other values, which were to be kept. */
  left: number;
  refused: number;
  /** When the import began first, in milliseconds since 1970. */
  readonly beganAtMs: number;
  /**
   * Rows from the offset on that may have been imported already; with operation ids, a resumed import repeats them
   * under the same id.
   */
  underWay?: RowsUnderWay | undefined;
}

export interface RowsUnderWay {
  /**
   * 16 bytes in hexadecimal. All these rows share the id: an id belongs to its key, and no key occurs twice among them.
   */
  readonly operationId: string;
  /** When the id was made, in milliseconds since 1970. */
  readonly madeAtMs: number;
  /** Where these rows end, in bytes. */
  readonly endOffset: number;
}

export function newCheckpoint(rowsPath: string): Checkpoint {
  const stat = statSync(rowsPath);
  if (stat.isDirectory())
    throw new Error(`${rowsPath} is a directory: name a file of rows, or - for standard input`);
  return { ...emptyCheckpoint(), size: stat.size, changedAtMs: Math.floor(stat.mtimeMs) };
}

/** For rows that do not come from a file. */
export function emptyCheckpoint(): Checkpoint {
  const beganAtMs = Date.now();
  return { size: 0, changedAtMs: 0, offset: 0, lines: 0, imported: 0, left: 0, refused: 0, beganAtMs };
}

/** Undefined if there is none. Throws if it is not usable for these rows. */
export function readCheckpoint(path: string, rowsPath: string): Checkpoint | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const fresh = newCheckpoint(rowsPath);
  const held = parseCheckpoint(text);
  if (held === undefined) throw new Error(`${path} is damaged: start over with --restart`);
  if (held.size !== fresh.size || held.changedAtMs !== fresh.changedAtMs) {
    throw new Error(`${rowsPath} has changed since ${path} was written: start over with --restart`);
  }
  return held;
}

/** Undefined if the text is not a checkpoint, or points outside the file that it belongs to. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  let held: Partial<Checkpoint> | null;
  try {
    held = JSON.parse(text) as Partial<Checkpoint> | null;
  } catch {
    return undefined;
  }
  const { size = -1, changedAtMs = -1, offset = -1, lines = -1, imported = -1, refused = -1 } = held ?? {};
  // Earlier programs kept neither: that the import began in 1970 overwrites nothing that should be kept.
  const { left = 0, beganAtMs = 0 } = held ?? {};
  const all = [size, changedAtMs, offset, lines, imported, left, refused, beganAtMs];
  if (!all.every((number) => Number.isSafeInteger(number) && number >= 0) || offset > size) return undefined;
  const { underWay } = held ?? {};
  if (underWay !== undefined && !areRowsUnderWay(underWay)) return undefined;
  return { size, changedAtMs, offset, lines, imported, left, refused, beganAtMs, underWay };
}

function areRowsUnderWay(told: Partial<RowsUnderWay> | null): boolean {
  const { operationId = '', madeAtMs, endOffset } = told ?? {};
  return /^[0-9a-f]{32}$/.test(operationId) && [madeAtMs, endOffset].every(Number.isSafeInteger);
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  replaceFile({ ...fs, dirname }, path, `${JSON.stringify(checkpoint)}\n`);
}

export function removeCheckpoint(path: string): void {
  rmSync(path, { force: true });
}
