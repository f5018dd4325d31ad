/**
 * Builds and runs the supervisor's program for tests with real processes, and checks what is left of it. Each test gets
 * its own directory and ports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { repositoryRoot as root } from './root.ts';

/**
 * Bundles `causeway.js`, in parts that are loaded when needed, as shipped: otherwise each command would begin by
 * loading everything that any of them needs. The bundle must be below the repository, where its packages are found.
 */
export async function buildProgram(
  source = 'test/support/supervisor-program-main.ts',
): Promise<{ entry: string; remove: () => void }> {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const outdir = mkdtempSync(join(root, 'node_modules/.cache/supervisor-'));
  await build({
    absWorkingDir: root,
    entryPoints: { causeway: source },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return {
    entry: join(outdir, 'causeway.js'),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'causeway-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * Ports that were free a moment ago, below the range for outgoing connections. None is returned twice, because the port
 * of a process that will be restarted is free meanwhile; for the same reason each worker of vitest has a range of its
 * own.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (; found.length < count; nextPort += 1) {
    if (await isFree(nextPort)) found.push(nextPort);
    else found.length = 0;
  }
  return found;
}

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % 4;
let nextPort = 12_000 + worker * 4_000 + Math.floor(Math.random() * 3_500);

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Waits until `met` returns true; fails at the deadline, naming what was awaited. */
export async function until(
  what: string,
  met: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(25);
  }
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Resolves when the process is gone, at once if it is already. */
export function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Ids of living processes whose command line or working directory is in one of these paths. */
export function processesAt(...paths: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => paths.some((path) => factsOf(name).some((fact) => fact.includes(path))))
    .map(Number);
}

function factsOf(pid: string): string[] {
  try {
    return [readFileSync(`/proc/${pid}/cmdline`, 'utf8'), readlinkSync(`/proc/${pid}/cwd`)];
  } catch {
    return [];
  }
}

export interface RunningUp {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  /** The exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export function runProgram(entry: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningUp {
  const { DATABASE_URL: _database, LEGACY_URL: _legacy, PG_BIN: _programs, ...ours } = process.env;
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...ours, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? String(signal)));
  });
  return { process: child, output: () => output, errors: () => errors, ended };
}
