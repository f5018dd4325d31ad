/**
 * What can be learnt about processes that are not our children: whether one is alive, whether it is still the same one,
 * and whether it is a PostgreSQL server on a certain data directory. A process id alone proves nothing, since ids are
 * reused.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A zombie counts as gone: it holds no port and no file and, without an init that reaps it, stays for ever. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is alive, but belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  const state = statFields(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** When the process began, as opaque text: the same id with another mark is another process. */
export function startMark(pid: number): string {
  if (process.platform === 'linux') return statFields(pid)?.[19] ?? '';
  return psColumn(pid, 'lstart');
}

/** Whether this process is a PostgreSQL server running in this data directory. The path must be a real path. */
export function isPostgresOn(pid: number, pgData: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') {
    const command = psColumn(pid, 'command');
    return command.includes('postgres') && command.includes(pgData);
  }
  try {
    // A postmaster changes into its data directory and stays there.
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return name.startsWith('postgres') && readlinkSync(`/proc/${pid}/cwd`) === pgData;
  } catch {
    return false;
  }
}

export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly waitMs: number;
}

/** Sends the signals one after the other, each with its wait, until `gone`. Returns whether the process is gone. */
export async function stopProcess(
  pid: number,
  steps: readonly StopStep[],
  gone: () => boolean,
): Promise<boolean> {
  for (const step of steps) {
    try {
      process.kill(pid, step.signal);
    } catch {
      // It is gone meanwhile, or not ours to stop; `gone` tells which.
    }
    for (let waitedMs = 0; waitedMs < step.waitMs; waitedMs += POLL_MS) {
      if (gone()) return true;
      await delay(POLL_MS);
    }
  }
  return gone();
}

const POLL_MS = 25;

/** The fields of /proc/PID/stat after the command name, which may itself contain spaces and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function psColumn(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', `${column}=`], {
      encoding: 'utf8',
      timeout: 5_000,
    }).trim();
  } catch {
    return '';
  }
}
