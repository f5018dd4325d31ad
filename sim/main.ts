/**
 * `npm run sim`: runs seeds on all cores and says what they injected; a failing seed is told with the one command
 * that replays it with its trace.
 *
 *   npm run sim -- --seeds 2000 [--first 1] [--nodes 5] [--profile hotKey] [--workers 2] [--summary-json FILE]
 *   npm run sim -- --seed 17 --trace
 */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULT_KINDS } from './faults.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import type { RunOptions, RunResult } from './run.ts';

/** What must have occurred in 2,000 seeds; fewer seeds must do their share. */
const MINIMUMS: Readonly<Record<string, number>> = {
  processKilled: 2_000,
  epoch: 2_000,
  indefinite: 1_000,
  replay: 500,
};
const MINIMUMS_SEEDS = 2_000;
/** From so many seeds on every kind of fault must have struck at least once. */
const EVERY_KIND_SEEDS_MIN = 200;
/** Of histories that the checker gave up on: beyond this the verdict of the whole run is worth too little. */
const UNDECIDED_SHARE_MAX = 0.003;

interface Summary {
  seeds: number;
  operations: number;
  virtualMs: number;
  occurred: Record<string, number>;
  failures: { seed: number; violation: string }[];
}

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    nodes: { type: 'string' },
    profile: { type: 'string' },
    workers: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'summary-json': { type: 'string' },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help)
  process.stdout.write(
    'npm run sim -- [--seeds N] [--first N] [--seed N [--trace]] [--nodes N] [--profile NAME] [--workers N]\n',
  );
else if (flags.seed !== undefined) runOne(Number(flags.seed));
else if (flags.worker !== undefined) work(flags.worker);
else void runAll();

function optionsOf(): RunOptions {
  const profile = flags.profile === undefined ? undefined : PROFILES[flags.profile];
  if (flags.profile !== undefined && profile === undefined)
    throw new Error(`no profile ${flags.profile}; there are ${Object.keys(PROFILES).join(', ')}`);
  return {
    ...(flags.nodes === undefined ? {} : { nodeCount: Number(flags.nodes) }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** The flags that make a seed what it is, as they must be given again. */
function seedFlags(): string[] {
  return [
    ...(flags.nodes === undefined ? [] : ['--nodes', flags.nodes]),
    ...(flags.profile === undefined ? [] : ['--profile', flags.profile]),
  ];
}

function replayCommand(seed: number): string {
  return ['npm run sim -- --seed', seed, ...seedFlags(), '--trace'].join(' ');
}

function runOne(seed: number): void {
  const result = runSeed(seed, {
    ...optionsOf(),
    ...(flags.trace ? { onTrace: (line: string) => process.stdout.write(line + '\n') } : {}),
  });
  const { violation, occurred, ...rest } = result;
  process.stdout.write(JSON.stringify({ ...rest, occurred: Object.fromEntries(occurred) }) + '\n');
  process.stdout.write(violation === null ? `seed ${seed}: ok\n` : `seed ${seed}: ${violation}\n`);
  process.exitCode = violation === null ? 0 : 1;
}

/** A worker takes every n-th seed and reports in batches. */
function work(share: string): void {
  const [first, step, end] = share.split(':').map(Number) as [number, number, number];
  for (let seed = first; seed < end; seed += step) report(runGuarded(seed));
  process.disconnect();
}

function runGuarded(seed: number): RunResult {
  try {
    return runSeed(seed, optionsOf());
  } catch (error) {
    const violation = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      seed,
      violation,
      operations: 0,
      succeeded: 0,
      virtualMs: 0,
      eventCount: 0,
      traceHash: 0,
      occurred: new Map(),
    };
  }
}

function report(result: RunResult): void {
  process.send?.({ ...result, occurred: Object.fromEntries(result.occurred) });
}

/** A run in which something hardly happened has shown little, however green it is. */
function whatIsMissing(summary: Summary, seedCount: number): string[] {
  const lines: string[] = [];
  const profile = optionsOf().profile;
  if (profile === undefined) {
    for (const [kind, minimum] of Object.entries(MINIMUMS)) {
      const count = summary.occurred[kind] ?? 0;
      if (count < Math.floor((minimum * seedCount) / MINIMUMS_SEEDS))
        lines.push(`too few of ${kind}: ${count}, must be ${minimum} in ${MINIMUMS_SEEDS} seeds`);
    }
  }
  if (seedCount >= EVERY_KIND_SEEDS_MIN) {
    for (const kind of profile?.faultKinds ?? FAULT_KINDS)
      if ((summary.occurred[kind] ?? 0) === 0) lines.push(`${kind} never struck`);
  }
  const undecided = summary.occurred['undecided'] ?? 0;
  if (undecided > 1 + UNDECIDED_SHARE_MAX * seedCount) lines.push(`${undecided} histories were not decided`);
  return lines;
}

async function runAll(): Promise<void> {
  const first = Number(flags.first);
  const seedCount = Number(flags.seeds);
  const workers = Math.min(seedCount, Number(flags.workers ?? availableParallelism()));
  const summary: Summary = { seeds: 0, operations: 0, virtualMs: 0, occurred: {}, failures: [] };
  const startedAt = performance.now();
  const progress = setInterval(() => {
    process.stderr.write(`${summary.seeds}/${seedCount} seeds, ${summary.failures.length} failed\n`);
  }, 10_000);
  await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      runWorker(`${first + index}:${workers}:${first + seedCount}`, summary),
    ),
  );
  clearInterval(progress);
  finish(summary, seedCount, (performance.now() - startedAt) / 1_000);
}

