/**
 * One supervised child: starts it, watches it, restarts it after a crash with growing pauses, and stops it gracefully.
 * The child runs in its own process group, so that Ctrl-C reaches only the supervisor, and has a channel by which it
 * notices the supervisor's death (`watchParent`). A single loop runs it, so there is never more than one process alive.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { LogFile, withDescriptor } from './log-file.ts';
import { reasonOf } from '../base/reason-of.ts';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logPath: string;
  /** Runs before every start, including the first; an exception counts as a failed start. */
  readonly beforeStart?: () => Promise<void>;
  /** Asks the child to stop gracefully (default SIGTERM). */
  readonly stopSignal?: NodeJS.Signals;
  /** Stops it at once (default SIGKILL). */
  readonly haltSignal?: NodeJS.Signals;
  /** Milliseconds from the stop signal until its whole process group is killed. */
  readonly stopTimeoutMs?: number;
  readonly onEvent: (event: ChildEvent) => void;
  readonly restart?: RestartTimes;
}

export interface RestartTimes {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /**
   * A child that has lived for this many milliseconds counts as stable: after its next crash the pause is the shortest
   * again.
   */
  readonly settledAfterMs: number;
}

export type ChildEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number }
  | {
      readonly kind: 'ended';
      readonly name: string;
      /** 'exit code 1', 'signal SIGKILL', or why it could not be started. */
      readonly reason: string;
      /** Milliseconds until the next start; undefined if it was asked to stop. */
      readonly restartInMs: number | undefined;
    };

const RESTART_TIMES_DEFAULT: RestartTimes = {
  delayMsMin: 250,
  delayMsMax: 10_000,
  settledAfterMs: 30_000,
};
const STOP_TIMEOUT_MS_DEFAULT = 15_000;
/** Milliseconds from the halt signal until its process group is killed. */
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

  /** The process id of the living child; undefined if there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Calling it again has no effect. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when no process is left. May be called again, and `halt` may be called after it. */
  async stop(): Promise<void> {
    await this.#end(this.#spec.stopSignal ?? 'SIGTERM', this.#spec.stopTimeoutMs ?? STOP_TIMEOUT_MS_DEFAULT);
  }

  /** Like `stop`, but without time to finish what it does. */
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

  /** Runs one process from start to end; returns why it ended. Never throws. */
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
      // Without a pid nothing was started and no 'exit' will come. With a pid, sending a signal failed, and 'exit' will
      // come.
      child.on('error', (error) => {
        if (child.pid === undefined) reject(error);
      });
    });
  }
}

/** The child leads its own process group, so this also reaches processes that it has started. */
function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
