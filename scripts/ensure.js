/**
 * Makes sure that the dependencies are installed before anything that needs them runs, so that a clean clone starts
 * with one command. Uses nothing but Node itself, because it runs before anything else is there.
 *
 * A stamp (`node_modules/.causeway-install`) records what is installed: a hash of the lock file, the platform and the
 * mode. Dependencies that someone installed by hand are recognised and used as they are.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Milliseconds after which an installation is given up. */
const INSTALL_MS_MAX = 15 * 60_000;
/** Characters of npm's output kept for the error message. */
const OUTPUT_CHARS_MAX = 20_000;

/**
 * Installs what is missing: `dev` false means what a running node needs, true means everything. Rejects with an Error
 * whose message is one line, meant for the user.
 */
export async function ensureInstalled({ dev, directory = root }) {
  checkNodeVersion(directory);
  const wanted = fingerprint(directory);
  const stamp = readStamp(directory);
  if (stamp?.fingerprint === wanted && (stamp.mode === 'full' || !dev)) return;
  const adopted = adoptableMode(directory);
  if (adopted === 'full' || (adopted === 'production' && !dev)) {
    writeStamp(directory, wanted, adopted);
    return;
  }
  const mode = dev ? 'full' : 'production';
  const modules = join(directory, 'node_modules');
  accessSync(existsSync(modules) ? modules : directory, constants.W_OK);
  await install(directory, mode);
  mkdirSync(modules, { recursive: true });
  writeStamp(directory, wanted, mode);
}

/** Runs `main`; a failure becomes one line on stderr and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`causeway: ${lineAbout(error)}\n`);
    process.exit(1);
  }
}

function lineAbout(error) {
  if (!(error instanceof Error)) return String(error);
  if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code) || error.path === undefined) return error.message;
  return (
    `${error.path} cannot be written (${error.code}): run \`npm run build\` as the user whom this directory ` +
    'belongs to, after which `npm start -- --data-dir DIR` is for everybody, or make a copy of your own'
  );
}

function checkNodeVersion(directory) {
  const range = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).engines.node;
  const [majorMin, minorMin] = range.replace(/^>=/, '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new Error(`Node.js ${range} is needed, this is ${process.versions.node}: install a later one`);
}

function fingerprint(directory) {
  const lock = readFileSync(join(directory, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 32);
  return `${hash} ${process.platform} ${process.arch}`;
}

function stampPath(directory) {
  return join(directory, 'node_modules', '.causeway-install');
}

function readStamp(directory) {
  try {
    return JSON.parse(readFileSync(stampPath(directory), 'utf8'));
  } catch {
    return undefined;
  }
}

function writeStamp(directory, wanted, mode) {
  writeFileSync(stampPath(directory), `${JSON.stringify({ fingerprint: wanted, mode })}\n`);
}

/**
 * What an installation by hand is good for: 'full', 'production' or undefined. npm leaves a lock file of what it really
 * installed in node_modules; every package that is not optional must be there in the version of our own lock file.
 */
function adoptableMode(directory) {
  let wanted;
  let found;
  try {
    wanted = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')).packages;
    found = JSON.parse(readFileSync(join(directory, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return undefined;
  }
  let mode = 'full';
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const same = found[path]?.version === entry.version && existsSync(join(directory, path, 'package.json'));
    if (same || entry.optional || entry.devOptional || entry.peer) continue;
    if (!entry.dev) return undefined;
    mode = 'production';
  }
  return mode;
}

/**
 * `npm ci`, and if that fails once more in a way that may help: without install scripts, which some npm versions and
 * some companies refuse, and which nothing here needs; and with a separate cache if the user's is not writable.
 * Optional packages (the binaries of the compiler and of PostgreSQL are such) are requested explicitly, because a
 * user's settings may exclude them.
 */
async function install(directory, mode) {
  const base = ['ci', '--include=optional', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  base.push(mode === 'full' ? '--include=dev' : '--omit=dev');
  const label = mode === 'full' ? 'dependencies for development' : 'dependencies';
  const progress = startProgress(`installing ${label} (npm ci)`);
  let result = await runNpm(directory, base);
  if (result.code !== 0 && /\b(EACCES|EROFS)\b/.test(result.output))
    result = await withOwnCache((cache) => runNpm(directory, [...base, '--cache', cache]));
  const scriptFailed = /command failed|scripts?\b/i.test(result.output);
  if (result.code !== 0 && scriptFailed) result = await runNpm(directory, [...base, '--ignore-scripts']);
  progress.stop(result.code === 0);
  if (result.code === 0) return;
  throw new Error(`npm could not install the dependencies: ${reasonIn(result)}. Try \`npm ci\` by hand.`);
}

async function withOwnCache(run) {
  const cache = mkdtempSync(join(tmpdir(), 'causeway-npm-'));
  try {
    return await run(cache);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function runNpm(directory, args) {
  const cli = process.env.npm_execpath;
  const own = cli !== undefined && basename(cli) === 'npm-cli.js' && existsSync(cli);
  const [file, argv] = own ? [process.execPath, [cli, ...args]] : ['npm', args];
  return new Promise((resolve) => {
    const shell = !own && process.platform === 'win32';
    const child = spawn(file, argv, { cwd: directory, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk) => {
      output = (output + String(chunk)).slice(-OUTPUT_CHARS_MAX);
    };
    const deadline = setTimeout(() => {
      collect(`npm ERR! no end after ${INSTALL_MS_MAX / 60_000} minutes\n`);
      child.kill('SIGKILL');
    }, INSTALL_MS_MAX);
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      clearTimeout(deadline);
      resolve({ code: -1, output: `npm ERR! cannot run npm: ${error.message}` });
    });
    child.on('close', (code) => {
      clearTimeout(deadline);
      resolve({ code: code ?? -1, output });
    });
  });
}

/** The most informative line of npm's output. */
function reasonIn({ code, output }) {
  const lines = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '' && !/^(errno|A complete log)/.test(line));
  const part = (name) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  if (part('syscall') !== undefined) return `${part('code')} (${part('syscall')} ${part('path') ?? ''})`;
  const words = lines.find((line) => !/^(code|path) /.test(line));
  return (words ?? `exit code ${code}`).replace(/\.$/, '');
}

/** One line on stderr: a running count of seconds on a terminal, the beginning and the end elsewhere. */
function startProgress(text) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const terminal = process.stderr.isTTY === true;
  process.stderr.write(terminal ? `causeway: ${text} ...` : `causeway: ${text} ...\n`);
  const timer = setInterval(() => {
    if (terminal) process.stderr.write(`\rcauseway: ${text} ... ${seconds()} s`);
  }, 1000);
  return {
    stop(ok) {
      clearInterval(timer);
      process.stderr.write(
        `${terminal ? '\r' : ''}causeway: ${text}: ${ok ? 'done' : 'failed'} in ${seconds()} s\n`,
      );
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(() => ensureInstalled({ dev: process.argv.includes('--dev') }));
}
