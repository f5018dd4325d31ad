/**
 * A peer's server process: it runs under the same guard as PostgreSQL does here, so that it ends with the benchmark
 * however that ends, with its own directory and its output in a log.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../world.ts';

const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 25;
const STOP_TIMEOUT_MS = 10_000;

/** Whether a program of this name can be run here. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

export class ServerProcess {
  readonly directory: string;
  private readonly child: ChildProcess;
  private readonly log: string;

  constructor(world: World, name: string, program: string, argumentsIn: (directory: string) => string[]) {
    this.directory = join(world.directory, name);
    mkdirSync(this.directory, { recursive: true });
    this.log = join(this.directory, 'log');
    const output = openSync(this.log, 'a');
    const args = ['guard', '--cwd', this.directory, '--', program, ...argumentsIn(this.directory)];
    this.child = spawn(process.execPath, [world.entry, ...args], {
      stdio: ['ignore', output, output, 'ipc'],
      // Ctrl-C must not reach it: it is stopped in its turn.
      detached: true,
    });
    closeSync(output);
    world.atClose(() => this.close());
  }

  /** The process id of the guard, whose child the server is. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Resolves once `look` no longer fails. */
  async untilReady(look: () => Promise<unknown>): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      try {
        await look();
        return;
      } catch (error) {
        const log = readFileSync(this.log, 'utf8').slice(-1_000);
        if (this.child.exitCode !== null) throw new Error(`a server has ended:\n${log}`, { cause: error });
        if (performance.now() > giveUpAt) throw new Error(`a server is not ready:\n${log}`, { cause: error });
        await delay(READY_POLL_MS);
      }
    }
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
}
