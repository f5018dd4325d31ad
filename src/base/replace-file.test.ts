/** In which order a file is replaced durably, and where a folder cannot be synced. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { replaceFile } from './replace-file.ts';
import type { FileSystem } from './replace-file.ts';

/** Notes its calls; the named one fails with this code. */
function noting(failing = '', code = ''): { calls: string[]; system: FileSystem } {
  const calls: string[] = [];
  const note = (call: string): void => {
    calls.push(call);
    if (call.split(' ')[0] === failing) throw Object.assign(new Error(code), { code });
  };
  const system: FileSystem = {
    writeFileSync: (path, text, { flush }) => note(`write ${path} ${text} ${flush}`),
    renameSync: (from, to) => note(`rename ${from} ${to}`),
    openSync: (path) => {
      note(`open ${path}`);
      return 7;
    },
    fsyncSync: (fd) => note(`sync ${fd}`),
    closeSync: (fd) => note(`close ${fd}`),
    dirname,
  };
  return { calls, system };
}

test('the content is on disk before it has the name, and the name before it is done', () => {
  const { calls, system } = noting();
  replaceFile(system, '/a/b', 'text');
  expect(calls).toEqual(['write /a/b.new text true', 'rename /a/b.new /a/b', 'open /a', 'sync 7', 'close 7']);
});

test('it cannot be written, renamed or synced: thrown, and nothing later is done', () => {
  for (const [failing, count] of [
    ['write', 1],
    ['rename', 2],
    ['open', 3],
    ['sync', 5],
  ] as const) {
    const { calls, system } = noting(failing, 'EIO');
    expect(() => replaceFile(system, '/a/b', 'text')).toThrow('EIO');
    expect(calls).toHaveLength(count);
  }
});

test('a system that opens or syncs no folders: done without it, and nothing stays open', () => {
  const unopened = noting('open', 'EISDIR');
  replaceFile(unopened.system, '/a/b', 'text');
  expect(unopened.calls.at(-1)).toBe('open /a');
  const unsynced = noting('sync', 'EINVAL');
  replaceFile(unsynced.system, '/a/b', 'text');
  expect(unsynced.calls.at(-1)).toBe('close 7');
});

test('on a real disk: replaced, with its permissions, and nothing is left over', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'causeway-replace-'));
  const path = join(folder, 'file');
  fs.writeFileSync(path, 'before');
  fs.writeFileSync(`${path}.new`, 'left over from a crash, and longer');
  replaceFile({ ...fs, dirname }, path, 'after', 0o600);
  expect(fs.readFileSync(path, 'utf8')).toBe('after');
  expect(fs.readdirSync(folder)).toEqual(['file']);
  replaceFile({ ...fs, dirname }, join(folder, 'secret'), 'after', 0o600);
  expect(fs.statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600);
  fs.rmSync(folder, { recursive: true });
});

/** Renames of files that need not outlast a power cut, or that something else makes durable. */
const OTHERS = [
  // Processes, a copy of programs, older lines: worthless after a power cut, or looked at anew.
  'src/supervisor/directory-lock.ts',
  'src/supervisor/postgres-binaries.ts',
  'src/supervisor/process-file.ts',
  'src/supervisor/log-file.ts',
];

test('nothing else in src renames a file that must outlast a power cut', () => {
  const paths = (fs.readdirSync('src', { recursive: true }) as string[]).map((path) => `src/${path}`);
  const sources = paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
  const renaming = sources.filter((path) => /\brename(Sync)?\(/.test(fs.readFileSync(path, 'utf8')));
  expect(renaming.filter((path) => /(adapters|supervisor|cli)\//.test(path)).sort()).toEqual(
    [...OTHERS].sort(),
  );
});
