/**
 * PostgreSQL in the simulated world: one database that survives every node, and for each run of a node a
 * connection to it. It is as unfriendly as the real one may be: replies are lost after the commit, statements
 * fail without one, some hang and commit long after their outcome was reported as unknown, the server is away
 * for a while, or fails over and has lost its newest rows.
 */
import { assert } from '../src/base/assert.ts';
import type { Prng } from '../src/base/prng.ts';
import { RECORD_BATCH_BYTES_MAX } from '../src/core/limits.ts';
import { VERSION_NONE } from '../src/core/version.ts';
import type {
  CommitResult,
  Founding,
  RecordError,
  RecordHealth,
  RecordPlace,
  RecordRow,
  RowVersion,
  SystemOfRecord,
} from '../src/ports/system-of-record.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface SimDatabaseSettings {
  /** Milliseconds from node to database, and again from database to node. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Shares of the commits and foundings, in [0, 1]; what is left goes well. */
  readonly replyLostShare: number;
  readonly failedShare: number;
  readonly lateShare: number;
  /** Milliseconds after which a node calls an outcome unknown. */
  readonly timeoutMs: number;
  /** Milliseconds beyond that for which a hanging statement may live and still commit. */
  readonly lateMsMax: number;
  /** Probability that a page of a scan is cut short, as it is where values are large. */
  readonly shortPageShare: number;
}

export const SIM_DATABASE_CALM: SimDatabaseSettings = {
  latencyMsMin: 0.2,
  latencyMsMax: 3,
  replyLostShare: 0,
  failedShare: 0,
  lateShare: 0,
  timeoutMs: 1_000,
  lateMsMax: 0,
  shortPageShare: 0,
};

export const SIM_DATABASE_ROUGH: SimDatabaseSettings = {
  latencyMsMin: 0.2,
  latencyMsMax: 12,
  replyLostShare: 0.03,
  failedShare: 0.03,
  lateShare: 0.01,
  timeoutMs: 300,
  lateMsMax: 2_000,
  shortPageShare: 0.2,
};

/** Changes that a failover may lose: the newest, at most this many. */
const UNDO_COUNT_MAX = 1_000;
const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;

interface Undo {
  readonly key: string;
  readonly before: RecordRow | undefined;
}

export class SimDatabase {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  settings: SimDatabaseSettings;
  commitCount = 0;
  /** Commits and foundings whose sender was told that nobody knows what became of them. */
  unknownCount = 0;
  /** Milliseconds that each way takes longer. */
  slowMs = 0;
  /** Milliseconds that each row of a commit takes beside, each connection for itself: a server with a rate. */
  rowMs = 0;
  /** Called when a commit is done, before its sender hears of it: the process may die just there. */
  onCommitted: ((sender: Life) => void) | null = null;
  private readonly rows = new Map<string, RecordRow>();
  private undo: Undo[] = [];
  private clusterId: string | null = null;
  private life = 0;
  private timeline = 1;
  private downUntil = 0;

  constructor(scheduler: Scheduler, prng: Prng, settings: SimDatabaseSettings = SIM_DATABASE_CALM) {
    this.scheduler = scheduler;
    this.prng = prng;
    this.settings = settings;
  }

  /** A node's connection; what it still has to be told ends with `owner`, what it has sent does not. */
  connect(owner: Life): SystemOfRecord {
    return new SimSystemOfRecord(this, owner);
  }

  get isDown(): boolean {
    return this.scheduler.time < this.downUntil;
  }

  /** Away from now on for `ms` of virtual time: nothing is taken, replies on their way are lost. */
  goDown(ms: number): void {
    this.downUntil = this.scheduler.time + ms;
  }

  comeUp(): void {
    this.downUntil = 0;
  }

  /** Another server takes over that never saw the newest `changeCount` changes of rows. */
  failOver(changeCount: number): void {
    this.timeline += 1;
    const lost = Math.min(changeCount, this.undo.length);
    for (let i = 0; i < lost; i += 1) {
      const { key, before } = this.undo.pop()!;
      if (before === undefined) this.rows.delete(key);
      else this.rows.set(key, before);
    }
    this.undo = [];
  }

  /** A row is another than it was, or gone, and nothing says so. */
  forge(key: string, row: RecordRow | null): void {
    if (row === null) this.rows.delete(key);
    else this.rows.set(key, row);
  }

