/**
 * The PostgreSQL server in use: which one that is, the connections to it, a deadline for each call, and what the outcome
 * of calls says about its health. Commits and reads have connections of their own, so that a long page of rows does not
 * hold up a write.
 */
import { judgeServer, whyNotUsed, type SeenServer } from '../../core/system-of-record/record-standing.ts';
import type { RecordHealth } from '../../ports/system-of-record.ts';
import { Connection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { checkFit, finishWrite, lend } from './fitness.ts';
import { OverdueProcesses } from './overdue-processes.ts';
import type { PostgresRecordSettings } from './postgres-settings.ts';
import { RecordFailure, failureOfStatement, refusesWrites } from './record-failure.ts';
import { RecordHealthMonitor, downForOf } from './record-health.ts';
import { retrying, type RetryAround, type RetryBounds } from './retrying.ts';

/** Milliseconds beyond the server's own limit for which its reply is still waited for. */
const REPLY_GRACE_MS = 500;
const CALLS_WAITING_MAX = 256;
const CLOSE_POLL_MS = 10;
/**
 * Bounds for repeating a call that lost against another transaction. The call's deadline, which comes at about the
 * same time, ends the repeating, too.
 */
const RETRIES: RetryBounds = { retriesMax: 16, firstMs: 10, pauseMsMax: 500 };

/** What a call does with the connection that it is lent, until the deadline (by `performance.now`). */
export type Work<T> = (connection: Connection, deadline: number) => Promise<T>;

/** `write`: clients' rows wait for it. `rows`: any other call about rows. */
type About = 'rows' | 'write' | 'aside';

export class ServerInUse {
  private readonly limits: Required<PostgresRecordSettings>;
  private readonly commits: ConnectionPool;
  private readonly reads: ConnectionPool;
  private readonly monitor: RecordHealthMonitor;
  private readonly overdue: OverdueProcesses;
  private readonly retry: RetryAround;
  /** The server that was reached last, whether or not it is to be used; null before the first connection. */
  seen: SeenServer | null = null;
  /** The server to be used; until one has been chosen, the last one that was used. */
  private used: SeenServer | null = null;
  private isChosen = false;
  isStarted = false;
  isClosing = false;

  constructor(limits: Required<PostgresRecordSettings>) {
    this.limits = limits;
    const { random, telemetry } = limits;
    this.retry = { random, onRetry: () => telemetry.count('record.retries') };
    this.commits = this.makePool(limits.commitConnectionCount, false);
    this.reads = this.makePool(limits.readConnectionCount, true);
    this.overdue = new OverdueProcesses((work) => this.readAside(work), limits.statementTimeoutMs);
    this.monitor = new RecordHealthMonitor({
      now: limits.now,
      random: limits.random,
      probe: () => this.probeStarted(),
      tryWriting: () => this.finishWrite(),
      onChange: (health) => this.tell(health),
    });
  }

  get health(): RecordHealth {
    return this.monitor.health;
  }

  /** Why the server cannot be used yet, for those who ask for its health. */
  explain(reason: string): void {
    this.monitor.explain(reason);
  }

  /** Its tables are ready: calls are made from now on. Rejects if it takes no writes. */
  async begin(): Promise<void> {
    // A server without an identifier of its own was given one together with its tables.
    if (this.limits.compat !== 'none' && !this.isChosen) this.used = null;
    await this.probe();
    this.isStarted = true;
    this.monitor.markUp(true);
  }

  choose(server: SeenServer): void {
    const isNew = !this.isChosen || whyNotUsed(this.used!, server) !== null;
    this.used = server;
    this.isChosen = true;
    // The health that is known was that of another server, or said that this one was not to be used.
    if (isNew && this.isStarted) this.monitor.probeNow();
  }

  /** Lets running calls finish within a statement's time, then ends them with an unknown outcome. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.monitor.close();
    const giveUpAt = performance.now() + this.limits.statementTimeoutMs + REPLY_GRACE_MS;
    while (performance.now() < giveUpAt && !(this.commits.isQuiet && this.reads.isQuiet)) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
    this.commits.close();
    this.reads.close();
  }

  // Calls. Each rejects with a RecordFailure.

  /** For what clients wait for: it also counts as a sign that writes are, or are not, finished. */
  commit<T>(work: Work<T>): Promise<T> {
    return this.call(this.commits, this.limits.statementTimeoutMs, work, 'write');
  }

  write<T>(work: Work<T>, timeoutMs = this.limits.statementTimeoutMs): Promise<T> {
    return this.call(this.commits, timeoutMs, work, 'rows');
  }

  read<T>(work: Work<T>): Promise<T> {
    return this.call(this.reads, this.limits.statementTimeoutMs, work, 'rows');
  }

  /**
   * A call that is not about rows. Its success does not show that rows are taken, and an error that the server answers
   * does not show that they are not: a restored database may lack a table, say. Only a missing answer says something
   * about the server.
   */
  writeAside<T>(work: Work<T>): Promise<T> {
    return this.call(this.commits, this.limits.statementTimeoutMs, work, 'aside');
  }

  /** Likewise. */
  readAside<T>(work: Work<T>): Promise<T> {
    return this.call(this.reads, this.limits.statementTimeoutMs, work, 'aside');
  }

  private async call<T>(pool: ConnectionPool, timeoutMs: number, work: Work<T>, about: About): Promise<T> {
    if (this.isClosing) throw new RecordFailure('refused', 'closed', { isOutage: false });
    if (!this.isStarted)
      throw new RecordFailure('refused', this.downReason() ?? 'not started', { isOutage: false });
    const deadline = performance.now() + timeoutMs + REPLY_GRACE_MS;
    const once = async (): Promise<T> => {
      if (about === 'write' && this.overdue.isFull) await this.overdue.makeRoom();
      return lend(pool, deadline, false, work);
    };
    try {
      const result = this.limits.compat === 'none' ? await once() : await retrying(RETRIES, this.retry, once);
      if (about !== 'aside') this.monitor.markUp(pool === this.commits);
      return result;
    } catch (error) {
      const failure = failureOfStatement(error);
      if (failure.isOutage) this.onOutage(failure, about);
      throw failure;
    }
  }

  private onOutage(failure: RecordFailure, about: About): void {
    if (about === 'aside' && failure.sqlState !== null) return;
    const { isStalled, isRefusing } = this.monitor;
    // Such a statement may wait for what rows do not need. The server is asked, and believed: otherwise it would count as
    // down for a moment with every sign of life that hangs.
    if (about === 'aside' && failure.isStalled && !isStalled) return this.monitor.probeNow();
    // While no write is finished, other statements that hang as well do not make it an outage that an answer ends; nor
    // do those that are refused as well, while all writes are.
    const isAlike = isStalled || (isRefusing && refusesWrites(failure));
    this.monitor.markDown(failure.message, downForOf(failure, about === 'write' || isAlike));
  }

  /** Until its tables have been looked at, a server that answers does not count as up: nothing could be written. */
  private probeStarted(): Promise<void> {
    if (this.isStarted) return this.probe();
    return Promise.reject(new RecordFailure('refused', this.downReason() ?? 'not started'));
  }

  private async probe(): Promise<void> {
    const deadline = performance.now() + this.limits.connectTimeoutMs + REPLY_GRACE_MS;
    await lend(this.commits, deadline, true, checkFit);
  }

  private async finishWrite(): Promise<void> {
    await this.overdue.end();
    this.overdue.checkRoom();
    const deadline = performance.now() + this.limits.statementTimeoutMs + REPLY_GRACE_MS;
    await lend(this.commits, deadline, true, finishWrite);
  }

  // Connections.

  private makePool(connectionCountMax: number, isReader: boolean): ConnectionPool {
    return new ConnectionPool({
      connectionCountMax,
      waiterCountMax: CALLS_WAITING_MAX,
      open: () => this.open(isReader, !isReader),
      // Where writes alone fail, the callers whose rows wait go on trying them.
      downReason: () => (this.monitor.isForWritesAlone ? null : this.downReason()),
      isStale: (connection) => this.whyNotUsed(connection.identity) !== null,
      onIdleLost: () => this.monitor.probeNow(),
    });
  }

  /** Opens a connection of its own to the server in use; whoever asks closes it. */
  async open(isReader: boolean, limitsLocks = false): Promise<Connection> {
    const connection = await Connection.open({ ...this.limits, isReader, limitsLocks });
    connection.whenOverdue((pid) => this.overdue.add(pid));
    this.seen = connection.identity;
    const reason = this.whyNotUsed(connection.identity);
    if (reason !== null) {
      connection.destroy();
      throw new RecordFailure('refused', reason);
    }
    if (!this.isChosen) this.used = connection.identity;
    return connection;
  }

  /** Another database, or a server that a failover has left behind, is never used. (R30) */
  private whyNotUsed(seen: SeenServer): string | null {
    const { used } = this;
    if (used === null) return null;
    if (!this.isChosen && ['known', 'failedOver'].includes(judgeServer(used, seen))) return null;
    return whyNotUsed(used, seen);
  }

  private downReason(): string | null {
    const { health } = this.monitor;
    return health.state === 'down' ? health.reason : null;
  }

  private tell(health: RecordHealth): void {
    if (health.state === 'up') this.limits.telemetry.event('info', 'postgres.up');
    else this.limits.telemetry.event('warn', 'postgres.down', { reason: health.reason });
  }
}
