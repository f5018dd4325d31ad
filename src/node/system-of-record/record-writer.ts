/**
 * Group commit to PostgreSQL: writes that come while a statement runs go into the next one. While the outcome of a
 * write is unknown, the same row is sent again. That is harmless, because the statement is guarded by the version. A
 * key is in at most one running statement, and of two waiting versions only the higher is sent. A row that PostgreSQL
 * does not take holds up none of the others. (DESIGN section 6)
 */
import { ChurningMap } from '../../base/churning-map.ts';
import { RECORD_BATCH_BYTES_MAX, RECORD_BATCH_ROWS_MAX } from '../../core/limits.ts';
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import type { KeptOutVerdict } from '../../core/system-of-record/record-floors.ts';
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommitResult, RecordError, RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { Departure, gatherMs } from '../departure.ts';
import { FailureLines } from './failure-lines.ts';
import { HELD_PAUSE_MS, HeldRows } from './held-rows.ts';
import { RefusedRows } from './refused-rows.ts';
import type { Part } from './refused-rows.ts';

/** Share of the previous mean that stays when the time of a new statement enters it. */
const MEAN_KEEPS = 0.75;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;
/** Milliseconds by which a timer may fire early, at most. */
const TIMER_EARLY_MS = 1;

interface Waiting {
  readonly row: RecordRow;
  /** Lower versions that this row replaced while they waited. Their outcome follows from the outcome of this row. */
  readonly superseded: number[];
}

/** Decides what becomes of a version at or below the floor of its slot. (R24) */
export type JudgeKeptOut = (slot: number, record: KeyRecord, floor: number) => KeptOutVerdict;

export interface RecordWriterParts {
  readonly record: Pick<SystemOfRecord, 'commit'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly instruments?: typeof NO_INSTRUMENTS | undefined;
  /** The life of the cluster: rows of an earlier one are dropped. */
  readonly life: () => number;
  /** The drive of the present topology: what PostgreSQL answered in an earlier one says nothing. (R30) */
  readonly drive?: () => number;
  /** The outcome: committed, or the version of the row that stands in its place. */
  readonly onRecorded: (key: string, version: number, outcome: 'committed' | number) => void;
  /** PostgreSQL belongs to a later life. */
  readonly onFenced: () => void;
  readonly judgeKeptOut?: JudgeKeptOut;
}

const OF_ANOTHER_SERVER: RecordError = {
  kind: 'unknown',
  fenced: false,
  message: 'PostgreSQL has failed over or was restored meanwhile',
};

export class RecordWriter {
  private readonly record: Pick<SystemOfRecord, 'commit'>;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly life: () => number;
  private readonly onRecorded: (key: string, version: number, outcome: 'committed' | number) => void;
  private readonly onFenced: () => void;
  private readonly drive: () => number;
  private readonly judgeKeptOut: JudgeKeptOut;
  private readonly instruments: typeof NO_INSTRUMENTS;
  private readonly waiting = new ChurningMap<string, Waiting>();
  private readonly refused = new RefusedRows<Waiting>();
  private readonly held = new HeldRows<Waiting>();
  private lifeWaiting = 0;
  private inStatement = 0;
  /** When the oldest row that is in no statement began to wait, and the same for the statement under way. */
  private waitingSince = 0;
  private sentSince = 0;
  /** Number of rows that PostgreSQL refused and that are sent again after a while. */
  private putBackCount = 0;
  private readonly departure: Departure;
  /** Statements run one at a time: a second one beside the first would only make both smaller. */
  private underWay = false;
  /** Mean duration (ms) of recent statements; and when the statement under way was begun. */
  private meanMs = 0;
  private begunAt = 0;
  /** Number of rows in the statement before. */
  private lastCount = 0;
  private retryMs = RETRY_MS_MIN;
  private paused = false;
  /** Why the last statement that failed did. */
  private lastFailure = '';
  private readonly failureLines: FailureLines;

