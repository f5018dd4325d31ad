/**
 * `npm test`: everything that must hold before a change is kept, part by part, from a clean clone on. Ends with a table
 * of how long each part took and one plain line, `N passed, N failed`.
 *
 * `--long` runs the long tests instead (real processes, minutes each). Each part has its own process group and a time
 * limit, so that a hanging test can neither hold up the run nor be left behind.
 *
 * Tests of real processes mostly wait. Purely computational parts run beside them with a lower priority: they use the
 * idle time, and delay none of the others' deadlines. Their output is kept until the others have finished.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.js';
import { ensureInstalled, root, runMain } from './ensure.js';

const MINUTE_MS = 60_000;
/** Milliseconds between asking a part to end and killing it. */
const KILL_AFTER_MS = 5_000;
/**
 * For parts that compute for a minute or so: a large young generation, and the optimising compiler only for code that
 * has run for long.
 */
const COMPUTING = [
  '--max-semi-space-size=64',
  ...(process.version.startsWith('v20.') ? ['--interrupt-budget=500000'] : []),
];
const CHECK = [...COMPUTING, 'scripts/check.js'];
const SIMULATION = ['scripts/run.js', 'sim/main.ts', '--seeds', '2000'];

const reports = mkdtempSync(join(tmpdir(), 'causeway-test-'));
/** The process groups of the parts that are running. */
const running = new Set();
/** Output of the parts in the background so far; null: it is printed at once. */
let kept = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const group of running) endGroup(group, 'SIGTERM');
    hearAll();
    process.exit(130);
  });
}

await runMain(async () => {
  await ensureInstalled({ dev: true });
  const startedAt = Date.now();
  const lanes = process.argv.includes('--long') ? longLanes() : quickLanes();
  const results = await runInOrder([{ name: 'build', run: buildPart }], false);
  const beside = runInOrder(lanes.beside, true);
  results.push(...(await runInOrder(lanes.first, false)));
  hearAll();
  results.push(...(await beside));
  rmSync(reports, { recursive: true, force: true });
  process.exitCode = report(results, Date.now() - startedAt);
});

function quickLanes() {
  return {
    first: [{ name: 'tests', run: (aside) => vitest(['vitest.config.ts'], 20, aside) }],
    beside: [
      { name: 'types, lint', run: (aside) => counting(CHECK, 10, aside) },
      { name: 'simulation', run: (aside) => counting(SIMULATION, 30, aside) },
    ],
  };
}

function longLanes() {
  const projects = (aside, ...names) =>
    vitest(['vitest.long.config.ts', ...names.map((name) => `--project=${name}`)], 90, aside);
  return {
    first: [{ name: 'long tests', run: (aside) => projects(aside, 'stories', 'faults') }],
    beside: [{ name: 'long fuzzing', run: (aside) => projects(aside, 'computing') }],
  };
}

async function runInOrder(parts, aside) {
  const results = [];
  for (const part of parts) {
    say(`\n== ${part.name}\n`, aside);
    const startedAt = Date.now();
    const counts = await part.run(aside);
    results.push({ name: part.name, tookMs: Date.now() - startedAt, ...counts });
  }
  return results;
}

function say(text, aside) {
  if (aside && kept !== null) kept.push(text);
  else process.stdout.write(text);
}

function hearAll() {
  for (const text of kept ?? []) process.stdout.write(text);
  kept = null;
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

async function vitest(config, minutesMax, aside) {
  const file = join(reports, `vitest-${aside ? 'beside' : 'first'}.json`);
  const code = await runTool(
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      ...['run', '--config', ...config, '--passWithNoTests', '--reporter=default', '--reporter=json'],
      `--outputFile.json=${file}`,
    ],
    minutesMax,
    aside,
  );
  const summary = readJson(file);
  const counts = countsOf(code, summary?.numPassedTests, summary?.numFailedTests);
  return { ...counts, skipped: summary?.numPendingTests ?? 0 };
}

/** A program of ours that reports how many of its checks passed. */
async function counting(args, minutesMax, aside) {
  const file = join(reports, 'summary.json');
  rmSync(file, { force: true });
  const code = await runTool([...args, '--summary-json', file], minutesMax, aside);
  const summary = readJson(file);
  return countsOf(code, summary?.passed, summary?.failed);
}

/** A part that failed without a failed test (it crashed, or a file did not load) counts as one failure. */
function countsOf(code, passed, failed) {
  const reported = Number.isInteger(passed) && Number.isInteger(failed);
  if (!reported) return { passed: 0, failed: 1 };
  return { passed, failed: code === 0 ? failed : Math.max(1, failed) };
}

/** Runs node on a script, in its own process group; returns 124 if the time limit ended it. */
function runTool(args, minutesMax, aside) {
  const ownGroup = process.platform !== 'win32';
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      detached: ownGroup,
      stdio: aside ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    if (aside) standBack(child.pid);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => say(text, aside));
    const group = ownGroup ? -(child.pid ?? 0) : (child.pid ?? 0);
    running.add(group);
    let late = false;
    let killer;
    let patience;
    const deadline = setTimeout(() => {
      late = true;
      say(`ended: no result after ${minutesMax} minutes\n`, aside);
      endGroup(group, 'SIGTERM');
      killer = setTimeout(() => endGroup(group, 'SIGKILL'), KILL_AFTER_MS);
    }, minutesMax * MINUTE_MS);
    const finish = (code) => {
      clearTimeout(deadline);
      clearTimeout(killer);
      clearTimeout(patience);
      endGroup(group, 'SIGKILL');
      running.delete(group);
      resolve(late ? 124 : code);
    };
    child.on('error', () => finish(1));
    child.on('exit', (code) => {
      endGroup(group, 'SIGKILL');
      // Its last output may still be on its way; a process that left the group and keeps the output open is not waited
      // for.
      patience = setTimeout(() => finish(code ?? 1), KILL_AFTER_MS);
      child.on('close', () => finish(code ?? 1));
    });
  });
}

/**
 * Gives this process and everything that it starts a lower CPU priority. If that is not possible, the run goes on
 * without it.
 */
function standBack(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
    // Where Linux schedules by session (autogroup), this is the weight of the whole session.
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // Other systems have no such file, and the process may have ended by now.
  }
}

/** Signals what is left of a part; it does not matter if nothing is. */
function endGroup(group, signal) {
  if (group === 0) return;
  try {
    process.kill(group, signal);
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
  }
}

/** The parts run concurrently: the total is less than their sum. */
function report(results, tookMs) {
  const count = (of) => results.reduce((sum, result) => sum + result[of], 0);
  const [passed, failed] = [count('passed'), count('failed')];
  const row = (name, took, ...counts) =>
    `${name.padEnd(12)} ${took.padStart(9)} ${counts.map((text) => String(text).padStart(8)).join(' ')}\n`;
  let text = `\n${row('part', 'took', 'passed', 'failed')}`;
  for (const result of [...results, { name: 'all', tookMs, passed, failed }]) {
    text += row(result.name, `${(result.tookMs / 1000).toFixed(1)} s`, result.passed, result.failed);
  }
  const skipped = results.reduce((sum, result) => sum + (result.skipped ?? 0), 0);
  if (skipped > 0) text += `\n${skipped} skipped, for what is not there (named above, "skipped: ...")\n`;
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