function runWorker(share: string, summary: Summary): Promise<void> {
  const args = ['--worker', share, ...seedFlags()];
  const child = fork(process.argv[1]!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (message) => {
    const result = message as Omit<RunResult, 'occurred'> & { occurred: Record<string, number> };
    summary.seeds += 1;
    summary.operations += result.operations;
    summary.virtualMs += result.virtualMs;
    for (const [kind, count] of Object.entries(result.occurred)) {
      summary.occurred[kind] = (summary.occurred[kind] ?? 0) + count;
    }
    if (result.violation === null) return;
    summary.failures.push({ seed: result.seed, violation: result.violation });
    process.stderr.write(`seed ${result.seed} failed: ${result.violation.slice(0, 2_000)}\n`);
    process.stderr.write(`  replay: ${replayCommand(result.seed)}\n`);
  });
  return new Promise((resolve) => child.once('close', () => resolve()));
}

function finish(summary: Summary, seedCount: number, seconds: number): void {
  const lines = Object.entries(summary.occurred).sort(([a], [b]) => a.localeCompare(b));
  const virtualSeconds = summary.virtualMs / 1_000;
  process.stdout.write(
    `${summary.seeds} seeds, ${summary.operations} operations, ${Math.round(virtualSeconds)} simulated seconds in ` +
      `${seconds.toFixed(1)} s (${Math.round(virtualSeconds / seconds)} to one)\n`,
  );
  for (const [kind, count] of lines) process.stdout.write(`  ${kind.padEnd(16)} ${count}\n`);
  const missing = whatIsMissing(summary, seedCount);
  for (const line of missing) process.stdout.write(line + '\n');
  const lost = seedCount - summary.seeds;
  if (lost > 0) process.stdout.write(`${lost} seeds were not run: a worker ended early\n`);
  const failed = summary.failures.length + missing.length + lost;
  for (const failure of summary.failures.slice(0, 10)) {
    process.stdout.write(`failed: ${replayCommand(failure.seed)}\n`);
  }
  process.stdout.write(`${summary.seeds - summary.failures.length} passed, ${failed} failed\n`);
  if (flags['summary-json'] !== undefined) {
    writeFileSync(
      flags['summary-json'],
      JSON.stringify({ ...summary, passed: summary.seeds - summary.failures.length, failed }),
    );
  }
  process.exitCode = failed === 0 ? 0 : 1;
}
