/**
 * The system of record in PostgreSQL. Callers bring whole batches; this file lends each call a connection and a
 * deadline, turns every failure into the terms of the port, and keeps track of health. Commits and reads have
 * connections of their own, so that a long page of rows does not hold up a write.
 */
import type {
  DoomedRow,
  Founding,
  RecordClaim,
  RecordError,
  RecordFloor,
  RecordHealth,
  RecordPlace,
  RecordRow,
  RecordSurvey,
  RemovalOutcome,
  RowVersion,
} from '../../ports/system-of-record.ts';
import type { CommitResult, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { SlotFloor } from '../../core/floors.ts';
import { RECORD_BATCH_BYTES_MAX } from '../../core/limits.ts';
import type { LivingMember, StandingLife } from '../../core/lives.ts';
import type { LifeName } from '../../core/membership-message.ts';
import { RELATIVE_CLOCKS_APART_MS } from '../../core/record-dialect.ts';
import { judgeServer, whyNotUsed, type SeenServer } from '../../core/record-standing.ts';
import type { RecordIdentity } from '../../core/topology.ts';
import { packTexts } from './binary-array.ts';
import { claimServer, surveyServer, type AdoptionParts } from './claim.ts';
import { commitBatch, makeBatch } from './commit-rows.ts';
import { Connection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { checkFit, finishWrite, lend } from './fitness.ts';
import { found } from './founding.ts';
import { readLife, signLife } from './life-signs.ts';
import { deliver } from './deliver.ts';
import { outsideEdits, type Aside } from './outside-edits.ts';
import { OverdueProcesses } from './overdue-processes.ts';
import { RecordFailure, failureOfStatement, refusesWrites } from './record-failure.ts';
import { RecordHealthMonitor, downForOf } from './record-health.ts';
import { rowFromFields } from './record-rows.ts';
import { withDefaults, type PostgresRecordSettings } from './postgres-settings.ts';
import { prepareDatabase } from './prepare-database.ts';
import { retrying, type RetryAround, type RetryBounds } from './retrying.ts';
import { raiseFloors, readFloors, removeRows } from './row-floors.ts';
import { rowScrub } from './row-scrub.ts';
import { VERSIONS } from './statements.ts';

/** Milliseconds beyond the server's own limit for which its reply is still waited for. */
const REPLY_GRACE_MS = 500;
const CALLS_WAITING_MAX = 256;
const CLOSE_POLL_MS = 10;
/**
 * Bounds for repeating a call that lost against another transaction. The call's deadline, which comes at about the
 * same time, ends the repeating, too.
 */
const RETRIES: RetryBounds = { retriesMax: 16, firstMs: 10, pauseMsMax: 500 };

export interface PostgresRecord extends SystemOfRecord {
  /**
   * Waits for the server, brings the schema up to date and adopts the table of the first system. Rejects with
   * SetupError where only a person can help, and with another error after `startTimeoutMs`; it may be called again.
   * Until it has resolved, every call is refused. `onRetry` is called when an attempt has failed, as `health` says,
   * and will be repeated.
   */
  start(onRetry?: () => void): Promise<void>;
  /** Lets running calls finish within a statement's time, then ends them with an unknown outcome. */
  close(): Promise<void>;
}

export function openPostgresRecord(settings: PostgresRecordSettings): PostgresRecord {
  return new PooledRecord(withDefaults(settings));
}

class PooledRecord implements PostgresRecord {
  private readonly limits: Required<PostgresRecordSettings>;
  private readonly commits: ConnectionPool;
  private readonly reads: ConnectionPool;
  private readonly monitor: RecordHealthMonitor;
  private readonly overdue: OverdueProcesses;
  private last: SeenServer | null = null;
  /** The server to be used; until one has been chosen, the last one that was used. */
  private used: SeenServer | null = null;
  private isChosen = false;
  private isStarted = false;
  private isClosing = false;
  private readonly retry: RetryAround;
  readonly edits: SystemOfRecord['edits'];
  readonly scrub: SystemOfRecord['scrub'];

  constructor(limits: Required<PostgresRecordSettings>) {
    this.limits = limits;
    const { random, telemetry } = limits;
    this.retry = { random, onRetry: () => telemetry.count('record.retries') };
    this.commits = this.makePool(limits.commitConnectionCount, false);
    this.reads = this.makePool(limits.readConnectionCount, true);
    const beside = { read: this.aside(this.reads), write: this.aside(this.commits) };
    this.scrub = rowScrub(beside);
    this.edits = limits.compat === 'none' ? outsideEdits(beside) : null;
    this.overdue = new OverdueProcesses(
      (work) => this.callAside(this.reads, work),
      limits.statementTimeoutMs,
    );
    this.monitor = new RecordHealthMonitor({
      now: limits.now,
      random: limits.random,
      probe: () => this.probeStarted(),
      tryWriting: () => this.finishWrite(),
      onChange: (health) => this.tell(health),
    });
  }

  async start(onRetry: () => void = () => undefined): Promise<void> {
    if (this.isStarted) return;
    await prepareDatabase({
      ...this.limits,
      open: () => this.openChecked(false),
      isCancelled: () => this.isClosing,
      onFailure: (reason) => this.monitor.explain(reason),
      onRetry,
    });
    // A server without an identifier of its own was given one together with its tables.
    if (this.limits.compat !== 'none' && !this.isChosen) this.used = null;
    await this.probe();
    this.isStarted = true;
    this.monitor.markUp(true);
  }

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

  health(): RecordHealth {
    return this.monitor.health;
  }

  seen(): SeenServer | null {
    return this.last;
  }

  choose(server: SeenServer): void {
    const isNew = !this.isChosen || whyNotUsed(this.used!, server) !== null;
    this.used = server;
    this.isChosen = true;
    // The health that is known was that of another server, or said that this one was not to be used.
    if (isNew && this.isStarted) this.monitor.probeNow();
  }

  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void {
    const batch = makeBatch(life, rows);
    const work = (connection: Connection, deadline: number): Promise<readonly CommitResult[]> =>
      commitBatch(connection, batch, deadline);
    deliver(this.call(this.commits, this.limits.statementTimeoutMs, work, 'write'), done, []);
  }

  tryWriting(done: (error: RecordError | null) => void): void {
    deliver(this.call(this.commits, this.limits.statementTimeoutMs, finishWrite, 'write'), done, undefined);
  }

  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void {
    const work = async (connection: Connection, deadline: number): Promise<(RecordRow | undefined)[]> => {
      const reply = await connection.run(connection.sql.read, [packTexts(keys)], deadline);
      const rows = new Map(reply.map((fields) => [fields[0] as string, rowFromFields(fields)]));
      return keys.map((key) => rows.get(key));
    };
    deliver(this.call(this.reads, this.limits.statementTimeoutMs, work), done, []);
  }

  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void {
    const values = [after?.slot ?? -1, after?.key ?? '', rowCountMax, RECORD_BATCH_BYTES_MAX];
    const work = async (connection: Connection, deadline: number): Promise<RecordRow[]> =>
      (await connection.run(connection.sql.scan, values, deadline)).map(rowFromFields);
    deliver(this.call(this.reads, this.limits.statementTimeoutMs, work), done, []);
  }

  versionsOf(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RowVersion[]) => void,
  ): void {
    const work = async (connection: Connection, deadline: number): Promise<RowVersion[]> =>
      (await connection.run(VERSIONS, [slot, afterKey, rowCountMax], deadline)).map(
        ([key, version, checksum, tombstone]) => ({ key, version, checksum, tombstone }) as RowVersion,
      );
    deliver(this.call(this.reads, this.limits.statementTimeoutMs, work), done, []);
  }

  get statementMsMax(): number {
    return this.limits.statementTimeoutMs + (this.limits.compat === 'none' ? 0 : RELATIVE_CLOCKS_APART_MS);
  }

  readFloors(
    slots: readonly number[],
    done: (error: RecordError | null, floors: readonly RecordFloor[]) => void,
  ): void {
    const work = (connection: Connection, deadline: number): Promise<RecordFloor[]> =>
      readFloors(connection, slots, deadline);
    deliver(this.call(this.reads, this.limits.statementTimeoutMs, work), done, []);
  }

  raiseFloors(
    life: number,
    floors: readonly (SlotFloor & RecordFloor)[],
    done: (error: RecordError | null) => void,
  ): void {
    const work = (connection: Connection, deadline: number): Promise<void> =>
      raiseFloors(connection, life, floors, deadline);
    deliver(this.call(this.commits, this.limits.statementTimeoutMs, work), done, undefined);
  }

  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
    done: (error: RecordError | null, outcomes: readonly RemovalOutcome[]) => void,
  ): void {
    const work = (connection: Connection, deadline: number): Promise<RemovalOutcome[]> =>
      removeRows(connection, life, rows, settledMs, deadline);
    deliver(this.call(this.commits, this.limits.statementTimeoutMs, work), done, []);
  }

  survey(done: (error: RecordError | null, survey: RecordSurvey | null) => void): void {
    deliver(surveyServer(this.adoptionParts()), done, null);
  }

  claim(
    expected: SeenServer,
    claim: RecordClaim,
    done: (error: RecordError | null, server: RecordIdentity | null) => void,
  ): void {
    deliver(claimServer(this.adoptionParts(), expected, claim), done, null);
  }

  readLife(done: (error: RecordError | null, standing: StandingLife | null) => void): void {
    deliver(this.callAside(this.reads, readLife), done, null);
  }

  signLife(
    life: LifeName,
    members: readonly LivingMember[],
    done: (error: RecordError | null) => void,
  ): void {
    const work = (connection: Connection, deadline: number): Promise<void> =>
      signLife(connection, life, members, deadline);
    deliver(this.callAside(this.commits, work), done, undefined);
  }

  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void {
    const timeoutMs = this.limits.foundingTimeoutMs;
    const work = (connection: Connection, deadline: number): Promise<Founding | null> =>
      found(connection, expectLife, clusterId, timeoutMs, deadline);
    deliver(this.call(this.commits, timeoutMs, work), done, null);
  }

  /**
   * Makes a call that is not about rows. Its success does not show that rows are taken, and an error that the server
   * answers does not show that they are not: a restored database may lack a table, say. Only a missing answer says
   * something about the server.
   */
  private callAside<T>(
    pool: ConnectionPool,
    work: (connection: Connection, deadline: number) => Promise<T>,
  ): Promise<T> {
    return this.call(pool, this.limits.statementTimeoutMs, work, 'aside');
  }

  private aside(pool: ConnectionPool): Aside {
    return (work) => this.callAside(pool, work);
  }

  private async call<T>(
    pool: ConnectionPool,
    timeoutMs: number,
    work: (connection: Connection, deadline: number) => Promise<T>,
    about: 'rows' | 'write' | 'aside' = 'rows',
  ): Promise<T> {
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

  private onOutage(failure: RecordFailure, about: 'rows' | 'write' | 'aside'): void {
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

  private adoptionParts(): AdoptionParts {
    const { compat, migrationsDirectory, slotOf, telemetry, statementTimeoutMs, foundingTimeoutMs } =
      this.limits;
    return {
      ...{ compat, migrationsDirectory, slotOf, telemetry, statementTimeoutMs, foundingTimeoutMs },
      open: () => Connection.open({ ...this.limits, isReader: false }),
      onSeen: (server) => (this.last = server),
    };
  }

  private makePool(connectionCountMax: number, isReader: boolean): ConnectionPool {
    return new ConnectionPool({
      connectionCountMax,
      waiterCountMax: CALLS_WAITING_MAX,
      open: () => this.openChecked(isReader, !isReader),
      // Where writes alone fail, the callers whose rows wait go on trying them.
      downReason: () => (this.monitor.isForWritesAlone ? null : this.downReason()),
      isStale: (connection) => this.whyNotUsed(connection.identity) !== null,
      onIdleLost: () => this.monitor.probeNow(),
    });
  }

  private async openChecked(isReader: boolean, limitsLocks = false): Promise<Connection> {
    const connection = await Connection.open({ ...this.limits, isReader, limitsLocks });
    connection.whenOverdue((pid) => this.overdue.add(pid));
    this.last = connection.identity;
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
