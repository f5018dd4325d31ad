/**
 * The guard of a program that cannot watch its parent itself (PostgreSQL): our process between the supervisor and the
 * program, which stops the program gracefully when the supervisor is gone, for whatever reason. It runs in its own
 * process group and ignores Ctrl-C.
 */
import { spawn } from 'node:child_process';
import { watchParent } from './watch-parent.ts';

export interface GuardOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The user to run the program as; undefined for our own. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Milliseconds from PostgreSQL's fast shutdown (SIGINT) to its immediate shutdown (SIGQUIT), and from there to the
 * kill.
 */
const GUARD_QUIT_AFTER_MS = 10_000;
export const GUARD_KILL_AFTER_MS = 15_000;

/** Runs the program until it ends; returns the exit code to end with. */
export function runGuard(options: GuardOptions): Promise<number> {
  const { command, args, cwd, uid, gid } = options;
  let child: ReturnType<typeof spawn> | undefined;
  let orphaned = false;

  const stop = (): void => {
    if (child === undefined) return;
    child.kill('SIGINT');
    setTimeout(() => child?.kill('SIGQUIT'), GUARD_QUIT_AFTER_MS).unref();
    setTimeout(() => child?.kill('SIGKILL'), GUARD_KILL_AFTER_MS).unref();
  };
  // Called before the program starts: a supervisor that dies meanwhile must not leave it behind.
  watchParent(() => {
    orphaned = true;
    stop();
  }, GUARD_KILL_AFTER_MS + 5_000);
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', stop);
  process.on('SIGQUIT', () => child?.kill('SIGQUIT'));

  return new Promise((resolve, reject) => {
    if (process.connected === false) {
      resolve(1);
      return;
    }
    child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    if (orphaned) stop();
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
