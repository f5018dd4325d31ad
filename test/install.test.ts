/**
 * What `npm start` and `npm test` do first in a clean clone: `npm ci`, here replaced by a script that can be told how
 * to fail.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryRoot } from './support/root.ts';
import { temporaryDirectory } from './support/supervisor-program.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

interface Installed {
  readonly code: number | null;
  readonly err: string;
  /** The arguments of each call of npm. */
  readonly asked: readonly string[][];
}

/** Installs in a project without dependencies; the code `npm` decides by `args` what npm prints, and ends the process. */
function installWith(npm: string): Installed {
  const { path } = directory;
  writeFileSync(join(path, 'package.json'), JSON.stringify({ engines: { node: '>=20.19' } }));
  writeFileSync(join(path, 'package-lock.json'), JSON.stringify({ packages: {} }));
  const log = join(path, 'asked');
  const cli = join(path, 'npm-cli.js');
  const note = `require('fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + '\\n');`;
  writeFileSync(cli, `const args = process.argv.slice(2);${note}${npm}`);
  const ensure = JSON.stringify(join(repositoryRoot, 'scripts/ensure.js'));
  const words = `import { ensureInstalled, runMain } from ${ensure};
    await runMain(() => ensureInstalled({ dev: false, directory: ${JSON.stringify(path)} }));`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', words], {
    encoding: 'utf8',
    env: { ...process.env, npm_execpath: cli },
  });
  const asked = readFileSync(log, 'utf8').trimEnd().split('\n');
  return { code: ran.status, err: ran.stderr, asked: asked.map((line) => JSON.parse(line) as string[]) };
}

const NO_CACHE = `console.error(
  ['code EACCES', 'syscall mkdir', 'path /home/x/.npm', 'errno EACCES', '', 'Your cache folder is odd'].map((line) => 'npm error ' + line).join('\\n'),
); process.exit(1);`;

const WHAT_TO_DO =
  'run `npm run build` as the user whom this directory belongs to, after which ' +
  '`npm start -- --data-dir DIR` is for everybody, or make a copy of your own\n';

test("a user's cache that cannot be written to: installed with one of its own, which is gone afterwards", () => {
  const { code, err, asked } = installWith(`if (!args.includes('--cache')) { ${NO_CACHE} }`);
  expect([code, asked.length]).toEqual([0, 2]);
  expect(err).toContain('done in');
  const cache = asked[1]![asked[1]!.indexOf('--cache') + 1]!;
  expect(existsSync(cache)).toBe(false);
  expect(
    JSON.parse(readFileSync(join(directory.path, 'node_modules/.causeway-install'), 'utf8')),
  ).toMatchObject({ mode: 'production' });
});

/** The output of a program that drops root's rights, if it has them, and then runs these words; in one line. */
function saidWithoutRights(words: string): string {
  const ensure = JSON.stringify(join(repositoryRoot, 'scripts/ensure.js'));
  const program = `import { ensureInstalled, runMain } from ${ensure};
    import { mkdirSync } from 'node:fs';
    if (process.getuid() === 0) process.setuid(65534);
    await runMain(async () => ${words});`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(ran.status).toBe(1);
  return ran.stderr;
}

test('a checkout that cannot be written to: one line that says what to do, and npm is not asked', () => {
  const { path } = directory;
  writeFileSync(join(path, 'package.json'), JSON.stringify({ engines: { node: '>=20.19' } }));
  writeFileSync(join(path, 'package-lock.json'), JSON.stringify({ packages: {} }));
  chmodSync(path, 0o555);
  const told = saidWithoutRights(`ensureInstalled({ dev: false, directory: ${JSON.stringify(path)} })`);
  expect(told).toBe(`causeway: ${path} cannot be written (EACCES): ${WHAT_TO_DO}`);
  const dist = join(path, 'dist');
  expect(saidWithoutRights(`mkdirSync(${JSON.stringify(dist)})`)).toBe(
    `causeway: ${dist} cannot be written (EACCES): ${WHAT_TO_DO}`,
  );
  chmodSync(path, 0o755);
});