  constructor(parts: RecordWriterParts) {
    const { clock, drive = () => 0, judgeKeptOut = () => 'drop', instruments = NO_INSTRUMENTS } = parts;
    this.record = parts.record;
    this.clock = clock;
    this.failureLines = new FailureLines(clock);
    this.departure = new Departure(clock, () => this.flush());
    this.telemetry = parts.telemetry;
    this.life = parts.life;
    this.onRecorded = parts.onRecorded;
    this.onFenced = parts.onFenced;
    this.drive = drive;
    this.judgeKeptOut = judgeKeptOut;
    this.instruments = instruments;
  }

  get backlog(): number {
    const apart = this.refused.count + this.held.rows.size;
    return this.waiting.size + this.inStatement + this.putBackCount + apart;
  }

  /** Mean duration (ms) of recent statements, or how long the one under way has taken, if that is longer. */
  statementMs(now: number): number {
    return this.underWay ? Math.max(this.meanMs, now - this.begunAt) : this.meanMs;
  }

  /** For how many milliseconds the oldest row has waited for PostgreSQL's answer; 0 if none waits. */
  oldestMs(now: number): number {
    const apartSince = Math.min(this.refused.oldestSince(), this.held.oldestSince());
    if (this.inStatement > 0) return now - Math.min(this.sentSince, apartSince);
    const since = this.waiting.size > 0 ? Math.min(this.waitingSince, apartSince) : apartSince;
    return since === Infinity ? 0 : now - since;
  }

  /** Why rows that were sent still wait, for people; '' if none of them was refused. */
  get whyWaiting(): string {
    return this.backlog === 0 ? '' : this.lastFailure;
  }

  add(sealed: SealedRecord, slot: number): void {
    this.dropEarlierLife();
    const item = { row: { record: sealed.record, slot, checksum: sealed.checksum }, superseded: [] };
    if (this.held.rows.has(sealed.record.key)) return this.enqueue(item, this.held.rows);
    if (this.waiting.size === 0) this.waitingSince = this.clock.now();
    this.enqueue(item);
    this.schedule();
  }

  private enqueue(item: Waiting, into = this.waiting): void {
    const { key, version } = item.row.record;
    const present = into.get(key);
    if (present === undefined) {
      into.set(key, item);
      return;
    }
    const other = present.row.record.version;
    if (other === version) {
      // The row that knows of the higher floor stays: without that knowledge it would be refused once more.
      const knows = (item.row.pastFloor ?? 0) > (present.row.pastFloor ?? 0);
      const row = knows ? item.row : present.row;
      into.set(key, { row, superseded: [...present.superseded, ...item.superseded] });
    } else if (other > version) present.superseded.push(version, ...item.superseded);
    else
      into.set(key, {
        row: item.row,
        superseded: [...item.superseded, other, ...present.superseded],
      });
  }

  /** Rows that wait are written only in the life of the cluster in which they were added. (R27) */
  private dropEarlierLife(): void {
    if (this.lifeWaiting === this.life()) return;
    this.lifeWaiting = this.life();
    this.waiting.clear();
    this.refused.clear();
    this.held.clear();
    this.lastFailure = '';
  }

  private schedule(): void {
    if (!this.underWay) this.departure.ask(gatherMs(this.waiting.size, this.lastCount));
  }

  private flush(): void {
    this.dropEarlierLife();
    if (this.underWay || this.paused) return;
    const now = this.clock.now();
    if (this.held.isDue(now)) return this.sendHeld();
    const apart = this.refused.take(now, this.waiting.size > 0);
    if (apart !== undefined) this.send(apart);
    else if (this.waiting.size > 0)
      this.send({ items: takeBatch(this.waiting), since: this.waitingSince, pausedMs: 0 });
  }

  private sendHeld(): void {
    const since = this.held.oldestSince();
    const items = takeBatch(this.held.rows);
    this.held.forgetSince();
    this.send({ items, since, pausedMs: 0 }, true);
  }

