/**
 * Holds processes, or lets them run in slices only, until they are released; however this process ends, they continue.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Pause } from '../../verify/world.ts';
import { repositoryRoot } from './root.ts';

const HOLDER = join(repositoryRoot, 'test/support/process-holder.mjs');

export interface Slices {
  readonly runMs: number;
  readonly stillMs: number;
}

const NEVER_RUNS: Slices = { runMs: 0, stillMs: 0 };

/** Resolves when the process is held, with a function that releases it. */
async function holdProcess(pid: number, slices: Slices): Promise<() => Promise<void>> {
  const args = [HOLDER, ...[pid, slices.runMs, slices.stillMs].map(String)];
  const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const ended = once(holder, 'exit');
  holder.stdin.on('error', () => {});
  await Promise.race([once(holder.stdout, 'data'), ended]);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}

/** Pauses those of these nodes that are running. */
export async function pauseProcesses(
  names: readonly string[],
  pidOf: (name: string) => number | undefined,
  slices: Slices = NEVER_RUNS,
): Promise<Pause> {
  const running = names.flatMap((name) => {
    const pid = pidOf(name);
    return pid === undefined ? [] : [{ name, pid }];
  });
  const releases = await Promise.all(running.map(({ pid }) => holdProcess(pid, slices)));
  return {
    names: running.map(({ name }) => name),
    resume: async () => void (await Promise.all(releases.map((release) => release()))),
  };
}
