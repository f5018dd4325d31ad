/**
 * A PostgreSQL data directory before its server runs: created once (atomically), checked against the programs, and
 * freed of a server that an earlier supervisor left behind.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renameDurably } from '../base/replace-file.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import type { PostgresHome } from './postgres-user.ts';
import { isPostgresOn, stopProcess } from './process-table.ts';
import { reasonOf } from '../base/reason-of.ts';
import { StartError } from './start-error.ts';

export const POSTGRES_USER = 'admin';

const DATA = 'data';
const INITDB_TIMEOUT_MS = 120_000;
const LEFTOVER_STOP_STEPS = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;

/**
 * Returns the data directory inside `home`, created by initdb if there is none yet. It is created under another name
 * and renamed last, so an interrupted initdb is recognised, and nothing that may contain data is ever deleted.
 */
export async function prepareData(
  home: PostgresHome,
  binaries: PostgresBinaries,
  signal: AbortSignal,
): Promise<string> {
  const data = join(home.path, DATA);
  for (const entry of readdirSync(home.path)) {
    if (entry.startsWith('data.new')) rmSync(join(home.path, entry), { recursive: true, force: true });
  }
  if (existsSync(data)) {
    checkData(data, binaries);
    return data;
  }
  const unfinished = join(home.path, `data.new-${process.pid}`);
  await initdb(unfinished, home, binaries, signal);
  // Under its first name the next start would remove it, with what was written to it since.
  renameDurably({ ...fs, dirname }, unfinished, data);
  return data;
}

function checkData(data: string, binaries: PostgresBinaries): void {
  let text: string;
  try {
    text = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    throw new StartError(
      `${data} cannot be read as a PostgreSQL data directory (${reasonOf(error)}): ` +
        'put its files or permissions right, or move it away to begin with an empty database',
    );
  }
  if (text === String(binaries.major)) return;
  throw new StartError(
    `${data} was made by PostgreSQL ${text}, and the programs here are PostgreSQL ${binaries.major}: ` +
      `set PG_BIN to the bin directory of a PostgreSQL ${text}, or choose another --data-dir`,
  );
}

/** Checksums on, UTF-8, and the C locale: keys sort by their bytes, the same on every machine. */
async function initdb(
  target: string,
  home: PostgresHome,
  binaries: PostgresBinaries,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    '-D',
    target,
    '-U',
    POSTGRES_USER,
    '-E',
    'UTF8',
    '--locale=C',
    '--auth=trust',
    '--data-checksums',
  ];
  const child = spawn(join(binaries.binDir, 'initdb'), args, {
    ...home.user,
    cwd: home.path,
    env: postgresEnvironment(process.env),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_096);
  });
  // initdb starts server processes of its own: the whole group must be killed, or one of them keeps writing.
  const kill = (): void => killGroup(child.pid);
  const timer = setTimeout(kill, INITDB_TIMEOUT_MS);
  signal.addEventListener('abort', kill);
  const outcome = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // 'close', not 'exit': the pipe closes when the last process of the group is gone.
    child.once('close', (code, by) => resolve(code === 0 ? '' : by ? `signal ${by}` : `exit code ${code}`));
  });
  clearTimeout(timer);
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (outcome === '') return;
  const line = complaint.split('\n').find((text) => /error|fatal|could not/i.test(text)) ?? outcome;
  throw new StartError(`PostgreSQL's data directory could not be made in ${home.path}: ${line.trim()}`);
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/**
 * PGPORT and similar variables in a user's shell must not affect our server. Nor does it get the variables meant for
 * nodes, or the secrets that they refer to: everybody on this machine can query that server, and it may run as another
 * user.
 */
export function postgresEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = Object.entries(from).filter(([name]) => name.startsWith('CAUSEWAY_'));
  const secrets = settings.flatMap(([, text = '']) =>
    [...text.matchAll(/\benv:([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name),
  );
  const kept = Object.entries(from).filter(
    ([name]) => !/^(PG|LC_|CAUSEWAY_|DATABASE_URL$|LEGACY_URL$)/.test(name) && !secrets.includes(name),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Stops the server that is still running in this data directory, if there is one: it belongs to a supervisor that is
 * gone, and nobody else would stop it. The caller must hold the lock of the data directory above.
 */
export async function stopLeftover(data: string, report: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = postmasterPid(pidFile);
  if (pid === undefined) return;
  if (!isPostgresOn(pid, data)) {
    // The file is stale, and its id may now be that of an innocent process, because of which PostgreSQL would refuse to
    // start.
    rmSync(pidFile, { force: true });
    return;
  }
  report(`stopping a PostgreSQL server (pid ${pid}) that an earlier run left behind`);
  if (await stopProcess(pid, LEFTOVER_STOP_STEPS, () => !isPostgresOn(pid, data))) return;
  throw new StartError(
    `a PostgreSQL server (pid ${pid}) still works on ${data} and cannot be stopped: stop it by hand`,
  );
}

/** The same for the data directory inside `home`; nothing is done where none has been made yet. */
export async function stopLeftoverIn(home: string, report: (line: string) => void): Promise<void> {
  const data = join(home, DATA);
  // A server is told by the real path of its directory.
  if (existsSync(data)) await stopLeftover(realpathSync(data), report);
}

/** The first line of the file is the id of the server's first process. */
function postmasterPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
