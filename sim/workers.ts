/**
 * Runs seeds on several processes: each gets the next seed when it has reported the last one, so that none waits for
 * the slowest.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { runSeed } from './run.ts';
import type { RunOptions } from './run.ts';
import type { ToldResult } from './summary.ts';

/**
 * Runs are short with many small objects. A young generation that is large from the start avoids most copying of
 * objects that die at once, and a single thread collects it, because there is no idle core to help. Code is compiled by
 * the baseline compiler when it is first run, because much of it runs only now and then, and optimised only when it has
 * run for long: the optimising compiler, on threads of its own, otherwise took a third of all processor time.
 */
const NODE_OPTIONS = [
  ...['--min-semi-space-size=64', '--max-semi-space-size=64', '--single-threaded-gc'],
  ...['--always-sparkplug', ...(process.version.startsWith('v20.') ? ['--interrupt-budget=200000'] : [])],
];

export interface WorkersParts {
  readonly count: number;
  /** Arguments that make a child a worker with the same options. */
  readonly args: readonly string[];
  /** The next seed to run, or null if there are no more. */
  readonly next: () => number | null;
  readonly onResult: (result: ToldResult) => void;
}

export class Workers {
  /** Resolves when all have ended, by themselves or not. */
  readonly done: Promise<void>;
  private readonly children: ChildProcess[];

  constructor(parts: WorkersParts) {
    this.children = Array.from({ length: parts.count }, () => startChild(parts));
    const ends = this.children.map(
      (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
    );
    this.done = Promise.all(ends).then(() => undefined);
  }

  stop(): void {
    for (const child of this.children) child.kill('SIGTERM');
  }
}

function startChild(parts: WorkersParts): ChildProcess {
  const child = fork(process.argv[1]!, [...parts.args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...NODE_OPTIONS],
  });
  const give = (): void => {
    const seed = parts.next();
    if (seed === null) child.disconnect();
    else child.send(seed);
  };
  child.on('message', (message) => {
    if (message !== 'ready') parts.onResult(message as ToldResult);
    give();
  });
  return child;
}

/** In the child: runs the seeds that it is given until it is dismissed. */
export function serveAsWorker(options: RunOptions): void {
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (seed) => process.send?.(runTold(Number(seed), options)));
  process.send?.('ready');
}

export function runTold(seed: number, options: RunOptions): ToldResult {
  const before = process.cpuUsage();
  const result = runSeed(seed, options);
  const { user, system } = process.cpuUsage(before);
  return { ...result, occurred: Object.fromEntries(result.occurred), cpuSeconds: (user + system) / 1e6 };
}
