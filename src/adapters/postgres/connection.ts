/**
 * One connection to a server that was checked to be suitable: a primary, durable, UTF-8, recent enough. Every statement
 * has a deadline on both sides. A connection that missed one is destroyed, because its late reply could be mistaken for
 * that of the next statement.
 */
import pg from 'pg';
import type { Statement } from '../../base/sql-statement.ts';
import { whyNotDialect } from '../../core/system-of-record/record-dialect.ts';
import type { SeenServer } from '../../core/system-of-record/record-standing.ts';
import { checkCompatServer, readCompatIdentity, type SessionSettings } from './compat-session.ts';
import { takeSession } from './pooler.ts';
import { runPrepared, type KnownColumns, type Parameter } from './prepared-run.ts';
import { NOT_DURABLE, RecordFailure, SetupError, failureOfStatement } from './record-failure.ts';
import { RESULT_TYPES } from './record-rows.ts';
import { recordSql, type RecordSql } from './record-sql.ts';
import { ask, readIdentity } from './server-identity.ts';
import { CHECK_DIALECT, CHECK_SERVER, PREPARE_SESSION } from './server-statements.ts';

const SERVER_VERSION_MIN = 120_000;
/** Milliseconds by which the server's timer, as seen from here, may come early. */
const TIMER_EARLY_MS = 50;
/** Milliseconds of silence after which TCP keepalive probes begin. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** The part of the time to connect within which a pooler is looked at: one in so many. */
const POOLER_LOOK_SHARE = 4;

/** How long (ms) a writer's statement waits for a lock: a single locked row must not block everything. */
export const LOCK_TIMEOUT_MS = 1_000;

export interface ConnectionSettings extends SessionSettings {
  readonly connectionString: string;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** Statements wait only briefly for locks. The relatives of PostgreSQL do not know this setting. */
  readonly limitsLocks?: boolean;
}

/**
 * Other notices of the server are recognised as warnings by their code, because the text is in the server's language.
 */
const SUCCESS_STATE = /^00/;

export type Fields = readonly unknown[];

export class Connection {
  /**
   * Which server this is: another system identifier means another database, a higher timeline means a failover. (R30)
   */
  readonly identity: SeenServer;
  /** The statements for this kind of server. */
  readonly sql: RecordSql;
  private readonly client: pg.Client;
  private readonly columns: KnownColumns = new Map();
  private lostReason: string | null = null;
  private onLost: ((reason: string) => void) | null = null;
  private onOverdue: ((pid: number) => void) | null = null;
  private warning: string | null = null;
  private failRunning: ((reason: string, isStalled: boolean) => void) | null = null;
  /** Milliseconds after which the server ends a statement. */
  private readonly statementTimeoutMs: number;

  private constructor(client: pg.Client, identity: SeenServer, sql: RecordSql, statementTimeoutMs: number) {
    this.client = client;
    this.statementTimeoutMs = statementTimeoutMs;
    this.identity = identity;
    this.sql = sql;
    client.on('error', (error) => this.lose(error.message));
    client.on('end', () => this.lose('the connection ended'));
    client.on('notice', ({ code, message }) => {
      if (!SUCCESS_STATE.test(code ?? '')) this.warning = message ?? 'a warning without text';
    });
  }

