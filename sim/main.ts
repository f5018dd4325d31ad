/**
 * `npm run sim`: runs seeds on all cores and says what they injected; a failing seed is told with the one command
 * that replays it with its trace.
 *
 *   npm run sim -- --seeds 2000 [--first 1] [--nodes 5] [--workers 2] [--summary-json FILE]
 *   npm run sim -- --seed 17 --trace
 */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSeed } from './run.ts';
import type { RunResult } from './run.ts';

/** What must have occurred in 2,000 seeds; fewer seeds must do their share. */
const MINIMUMS: Readonly<Record<string, number>> = {
  processKilled: 2_000,
  epoch: 2_000,
  indefinite: 1_000,
  replay: 500,
};
const MINIMUMS_SEEDS = 2_000;

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
    workers: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'summary-json': { type: 'string' },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help)
  process.stdout.write(
    'npm run sim -- [--seeds N] [--first N] [--seed N [--trace]] [--nodes N] [--workers N]\n',
  );
else if (flags.seed !== undefined) runOne(Number(flags.seed));
else if (flags.worker !== undefined) work(flags.worker);
else void runAll();

function optionsOf(): { nodeCount?: number } {
  return flags.nodes === undefined ? {} : { nodeCount: Number(flags.nodes) };
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
  const args = ['--worker', share, ...(flags.nodes === undefined ? [] : ['--nodes', flags.nodes])];
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
    process.stderr.write(`  replay: npm run sim -- --seed ${result.seed} --trace\n`);
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
  const missing = Object.entries(MINIMUMS).filter(
    ([kind, minimum]) => (summary.occurred[kind] ?? 0) < Math.floor((minimum * seedCount) / MINIMUMS_SEEDS),
  );
  for (const [kind, minimum] of missing) {
    process.stdout.write(
      `too few of ${kind}: ${summary.occurred[kind] ?? 0}, must be ${minimum} in ${MINIMUMS_SEEDS} seeds\n`,
    );
  }
  const lost = seedCount - summary.seeds;
  if (lost > 0) process.stdout.write(`${lost} seeds were not run: a worker ended early\n`);
  const failed = summary.failures.length + missing.length + lost;
  for (const failure of summary.failures.slice(0, 10)) {
    process.stdout.write(`failed: npm run sim -- --seed ${failure.seed} --trace\n`);
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
