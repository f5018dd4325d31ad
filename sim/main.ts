/**
 * `npm run sim`: runs seeds on all cores, shows the progress, and reports what they injected. A failing seed is shrunk
 * and printed with the one command that replays it with its trace.
 *
 * Exit code: 0 all passed; 1 something failed, or hardly happened, or was not run; 2 wrong usage; 130 interrupted.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { HELP, readFlags } from './flags.ts';
import type { Flags } from './flags.ts';
import { PROFILES } from './profiles.ts';
import { clearLine, showProgress } from './progress.ts';
import { LOAD_MS_MAX, runSeed } from './run.ts';
import type { RunCut, RunOptions } from './run.ts';
import { shrink } from './shrink.ts';
import { addResult, emptySummary, rateOf, seedText, summaryText, whatIsMissing } from './summary.ts';
import type { Summary, ToldResult } from './summary.ts';
import { runTold, serveAsWorker, Workers } from './workers.ts';

/** Time limit for shrinking one failing seed. */
const SHRINK_MS_MAX = 30_000;
const SHRINK_RUNS_MAX = 300;
const FAILURES_TOLD_MAX = 10;

const flags = flagsOf();
// The reader has seen enough, which is not a failure of the run.
process.stdout.on('error', () => process.exit());
if (flags.help) process.stdout.write(HELP);
else if (flags.worker) serveAsWorker(optionsOf());
else if (flags.seed !== undefined) runOne(Number(flags.seed));
else void runMany();

function flagsOf(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${HELP}`);
    process.exit(2);
  }
}

function optionsOf(): RunOptions {
  return {
    ...(flags.nodes === undefined ? {} : { nodeCount: Number(flags.nodes) }),
    ...(flags.profile === undefined ? {} : { profile: PROFILES[flags.profile]! }),
  };
}

/** The flags that are part of a seed's identity, as they must be passed again to repeat it. */
function seedFlags(): string[] {
  return [
    ...(flags.nodes === undefined ? [] : ['--nodes', flags.nodes]),
    ...(flags.profile === undefined ? [] : ['--profile', flags.profile]),
  ];
}

function replayCommand(seed: number, cut: RunCut = {}): string {
  const list = (numbers: readonly number[]): string => (numbers.length === 0 ? 'none' : numbers.join());
  return [
    'npm run sim -- --seed',
    seed,
    ...seedFlags(),
    ...(cut.faults === undefined ? [] : ['--faults', list(cut.faults)]),
    ...(cut.clients === undefined ? [] : ['--clients', list(cut.clients)]),
    ...(cut.loadMs === undefined ? [] : ['--load-ms', cut.loadMs]),
    '--trace',
  ].join(' ');
}

function runOne(seed: number): void {
  const numbers = (list: string): number[] => (list === 'none' ? [] : list.split(',').map(Number));
  const result = runTold(seed, {
    ...optionsOf(),
    ...(flags.faults === undefined ? {} : { faults: numbers(flags.faults) }),
    ...(flags.clients === undefined ? {} : { clients: numbers(flags.clients) }),
    ...(flags['load-ms'] === undefined ? {} : { loadMs: Number(flags['load-ms']) }),
    ...(flags.trace ? { onTrace: (line: string) => process.stdout.write(line + '\n') } : {}),
  });
  const { violation } = result;
  process.stdout.write(flags.json ? JSON.stringify(result) + '\n' : seedText(result));
  process.exitCode = violation === null ? 0 : 1;
}

async function runMany(): Promise<void> {
  const startedAt = performance.now();
  const endsAt = flags.minutes === undefined ? Infinity : startedAt + Number(flags.minutes) * 60_000;
  const seedsMax = Number(flags.seeds ?? (flags.minutes === undefined ? 200 : Infinity));
  const first = Number(flags.first ?? 1);
  const summary = emptySummary();
  let given = 0;
  let interrupted = false;
  const workers = new Workers({
    count: Math.max(1, Math.min(seedsMax, Number(flags.workers ?? availableParallelism()))),
    args: ['--worker', ...seedFlags()],
    next: () => (given >= seedsMax || interrupted || performance.now() >= endsAt ? null : first + given++),
    onResult: (result) => onResult(summary, result),
  });
  process.on('SIGINT', () => {
    interrupted = true;
    workers.stop();
  });
  const hideProgress = showProgress(() => ({
    done: summary.seeds,
    total: seedsMax === Infinity ? null : seedsMax,
    failed: summary.failures.length,
    rate: rateOf(summary),
    secondsLeft: endsAt === Infinity ? null : Math.max(0, (endsAt - performance.now()) / 1_000),
  }));
  await workers.done;
  hideProgress();
  const failed = finish(summary, given, (performance.now() - startedAt) / 1_000);
  process.exitCode = interrupted ? 130 : failed === 0 ? 0 : 1;
}

function onResult(summary: Summary, result: ToldResult): void {
  addResult(summary, result);
  if (result.violation === null) return;
  clearLine();
  process.stderr.write(`seed ${result.seed} failed: ${result.violation.slice(0, 2_000)}\n`);
  process.stderr.write(`  replay: ${replayCommand(result.seed)}\n`);
}

function finish(summary: Summary, seedCount: number, wallSeconds: number): number {
  const out = flags.json ? process.stderr : process.stdout;
  out.write(summaryText(summary, wallSeconds));
  const { profile } = optionsOf();
  const kinds = profile === undefined ? null : (profile.faultKinds ?? []);
  const missing = whatIsMissing(summary, { seedCount, kinds });
  for (const line of missing) out.write(line + '\n');
  const lost = seedCount - summary.seeds;
  if (lost > 0) out.write(`${lost} seeds were not run: a worker ended early\n`);
  const passed = summary.seeds - summary.failures.length;
  const failed = summary.failures.length + missing.length + lost;
  const shrunk =
    summary.failures.length === 0 || flags['no-shrink'] ? null : shrinkSeed(summary.failures[0]!);
  if (shrunk !== null) out.write(shrunk.text);
  for (const failure of summary.failures.slice(0, FAILURES_TOLD_MAX))
    out.write(`failed: ${replayCommand(failure.seed)}\n`);
  out.write(`${passed} passed, ${failed} failed\n`);
  const told = {
    ...summary,
    passed,
    failed,
    missing,
    wallSeconds,
    rate: rateOf(summary),
    shrunk: shrunk?.command,
  };
  if (flags.json) process.stdout.write(JSON.stringify(told) + '\n');
  if (flags['summary-json'] !== undefined) writeFileSync(flags['summary-json'], JSON.stringify(told));
  return failed;
}

function shrinkSeed(failure: ToldResult): { readonly command: string; readonly text: string } {
  const { seed } = failure;
  const startedAt = performance.now();
  process.stderr.write(`making seed ${seed} small ...\n`);
  const mayGoOn = (runCount: number): boolean =>
    runCount < SHRINK_RUNS_MAX && performance.now() - startedAt < SHRINK_MS_MAX;
  const failed = { ...failure, occurred: new Map<string, number>() };
  const { cut, result, runCount } = shrink(
    failed,
    (each) => runSeed(seed, { ...optionsOf(), ...each }),
    mayGoOn,
  );
  const command = replayCommand(seed, cut);
  const text =
    `seed ${seed}, after ${runCount} smaller runs: ${result.operations} operations of ${cut.clients.length} clients, ` +
    `${cut.faults.length} faults, ${cut.loadMs} of ${LOAD_MS_MAX} ms\n` +
    `  ${result.violation?.slice(0, 2_000) ?? ''}\n  ${command}\n`;
  return { command, text };
}
