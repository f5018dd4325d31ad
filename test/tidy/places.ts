/** Which files the tidy test reads, and which of them are tests, tools or entry points. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

export const SOURCE_FOLDERS = ['src', 'page', 'sim', 'test', 'bench', 'scripts', 'verify'];
const SKIPPED = new Set([
  'node_modules',
  'dist',
  '.git',
  '.causeway',
  '.chaos',
  'coverage',
  'package-lock.json',
]);
const TEXT_KINDS = new Set([
  '.ts',
  '.tsx',
  '.js',
  '.mjs',
  '.json',
  '.md',
  '.sql',
  '.proto',
  '.yml',
  '.yaml',
  '.html',
  '.css',
  '.sh',
  '.tla',
  '',
]);

const ENTRY_POINTS = [
  'src/cli/main.ts',
  'src/client/index.ts',
  'page/main.tsx',
  'sim/main.ts',
  'sim/scale-main.ts',
  'bench/main.ts',
  'verify/chaos.ts',
  'verify/legacy.ts',
  'verify/persistence.ts',
];

/** Files that are started directly: everything else must be reachable from one of these or from a test. */
export function isEntryPoint(path: string): boolean {
  return ENTRY_POINTS.includes(path) || path.startsWith('scripts/') || path.endsWith('.config.ts');
}

export function isTestFile(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts');
}

export function isGenerated(path: string): boolean {
  return path.startsWith('src/gen/');
}

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** TypeScript and JavaScript, with paths from the root in POSIX form. */
export function readSources(root: string): TextFile[] {
  const inFolders = SOURCE_FOLDERS.flatMap((folder) => pathsUnder(root, join(root, folder)));
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.config.ts'));
  return [...inFolders, ...atRoot]
    .filter((path) => /\.(ts|tsx|js|mjs)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Every text of the repository, including documents and settings. */
export function readTexts(root: string): TextFile[] {
  return pathsUnder(root, root)
    .filter((path) => TEXT_KINDS.has(extname(path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Sorted, with paths from the root in POSIX form, without generated files. */
export function pathsUnder(root: string, folder: string): string[] {
  if (!existsSync(folder)) return [];
  const paths: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...pathsUnder(root, path));
    else if (entry.isFile()) paths.push(relative(root, path).replaceAll('\\', '/'));
  }
  return paths.sort();
}