  private send(part: Part<Waiting>, wasHeld = false): void {
    const batch = part.items;
    this.underWay = true;
    this.begunAt = this.clock.now();
    this.lastCount = batch.length;
    this.inStatement = batch.length;
    // The rows that stay behind have waited no longer than those that were taken.
    this.sentSince = part.since;
    this.instruments.time(this.instruments.recordBatchRows, batch.length);
    const life = this.lifeWaiting;
    // What the server of an earlier drive answered says nothing about the server in use. (R30)
    const drive = this.drive();
    this.record.commit(
      life,
      batch.map(({ row }) => (wasHeld ? { ...row, wasHeld: true } : row)),
      (error, results) =>
        this.onBatch(life, { ...part, wasHeld }, drive === this.drive() ? error : OF_ANOTHER_SERVER, results),
    );
  }

  private onBatch(
    life: number,
    part: Part<Waiting> & { readonly wasHeld: boolean },
    error: RecordError | null,
    results: readonly CommitResult[],
  ): void {
    const batch = part.items;
    this.underWay = false;
    this.meanMs = this.meanMs * MEAN_KEEPS + (this.clock.now() - this.begunAt) * (1 - MEAN_KEEPS);
    this.inStatement = 0;
    if (life !== this.life()) {
      if (this.waiting.size > 0) this.schedule();
      return;
    }
    if (error !== null) {
      // If these rows are still held, that is no news.
      if (!part.wasHeld || error.heldKeys === undefined) this.noteFailed(batch, error);
      if (error.heldKeys !== undefined) this.keepHeld(part, new Set(error.heldKeys));
      else if (error.ofRows === true) this.setApart(part);
      else this.retryLater(batch, error);
      return;
    }
    this.retryMs = RETRY_MS_MIN;
    if (this.refused.count + this.held.rows.size === 0) this.lastFailure = '';
    this.instruments.time(this.instruments.recordCommit, this.clock.now() - this.begunAt);
    for (let index = 0; index < batch.length; index += 1) this.report(batch[index]!, results[index]!);
    this.goOn();
  }

  private goOn(): void {
    const now = this.clock.now();
    if (this.waiting.size > 0 || this.refused.isDue(now) || this.held.isDue(now)) this.schedule();
  }

  /** Rows of the batch that are not held are sent again at once, together with those that came meanwhile. */
  private keepHeld({ items, since }: Part<Waiting>, keys: ReadonlySet<string>): void {
    const { rows } = this.held;
    for (const item of items) {
      const { key } = item.row.record;
      if (!keys.has(key)) {
        this.waitingSince = this.waiting.size > 0 ? Math.min(this.waitingSince, since) : since;
        this.enqueue(item);
        continue;
      }
      this.enqueue(item, rows);
      const later = this.waiting.get(key);
      if (later !== undefined) this.enqueue(later, rows);
      this.waiting.delete(key);
    }
    this.held.wait(since, this.clock.now());
    this.flushAfter(HELD_PAUSE_MS);
    this.goOn();
  }

  /**
   * Flushes once `ms` have passed and never earlier. An early flush would find the rows that were set apart not due
   * yet, and if nothing else is written, no other flush would follow.
   */
  private flushAfter(ms: number): void {
    this.clock.after(ms + TIMER_EARLY_MS, () => this.flush());
  }

  private setApart(part: Part<Waiting>): void {
    const dueMs = this.refused.add(part.items.length === 1 ? this.withTwin(part) : part, this.clock.now());
    if (dueMs > 0) this.flushAfter(dueMs);
    this.goOn();
  }

  /** A key is set apart on its own only once, however often it is handed in: each attempt at a held row delays others. */
  private withTwin(part: Part<Waiting>): Part<Waiting> {
    const { key } = part.items[0]!.row.record;
    const twin = this.refused.takeAlone((item) => item.row.record.key === key);
    if (twin === undefined) return part;
    const one = new ChurningMap<string, Waiting>();
    for (const item of [...twin.items, ...part.items]) this.enqueue(item, one);
    return {
      items: [...one.values()],
      since: Math.min(twin.since, part.since),
      pausedMs: Math.max(twin.pausedMs, part.pausedMs),
    };
  }