  /** For checkers: what stands, without a connection. */
  standing(key: string): RecordRow | undefined {
    return this.rows.get(key);
  }

  allRows(): IterableIterator<RecordRow> {
    return this.rows.values();
  }

  /** Null: another life is in force and nothing was written. */
  apply(life: number, rows: readonly RecordRow[]): CommitResult[] | null {
    if (this.clusterId === null || life !== this.life) return null;
    this.commitCount += 1;
    return rows.map((row) => this.applyRow(row));
  }

  readRows(keys: readonly string[]): (RecordRow | undefined)[] {
    return keys.map((key) => this.rows.get(key));
  }

  page(after: RecordPlace | null, rowCountMax: number): RecordRow[] {
    const rest = [...this.rows.values()]
      .filter((row) => after === null || isAfter(row, after))
      .sort(comparePlaces);
    const page: RecordRow[] = [];
    let bytes = 0;
    for (const row of rest) {
      const isFull = page.length >= rowCountMax || bytes >= RECORD_BATCH_BYTES_MAX;
      if (isFull || (page.length > 0 && this.prng.chance(this.settings.shortPageShare))) break;
      page.push(row);
      bytes += row.record.value.length;
    }
    return page;
  }

  versions(slot: number, afterKey: string, rowCountMax: number): RowVersion[] {
    const rest = [...this.rows.values()]
      .filter((row) => row.slot === slot && isAfter(row, { slot, key: afterKey }))
      .sort(comparePlaces);
    const isCut = rest.length > 1 && this.prng.chance(this.settings.shortPageShare);
    return rest.slice(0, isCut ? 1 : rowCountMax).map(({ record: { key, version }, checksum }) => {
      return { key, version, checksum };
    });
  }

  founding(): Founding | null {
    if (this.clusterId === null) return null;
    let highestVersion = VERSION_NONE;
    for (const { record } of this.rows.values()) highestVersion = Math.max(highestVersion, record.version);
    const identity = `sim/${this.timeline}`;
    return {
      clusterId: this.clusterId,
      life: this.life,
      identity,
      highestVersion,
      hasRows: this.rows.size > 0,
    };
  }

  found(expectLife: number, clusterId: string): Founding | null {
    if (expectLife === this.life) {
      this.clusterId = clusterId;
      this.life += 1;
    }
    return this.founding();
  }

  private applyRow(row: RecordRow): CommitResult {
    const before = this.rows.get(row.record.key);
    if (before !== undefined && before.record.version > row.record.version) {
      return { kind: 'higher', version: before.record.version };
    }
    if (before !== undefined && before.record.version === row.record.version) {
      return before.checksum === row.checksum ? { kind: 'committed' } : { kind: 'conflict' };
    }
    this.rows.set(row.record.key, row);
    this.undo.push({ key: row.record.key, before });
    if (this.undo.length > 2 * UNDO_COUNT_MAX) this.undo = this.undo.slice(-UNDO_COUNT_MAX);
    return { kind: 'committed' };
  }
}

/** What a statement finds when it has arrived: its answer, or that nothing was done. */
type Execute<T> = () => { readonly answer: T } | { readonly fenced: string };

class SimSystemOfRecord implements SystemOfRecord {
  private readonly database: SimDatabase;
  private readonly owner: Life;
  private state: RecordHealth = { state: 'up' };
  private probeMs = PROBE_MS_MIN;
  private isProbing = false;

  constructor(database: SimDatabase, owner: Life) {
    this.database = database;
    this.owner = owner;
  }

  health(): RecordHealth {
    return this.state;
  }

  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void {
    const keys = new Set(rows.map((row) => row.record.key));
    assert(keys.size === rows.length, 'a key stands twice in a batch of commit');
    const batch = [...rows];
    const execute: Execute<readonly CommitResult[]> = () => {
      const answer = this.database.apply(life, batch);
      this.database.onCommitted?.(this.owner);
      return answer === null ? { fenced: `life ${life} is not in force` } : { answer };
    };
    this.write(execute, done, [], batch.length * this.database.rowMs);
  }

  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void {
    const asked = [...keys];
    this.ask(() => this.database.readRows(asked), done, []);
  }

  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void {
    this.ask(() => this.database.page(after, rowCountMax), done, []);
  }