test('install scripts that are refused: installed without them', () => {
  const { code, asked } = installWith(
    `if (!args.includes('--ignore-scripts')) { console.error('npm error command failed'); process.exit(1); }`,
  );
  expect([code, asked.length]).toEqual([0, 2]);
});

test('what fails all the same: one line that says at what, exit code 1', () => {
  const { code, err } = installWith(NO_CACHE);
  expect(code).toBe(1);
  expect(err).toContain(
    'npm could not install the dependencies: EACCES (mkdir /home/x/.npm). Try `npm ci` by hand.\n',
  );
});

/** The calls of npm when a checkout in which `npm start` has installed runs a file that begins with `code`. */
function askedToRun(code: string): { readonly status: number | null; readonly asked: string } {
  const { path } = directory;
  const [log, cli] = [join(path, 'asked'), join(path, 'npm-cli.js')];
  writeFileSync(log, '');
  const note = `appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' '));`;
  writeFileSync(cli, `import { appendFileSync } from 'node:fs'; ${note}`);
  cpSync(join(repositoryRoot, 'scripts'), join(path, 'scripts'), { recursive: true });
  const devDependencies = { ioredis: '6.0.0' };
  const manifest = { type: 'module', engines: { node: '>=20.19' }, devDependencies };
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
  const lock = JSON.stringify({ packages: {} });
  writeFileSync(join(path, 'package-lock.json'), lock);
  const modules = join(path, 'node_modules');
  mkdirSync(modules, { recursive: true });
  if (!existsSync(join(modules, 'esbuild')))
    symlinkSync(join(repositoryRoot, 'node_modules/esbuild'), join(modules, 'esbuild'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 32);
  const fingerprint = `${hash} ${process.platform} ${process.arch}`;
  writeFileSync(join(modules, '.causeway-install'), JSON.stringify({ fingerprint, mode: 'production' }));
  writeFileSync(join(path, 'program.ts'), `${code}; process.exit(7);`);
  const ran = spawnSync(process.execPath, [join(path, 'scripts/run.js'), 'program.ts'], {
    env: { ...process.env, npm_execpath: cli },
  });
  return { status: ran.status, asked: readFileSync(log, 'utf8') };
}

test('a verification beside a cluster that runs from the same directory: nothing is installed beneath it', () => {
  expect(askedToRun(`import 'node:fs'; import('node:net')`)).toEqual({ status: 7, asked: '' });
});

test('a program that needs a package of development: installed first', () => {
  expect(askedToRun(`import('ioredis').catch(() => undefined)`).asked).toContain('ci --include=optional');
  expect(askedToRun(`import('ioredis/built').catch(() => undefined)`).asked).toContain('--include=dev');
});

test('a registry that cannot be reached: the line of npm that says so', () => {
  const { err, asked } = installWith(
    `console.error('npm error code ENOTFOUND\\nnpm error network request to x failed.'); process.exit(1);`,
  );
  expect(asked).toHaveLength(1);
  expect(err).toContain('npm could not install the dependencies: network request to x failed. Try');
});

test('a Node.js that is too old: told by npm start and by the command, before anything else is done', () => {
  const old = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '18.20.8' })";
  const said = (script: string) => {
    const ran = spawnSync(
      process.execPath,
      ['--import', old, join(repositoryRoot, 'scripts', script), 'status'],
      {
        encoding: 'utf8',
      },
    );
    return [ran.status, ran.stdout, ran.stderr];
  };
  const line = 'causeway: Node.js >=20.19 is needed, this is 18.20.8: install a later one\n';
  expect(said('start.js')).toEqual([1, '', line]);
  expect(said('causeway.js')).toEqual([3, '', line]);
});