  private noteFailed(batch: readonly Waiting[], error: RecordError): void {
    this.instruments.statementsFailed += 1;
    this.lastFailure = error.message;
    const { kind, message: reason } = error;
    const leftOut = this.failureLines.next(`${kind} ${reason}`);
    if (leftOut === null) return;
    this.telemetry.event('warn', 'record.commit.failed', { kind, reason, rows: batch.length, leftOut });
  }

  private retryLater(batch: readonly Waiting[], error: RecordError): void {
    this.waitingSince = this.waiting.size > 0 ? Math.min(this.waitingSince, this.sentSince) : this.sentSince;
    for (const item of batch) this.enqueue(item);
    if (error.fenced) this.onFenced();
    this.pause(this.retryMs);
    this.retryMs = Math.min(RETRY_MS_MAX, this.retryMs * 2);
  }

  private report(item: Waiting, result: CommitResult): void {
    const { key, version } = item.row.record;
    if (result.kind === 'keptOut') return this.onKeptOut(item, result.floor);
    const stands = result.kind === 'higher' ? result.version : version;
    for (const lower of item.superseded) this.onRecorded(key, lower, stands);
    if (result.kind === 'committed') {
      this.instruments.rowsCommitted += 1;
      this.onRecorded(key, version, 'committed');
    } else if (result.kind === 'higher') {
      this.instruments.rowsRefused += 1;
      this.onRecorded(key, version, result.version);
    } else {
      this.instruments.rowsConflicting += 1;
      // Equal version, other content: the row is not reported as committed. It is sent again and again, and each
      // conflict is logged as an error.
      this.telemetry.event('error', 'record.checksum_conflict', { slot: item.row.slot, version });
      this.putBack(item);
    }
  }

  /**
   * A record that is still held is sent again, either with the floor that PostgreSQL told or after a while. Nobody
   * waits for any other record, so it is dropped.
   */
  private onKeptOut(item: Waiting, floor: number): void {
    const { slot, record } = item.row;
    this.instruments.rowsKeptOut += 1;
    const verdict = this.judgeKeptOut(slot, record, floor);
    this.telemetry.event('info', 'record.kept_out', { slot, version: record.version, floor, verdict });
    if (verdict === 'drop') return;
    if (verdict === 'knowing') return this.enqueue({ ...item, row: { ...item.row, pastFloor: floor } });
    this.putBack(item);
  }

  /** Sends the row again after a while. Meanwhile it holds up no other row. */
  private putBack(item: Waiting): void {
    const life = this.lifeWaiting;
    const since = this.sentSince;
    this.putBackCount += 1;
    this.clock.after(RETRY_MS_MAX, () => {
      this.putBackCount -= 1;
      if (life !== this.life()) return;
      this.dropEarlierLife();
      if (this.waiting.size === 0) this.waitingSince = since;
      this.enqueue(item);
      this.schedule();
    });
  }

  private pause(ms: number): void {
    if (this.paused) return;
    this.paused = true;
    this.clock.after(ms, () => {
      this.paused = false;
      this.flush();
    });
  }
}

/** Removes the first waiting rows, as many as one statement takes, and returns them. */
function takeBatch(from: ChurningMap<string, Waiting>): readonly Waiting[] {
  const batch: Waiting[] = [];
  let byteCount = 0;
  for (const [key, item] of from.entries()) {
    byteCount += item.row.record.value.length + key.length + 100;
    if (batch.length > 0 && byteCount > RECORD_BATCH_BYTES_MAX) break;
    batch.push(item);
    if (batch.length >= RECORD_BATCH_ROWS_MAX) break;
  }
  if (batch.length === from.size) from.clear();
  else for (const item of batch) from.delete(item.row.record.key);
  return batch;
}
