/** Folders that are created, were created meanwhile, or never can be. */
import { expect, test } from 'vitest';
import { makeFolders } from './make-folders.ts';
import type { FileSystem } from './make-folders.ts';

interface Told extends FileSystem {
  readonly made: string[];
  /** By path: whether it is a folder; files are present too. */
  readonly present: Map<string, boolean>;
}

/** Below `barren` nothing exists, and nothing can be created. */
function fileSystem(there: readonly string[], barren = '-'): Told {
  const present = new Map(['/', ...there].map((path) => [path, true]));
  const made: string[] = [];
  return {
    made,
    present,
    statSync: (path) => (present.has(path) ? { isDirectory: () => present.get(path)! } : undefined),
    mkdirSync: (path) => {
      if (present.has(path)) throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
      if (path.startsWith(barren)) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      present.set(path, true);
      made.push(path);
    },
    dirname: (path) => path.slice(0, Math.max(1, path.lastIndexOf('/'))),
  };
}

test('missing parents are created, and nothing if all exist', () => {
  const system = fileSystem(['/a']);
  makeFolders(system, '/a/b/c');
  expect(system.made).toEqual(['/a/b', '/a/b/c']);
  makeFolders(system, '/a/b/c');
  expect(system.made).toHaveLength(2);
});

test('a folder in which nothing can be made: said with its name, and not tried for ever', () => {
  const system = fileSystem(['/proc'], '/proc/');
  expect(() => makeFolders(system, '/proc/x/y')).toThrow('no directory can be made in /proc');
});

test('another process makes it in the same moment: it is there', () => {
  const system = fileSystem([]);
  const raced: FileSystem = {
    ...system,
    mkdirSync: (path) => {
      system.mkdirSync(path);
      system.mkdirSync(path);
    },
  };
  expect(() => makeFolders(raced, '/a')).not.toThrow();
});

test('what stands in its place is no folder: the reason is passed on', () => {
  const system = fileSystem([]);
  system.present.set('/a', false);
  expect(() => makeFolders(system, '/a')).toThrow('it exists');
});
