/**
 * The PostgreSQL server of `causeway up`: installed with the package, started on the loopback address, kept running,
 * and stopped with everything else. It runs under a guard process, so that it ends even if the supervisor is killed.
 * Every setting that durability depends on is passed on its command line, where no configuration file can change it.
 * Anybody who can log in on this machine can connect (no password on loopback); for more than trying things out, set
 * DATABASE_URL to another server.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type ChildEvent, SupervisedChild } from './child-process.ts';
import { FIND_DATABASE, SHOW_DIRECTORY, createDatabase } from './database-statements.ts';
import { GUARD_KILL_AFTER_MS } from './guard.ts';
import { lastLines } from './log-file.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { POSTGRES_USER, postgresEnvironment, prepareData, stopLeftover } from './postgres-data.ts';
import { preparePostgresHome, type PostgresUser } from './postgres-user.ts';
import { reasonOf } from '../base/reason-of.ts';
import { codeOf, StartError } from './start-error.ts';

export interface EmbeddedPostgresOptions {
  /** An absolute path, `.causeway/postgres`. Its parent must exist. */
  readonly directory: string;
  readonly port: number;
  /** The program with the `guard` command: causeway.js. */
  readonly entry: string;
  readonly logPath: string;
  /** A directory with `initdb` and `postgres` to use instead of the packaged ones. */
  readonly pgBin?: string | undefined;
  readonly onEvent: (event: ChildEvent) => void;
  readonly report: (line: string) => void;
}

const POSTGRES_DATABASE = 'cache_db';
const HOST = '127.0.0.1';

/** Milliseconds until the server must answer; recovery after a crash takes a while. */
const ANSWER_TIMEOUT_MS = 120_000;
const ANSWER_POLL_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that has ended this often without ever answering will not come up by itself. */
const STARTS_FAILED_MAX = 3;

const SETTINGS = {
  listen_addresses: HOST,
  // No socket file: nothing to clean up, and no limit on the length of its path.
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_timezone: 'UTC',
  timezone: 'UTC',
} as const;

export class EmbeddedPostgres {
  readonly url: string;
  readonly #options: EmbeddedPostgresOptions;
  #child: SupervisedChild | undefined;
  #data = '';
  #startsFailed = 0;

  constructor(options: EmbeddedPostgresOptions) {
    this.#options = options;
    this.url = urlOf(options.port, POSTGRES_DATABASE);
  }

  get isRunning(): boolean {
    return this.#child?.pid !== undefined;
  }

  /** Creates the data directory if needed, and stops a server left behind in it. Does not touch the port. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { directory, pgBin, report } = this.#options;
    const home = preparePostgresHome(directory);
    const binaries = findPostgresBinaries(pgBin, home.path, home.user);
    this.#data = await prepareData(home, binaries, signal);
    await stopLeftover(this.#data, report);
    signal.throwIfAborted();
    this.#child = this.#guarded(join(binaries.binDir, 'postgres'), home.user);
  }

  /** To be called after `prepare`. Resolves when the database answers; `stop` must be called even after a failure. */
  async start(signal: AbortSignal): Promise<void> {
    this.#child?.start();
    await this.#answers(signal);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    if (this.#data !== '') await stopLeftover(this.#data, this.#options.report);
  }

  /** PostgreSQL's immediate shutdown: nothing committed is lost, and the next start recovers. */
  async halt(): Promise<void> {
    await this.#child?.halt();
    if (this.#data !== '') await stopLeftover(this.#data, this.#options.report);
  }

  #guarded(program: string, user: PostgresUser): SupervisedChild {
    const { entry, logPath, port, report } = this.#options;
    const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const identity = user.uid === undefined ? [] : ['--uid', String(user.uid), '--gid', String(user.gid)];
    const args = ['guard', '--cwd', this.#data, ...identity, '--', program, '-D', this.#data, ...settings];
    return new SupervisedChild({
      name: 'postgres',
      command: process.execPath,
      args: [entry, ...args],
      env: postgresEnvironment(process.env),
      logPath,
      // A guard that was killed leaves its server behind, and two servers cannot share a directory.
      beforeStart: () => stopLeftover(this.#data, report),
      haltSignal: 'SIGQUIT',
      stopTimeoutMs: GUARD_KILL_AFTER_MS + 2_000,
      onEvent: (event) => {
        if (event.kind === 'ended') this.#startsFailed += 1;
        this.#options.onEvent(event);
      },
    });
  }

  async #answers(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    let reason = '';
    while (performance.now() < deadline) {
      signal.throwIfAborted();
      if (this.#startsFailed >= STARTS_FAILED_MAX) {
        reason = lastLines(this.#options.logPath, 3).join(' | ');
        break;
      }
      try {
        await makeDatabase(this.#options.port, this.#data);
        return;
      } catch (error) {
        if (error instanceof StartError) throw error;
        reason = reasonOf(error);
      }
      await delay(ANSWER_POLL_MS, undefined, { signal });
    }
    throw new StartError(`PostgreSQL does not start: ${reason} (log: ${this.#options.logPath})`);
  }
}

function urlOf(port: number, database: string): string {
  return `postgresql://${POSTGRES_USER}@${HOST}:${port}/${database}`;
}

/** Throws while the server does not answer yet. Repeating it is harmless. */
async function makeDatabase(port: number, data: string): Promise<void> {
  const client = new pg.Client({
    connectionString: urlOf(port, 'postgres'),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS * 6,
  });
  // A connection lost between two statements is reported by the next statement; without a listener the event would end
  // the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const shown = await client.query<{ data_directory: string }>(SHOW_DIRECTORY.text);
    const directory = shown.rows[0]?.data_directory;
    if (directory !== data) {
      throw new StartError(
        `another PostgreSQL server (data in ${directory}) answers on port ${port}: ` +
          'stop it, or choose another port with --postgres-port',
      );
    }
    const found = await client.query(FIND_DATABASE.text, [POSTGRES_DATABASE]);
    if (found.rowCount === 0) await client.query(createDatabase(POSTGRES_DATABASE).text);
  } catch (error) {
    // 42P04: an earlier attempt created it, and only its answer was lost.
    if (codeOf(error) !== '42P04') throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