  versionsOf(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RowVersion[]) => void,
  ): void {
    this.ask(() => this.database.versions(slot, afterKey, rowCountMax), done, []);
  }

  readFounding(done: (error: RecordError | null, founding: Founding | null) => void): void {
    this.ask(() => this.database.founding(), done, null);
  }

  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void {
    this.write(() => ({ answer: this.database.found(expectLife, clusterId) }), done, null);
  }

  /** Reads fail only with the server. */
  private ask<T>(execute: () => T, done: (error: RecordError | null, answer: T) => void, nothing: T): void {
    this.send(() => ({ answer: execute() }), false, done, nothing);
  }

  private write<T>(
    execute: Execute<T>,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
    workMs = 0,
  ): void {
    const { prng, settings, scheduler } = this.database;
    const draw = prng.next();
    const { failedShare, lateShare, replyLostShare } = settings;
    if (draw < failedShare) {
      scheduler.after(this.latency() * 2, () => this.end(UNKNOWN, done, nothing), this.owner);
    } else if (draw < failedShare + lateShare) {
      // Sent and hanging: the node gives up first, the commit comes whenever it comes, even to a dead node.
      const lateMs = settings.timeoutMs + prng.between(0, settings.lateMsMax);
      scheduler.after(settings.timeoutMs, () => this.end(UNKNOWN, done, nothing), this.owner);
      scheduler.after(lateMs, () => void (this.database.isDown || execute()));
    } else {
      this.send(execute, draw < failedShare + lateShare + replyLostShare, done, nothing, workMs);
    }
  }

  private send<T>(
    execute: Execute<T>,
    isReplyLost: boolean,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
    workMs = 0,
  ): void {
    const { scheduler, settings } = this.database;
    const thereMs = this.latency() + workMs;
    const backMs = this.latency();
    if (this.database.isDown) {
      scheduler.after(thereMs, () => this.end(REFUSED, done, nothing), this.owner);
      return;
    }
    // The statement belongs to the server once it is sent: it runs although its sender may be dead.
    scheduler.after(thereMs, () => {
      const outcome = this.database.isDown ? null : execute();
      if (outcome === null || isReplyLost) {
        scheduler.after(settings.timeoutMs - thereMs, () => this.end(UNKNOWN, done, nothing), this.owner);
        return;
      }
      const reply = (): void => {
        if (this.database.isDown) this.end(UNKNOWN, done, nothing);
        else if ('fenced' in outcome)
          done({ kind: 'refused', fenced: true, message: outcome.fenced }, nothing);
        else this.end(null, done, outcome.answer);
      };
      scheduler.after(backMs, reply, this.owner);
    });
  }

  private end<T>(
    error: RecordError | null,
    done: (error: RecordError | null, answer: T) => void,
    answer: T,
  ): void {
    if (error === null) this.markUp();
    else this.markDown(error.message);
    if (error?.kind === 'unknown') this.database.unknownCount += 1;
    done(error, answer);
  }

  private latency(): number {
    const { prng, settings } = this.database;
    return this.database.slowMs + prng.between(settings.latencyMsMin, settings.latencyMsMax);
  }

  private markUp(): void {
    this.state = { state: 'up' };
    this.probeMs = PROBE_MS_MIN;
  }

  private markDown(reason: string): void {
    const since = this.state.state === 'down' ? this.state.since : this.database.scheduler.time;
    this.state = { state: 'down', since, reason };
    if (this.isProbing) return;
    this.isProbing = true;
    const probe = (): void => {
      this.isProbing = false;
      if (this.state.state === 'up') return;
      if (this.database.isDown) this.markDown(reason);
      else this.markUp();
    };
    this.database.scheduler.after(this.probeMs, probe, this.owner);
    this.probeMs = Math.min(this.probeMs * 2, PROBE_MS_MAX);
  }
}

const UNKNOWN: RecordError = { kind: 'unknown', fenced: false, message: 'no reply from the database' };
const REFUSED: RecordError = { kind: 'refused', fenced: false, message: 'the database cannot be reached' };

function comparePlaces(a: RecordRow, b: RecordRow): number {
  return a.slot - b.slot || compareBytes(a.record.key, b.record.key);
}

function isAfter(row: RecordRow, place: RecordPlace): boolean {
  return row.slot > place.slot || (row.slot === place.slot && compareBytes(row.record.key, place.key) > 0);
}

/** The order of the UTF-8 bytes, which is the database's (collation C) and not that of UTF-16. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