  /** Rejects with SetupError if only a person can help. */
  static async open(settings: ConnectionSettings): Promise<Connection> {
    const client = newClient(settings);
    const timer = setTimeout(() => destroyClient(client), settings.connectTimeoutMs);
    try {
      await client.connect();
      const identity = await prepared(client, settings);
      return new Connection(client, identity, recordSql(settings.compat), settings.statementTimeoutMs);
    } catch (error) {
      destroyClient(client);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isLost(): boolean {
    return this.lostReason !== null;
  }

  /** Called once, when the connection is lost for any reason but `destroy`. */
  whenLost(onLost: (reason: string) => void): void {
    this.onLost = onLost;
  }

  /** Called once, with the server's process, when a reply is no longer waited for. */
  whenOverdue(onOverdue: (pid: number) => void): void {
    this.onOverdue = onOverdue;
  }

  /** `deadline` is a time of performance.now(). Rejects with RecordFailure. Runs one statement at a time. */
  run(statement: Statement, values: readonly unknown[], deadline: number): Promise<readonly Fields[]> {
    return new Promise((resolve, reject) => {
      if (this.lostReason !== null) return reject(new RecordFailure('refused', this.lostReason));
      const waitMs = deadline - performance.now();
      if (waitMs <= 0)
        return reject(new RecordFailure('refused', 'no time was left to send', { isOutage: false }));
      this.warning = null;
      const sentAt = performance.now();
      const settle = (): void => {
        clearTimeout(timer);
        this.failRunning = null;
      };
      this.failRunning = (reason, isStalled) => {
        settle();
        reject(new RecordFailure('unknown', reason, { isStalled }));
      };
      const timer = setTimeout(
        () => this.giveUp(`no reply from PostgreSQL within ${Math.round(waitMs)} ms`),
        waitMs,
      );
      this.send(statement, values).then(
        (rows) => {
          if (this.lostReason !== null) return;
          settle();
          if (statement.writes && this.warning !== null)
            reject(
              warned(this.warning, performance.now() - sentAt >= this.statementTimeoutMs - TIMER_EARLY_MS),
            );
          else resolve(rows);
        },
        (error: unknown) => {
          if (this.lostReason !== null) return;
          settle();
          reject(failureOfStatement(error));
        },
      );
    });
  }

  private send({ name, text }: Statement, values: readonly unknown[]): Promise<readonly Fields[]> {
    if (name !== null)
      return runPrepared(this.client, { name, text }, values as readonly Parameter[], this.columns);
    const reply = this.client.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
    return reply.then(({ rows }) => rows);
  }

  /** For libraries that send statements of their own (migrations); must not be used while `run` is under way. */
  get raw(): pg.Client {
    return this.client;
  }

  /** Closes the connection at once; a statement under way ends with an unknown outcome. */
  destroy(): void {
    this.onLost = null;
    this.lose('the connection was closed');
  }

  private giveUp(reason: string): void {
    const { processID } = this.client as unknown as { readonly processID: number | null };
    this.lose(reason, true);
    if (processID !== null) this.onOverdue?.(processID);
  }

  private lose(reason: string, isStalled = false): void {
    if (this.lostReason !== null) return;
    this.lostReason = reason;
    destroyClient(this.client);
    this.failRunning?.(reason, isStalled);
    const onLost = this.onLost;
    this.onLost = null;
    onLost?.(reason);
  }
}

/**
 * A server that gave up waiting for its synchronous standby reports success with a warning: the row is written here,
 * and may be lost in a failover. `tookAllTime`: it gave up because the statement's time was over, and so will it with
 * the next one. Another warning says nothing of the server.
 */
function warned(warning: string, tookAllTime: boolean): RecordFailure {
  const message = `PostgreSQL answered with a warning: ${warning}`;
  return new RecordFailure('unknown', message, { isOutage: tookAllTime, isStalled: tookAllTime });
}

function newClient(settings: ConnectionSettings): pg.Client {
  const client = new pg.Client({
    connectionString: settings.connectionString,
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: RESULT_TYPES,
  });
  const ignoreLateErrors = (): void => {};
  client.on('error', ignoreLateErrors);
  return client;
}

function destroyClient(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}

async function prepared(client: pg.Client, settings: ConnectionSettings): Promise<SeenServer> {
  const [version, ordersByBytes] = await ask(client, CHECK_DIALECT);
  const reason = whyNotDialect(settings.compat, String(version));
  if (reason !== null) throw new SetupError(reason);
  if (settings.compat !== 'none') {
    await checkCompatServer(client, settings, ordersByBytes === true);
    return readCompatIdentity(client, settings.compat);
  }
  const waitMs = settings.connectTimeoutMs / POOLER_LOOK_SHARE;
  await takeSession(client, () => newClient(settings), destroyClient, waitMs);
  await checkServer(client, settings);
  return readIdentity(client);
}

async function checkServer(client: pg.Client, settings: ConnectionSettings): Promise<void> {
  const lockTimeoutMs = settings.limitsLocks === true ? LOCK_TIMEOUT_MS : 0;
  const { statementTimeoutMs, applicationName } = settings;
  const values = [String(statementTimeoutMs), String(lockTimeoutMs), applicationName];
  await client.query({ text: PREPARE_SESSION.text, values });
  const reply = await client.query<unknown[]>({ text: CHECK_SERVER.text, rowMode: 'array' });
  const [inRecovery, readOnly, synchronousCommit, encoding, version] = reply.rows[0]!;
  if ((version as number) < SERVER_VERSION_MIN) {
    throw new SetupError(`PostgreSQL 12 or later is needed, this server says ${version as number}`);
  }
  if (encoding !== 'UTF8') {
    throw new SetupError(
      `the database must be encoded in UTF8, this one is in ${String(encoding)}: create another one`,
    );
  }
  if (synchronousCommit === 'off') {
    throw new SetupError(NOT_DURABLE);
  }
  // These two pass with a failover.
  if (inRecovery === true) throw new RecordFailure('refused', 'not a primary: the server is in recovery');
  if (readOnly === 'on') throw new RecordFailure('refused', 'not a primary: the server accepts only reads');
}
