/** One supervisor per data directory, and a supervisor that was killed does not lock it for ever. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory } from './directory-lock.ts';
import { startMark } from './process-table.ts';
import { StartError } from './start-error.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a directory in use: the second is refused with a line that names the first', () => {
  const lock = lockDirectory(directory);
  expect(() => lockDirectory(directory)).toThrow(StartError);
  expect(() => lockDirectory(directory)).toThrow(`(pid ${process.pid})`);
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
  expect(lockDirectory(directory).wasStale).toBe(false);
});

test('a directory that was made for the lock: goes with it if it is empty, and stays with what has come into it', () => {
  const made = join(directory, 'made');
  lockDirectory(made).release();
  expect(existsSync(made)).toBe(false);
  const kept = lockDirectory(made);
  writeFileSync(join(made, 'file'), '');
  kept.release();
  expect(readdirSync(made)).toEqual(['file']);
  lockDirectory(directory).release();
  expect(existsSync(directory)).toBe(true);
});

test('a lock whose owner has ended: taken over, and said to be stale', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  writeFileSync(join(directory, 'up.lock'), `${gone.pid} 1\n`);
  const lock = lockDirectory(directory);
  expect(lock.wasStale).toBe(true);
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
});

test('a lock whose process id now belongs to another process: stale as well', () => {
  writeFileSync(join(directory, 'up.lock'), `${process.ppid} not-${startMark(process.ppid)}\n`);
  expect(lockDirectory(directory).wasStale).toBe(true);
});

test('a lock file that was cut off: stale', () => {
  writeFileSync(join(directory, 'up.lock'), '');
  expect(lockDirectory(directory).wasStale).toBe(true);
});

test('a directory that cannot be made: one line that names it and the option', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => lockDirectory(join(directory, 'file', 'data'))).toThrow(/cannot be written .*--data-dir/);
  expect(() => lockDirectory(join(directory, 'file'))).toThrow(
    `the data directory ${join(directory, 'file')} cannot be written (EEXIST): a file is in its place, or choose`,
  );
});

test.skipIf(!existsSync('/proc/self'))(
  'a place in which nothing can ever be made: refused with its name',
  () => {
    expect(() => lockDirectory('/proc/causeway')).toThrow(
      'the data directory /proc/causeway cannot be written (no directory can be made in /proc)',
    );
  },
);
