/**
 * `npm test`: everything that must hold before a change is kept, part by part, from a clean clone on. Ends with
 * a table of what each part took and one plain line, `N passed, N failed`.
 *
 * `--long` runs the long tests instead (real processes, minutes each). Each part has its own process group
 * and a time limit, so that a hanging test can neither hold up the run nor be left behind.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.js';
import { ensureInstalled, root, runMain } from './ensure.js';

const MINUTE_MS = 60_000;
/** Milliseconds between asking a part to end and ending it. */
const KILL_AFTER_MS = 5_000;
const SIMULATION_SEEDS = 2000;

const reports = mkdtempSync(join(tmpdir(), 'causeway-test-'));
/** The process group of the part that runs now. */
let running = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    endGroup(running, 'SIGTERM');
    process.exit(130);
  });
}

await runMain(async () => {
  await ensureInstalled({ dev: true });
  const results = [];
  for (const part of process.argv.includes('--long') ? longParts() : parts()) {
    process.stdout.write(`\n== ${part.name}\n`);
    const startedAt = Date.now();
    const counts = await part.run();
    results.push({ name: part.name, tookMs: Date.now() - startedAt, ...counts });
  }
  rmSync(reports, { recursive: true, force: true });
  process.exitCode = report(results);
});

function parts() {
  const list = [
    { name: 'build', run: buildPart },
    { name: 'typecheck', run: () => check('typescript/bin/tsc', ['--noEmit'], 5) },
    { name: 'lint', run: () => check('eslint/bin/eslint.js', ['.'], 5) },
    { name: 'tests', run: () => vitest('vitest.config.ts', 20) },
  ];
  if (existsSync(join(root, 'sim/main.ts'))) list.push({ name: 'simulation', run: simulation });
  return list;
}

function longParts() {
  return [
    { name: 'build', run: buildPart },
    { name: 'long tests', run: () => vitest('vitest.long.config.ts', 90) },
  ];
}

async function buildPart() {
  try {
    await build();
    return { passed: 1, failed: 0 };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return { passed: 0, failed: 1 };
  }
}

async function check(tool, args, minutesMax) {
  const code = await runTool([join(root, 'node_modules', tool), ...args], minutesMax);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

async function vitest(config, minutesMax) {
  const file = join(reports, 'vitest.json');
  const code = await runTool(
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      ...['run', '--config', config, '--passWithNoTests', '--reporter=default', '--reporter=json'],
      `--outputFile.json=${file}`,
    ],
    minutesMax,
  );
  const summary = readJson(file);
  return countsOf(code, summary?.numPassedTests, summary?.numFailedTests);
}

async function simulation() {
  const file = join(reports, 'simulation.json');
  const args = ['sim/main.ts', '--seeds', String(SIMULATION_SEEDS), '--summary-json', file];
  const code = await runTool([join(root, 'scripts/run.js'), ...args], 30);
  const summary = readJson(file);
  return countsOf(code, summary?.passed, summary?.failed);
}

/** A part that failed without a failed test (it crashed, a file did not load) counts as one failure. */
function countsOf(code, passed, failed) {
  const reported = Number.isInteger(passed) && Number.isInteger(failed);
  if (!reported) return { passed: 0, failed: 1 };
  return { passed, failed: code === 0 ? failed : Math.max(1, failed) };
}

/** Runs node on a script, in its own process group; 124 when the time limit ended it. */
function runTool(args, minutesMax) {
  const ownGroup = process.platform !== 'win32';
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      detached: ownGroup,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    running = ownGroup ? -(child.pid ?? 0) : (child.pid ?? 0);
    const group = running;
    let late = false;
    let killer;
    const deadline = setTimeout(() => {
      late = true;
      process.stderr.write(`ended: no result after ${minutesMax} minutes\n`);
      endGroup(group, 'SIGTERM');
      killer = setTimeout(() => endGroup(group, 'SIGKILL'), KILL_AFTER_MS);
    }, minutesMax * MINUTE_MS);
    const finish = (code) => {
      clearTimeout(deadline);
      clearTimeout(killer);
      endGroup(group, 'SIGKILL');
      running = 0;
      resolve(late ? 124 : code);
    };
    child.on('error', () => finish(1));
    child.on('exit', (code) => finish(code ?? 1));
  });
}

/** Signals what is left of a part; nothing left is fine. */
function endGroup(group, signal) {
  if (group === 0) return;
  try {
    process.kill(group, signal);
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
  }
}

function report(results) {
  const row = (name, took, passed, failed) =>
    `${name.padEnd(12)} ${took.padStart(9)} ${passed.padStart(8)} ${failed.padStart(8)}\n`;
  let text = `\n${row('part', 'took', 'passed', 'failed')}`;
  let passed = 0;
  let failed = 0;
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
    const took = `${(result.tookMs / 1000).toFixed(1)} s`;
    text += row(result.name, took, String(result.passed), String(result.failed));
  }
  process.stdout.write(`${text}\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
