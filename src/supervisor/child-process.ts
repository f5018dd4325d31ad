/**
 * One supervised child: started, watched, started again after a crash with growing pauses, and stopped in order.
 * It runs in its own process group, so that Ctrl-C reaches only the supervisor, and holds a channel by which it
 * notices the supervisor's death (`watchParent`). One loop runs it, so there is never more than one alive.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { LogFile, withDescriptor } from './log-file.ts';
import { reasonOf } from './start-error.ts';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logPath: string;
  /** Runs before every start, the first included; what it throws counts as a failed start. */
  readonly beforeStart?: () => Promise<void>;
  /** Asks the child to leave in order (default SIGTERM). */
  readonly stopSignal?: NodeJS.Signals;
  /** Ends it at once (default SIGKILL). */
  readonly haltSignal?: NodeJS.Signals;
  /** Milliseconds after the stop signal until its whole group is killed. */
  readonly stopTimeoutMs?: number;
  readonly onEvent: (event: ChildEvent) => void;
  readonly restart?: RestartTimes;
}

export interface RestartTimes {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Milliseconds of life after which the next crash waits only the shortest time again. */
  readonly settledAfterMs: number;
}

export type ChildEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number }
  | {
      readonly kind: 'ended';
      readonly name: string;
      /** 'exit code 1', 'signal SIGKILL', or why it could not be started. */
      readonly reason: string;
      /** Milliseconds until the next start; undefined where it was asked to stop. */
      readonly restartInMs: number | undefined;
    };

const RESTART_TIMES_DEFAULT: RestartTimes = {
  delayMsMin: 250,
  delayMsMax: 10_000,
  settledAfterMs: 30_000,
};
const STOP_TIMEOUT_MS_DEFAULT = 15_000;
/** Milliseconds a child may still take after the halt signal before its group is killed. */
const HALT_TIMEOUT_MS = 3_000;

export class SupervisedChild {
  readonly name: string;
  readonly #spec: ChildSpec;
  readonly #log: LogFile;
  readonly #stopping = new AbortController();
  #process: ChildProcess | undefined;
  #loop: Promise<void> | undefined;

  constructor(spec: ChildSpec) {
    this.name = spec.name;
    this.#spec = spec;
    this.#log = new LogFile(spec.logPath);
  }

  /** The living child's id; undefined while there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Calling it again does nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when no process is left. Calling it again, or `halt` after it, is fine. */
  async stop(): Promise<void> {
    await this.#end(this.#spec.stopSignal ?? 'SIGTERM', this.#spec.stopTimeoutMs ?? STOP_TIMEOUT_MS_DEFAULT);
  }

  /** As `stop`, without giving it time to finish what it does. */
  async halt(): Promise<void> {
    await this.#end(this.#spec.haltSignal ?? 'SIGKILL', HALT_TIMEOUT_MS);
  }

  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    const child = this.#process;
    child?.kill(signal);
    const timer = setTimeout(() => killGroup(child), timeoutMs);
    await this.#loop;
    clearTimeout(timer);
    this.#log.close();
  }

  async #run(): Promise<void> {
    const times = this.#spec.restart ?? RESTART_TIMES_DEFAULT;
    const signal = this.#stopping.signal;
    let delayMs = times.delayMsMin;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const reason = await this.#runOnce(signal);
      if (performance.now() - startedAt >= times.settledAfterMs) delayMs = times.delayMsMin;
      const restartInMs = signal.aborted ? undefined : delayMs;
      this.#spec.onEvent({ kind: 'ended', name: this.name, reason, restartInMs });
      if (signal.aborted) return;
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, times.delayMsMax);
    }
  }

  /** From the start of one process to its end; answers why it ended. Never throws. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    try {
      await this.#spec.beforeStart?.();
      if (signal.aborted) return 'stopped before it was started';
      return await this.#spawn();
    } catch (error) {
      return `could not be started: ${reasonOf(error)}`;
    } finally {
      this.#process = undefined;
    }
  }

  #spawn(): Promise<string> {
    const { command, args, env } = this.#spec;
    const child = withDescriptor(this.#log, (output) =>
      spawn(command, args, { env, detached: true, stdio: ['ignore', output, output, 'ipc'] }),
    );
    this.#process = child;
    return new Promise((resolve, reject) => {
      child.once('spawn', () =>
        this.#spec.onEvent({ kind: 'started', name: this.name, pid: child.pid as number }),
      );
      child.once('exit', (code, bySignal) =>
        resolve(bySignal ? `signal ${bySignal}` : `exit code ${code ?? '?'}`),
      );
      // Without a pid nothing was started and no 'exit' will come; with one, a signal failed: 'exit' will come.
      child.on('error', (error) => {
        if (child.pid === undefined) reject(error);
      });
    });
  }
}

/** The child leads its own group, so this reaches also what it has started itself. */
function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
