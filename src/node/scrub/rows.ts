/**
 * Compares the slots of a run with PostgreSQL, done by their first owner. What this node held before PostgreSQL was
 * asked, and still holds, must be there; what is there, this node must hold. A missing or outdated row is committed by
 * a round of the record under its own version; a row that is ahead is installed at all owners by a round. Rows are read
 * whole, because the value below a version and checksum may be a different one; that is restored in place. (DESIGN 6,
 * PROTOCOL R6)
 */
import { compareUtf8 } from '../../base/utf8-order.ts';
import { SCRUB_PAGE_BYTES_MAX, SCRUB_TOLD_RECORDS_MAX } from '../../core/limits.ts';
import { isAsGoodAsAbsent } from '../../core/system-of-record/record-floors.ts';
import { judgeRow } from '../../core/upkeep/scrub.ts';
import type { CopyAtRest, OwnCopy } from '../../core/upkeep/scrub.ts';
import type { WholeRow } from '../../ports/row-scrub.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import type { RecordError, RowVersion, SystemOfRecord } from '../../ports/system-of-record.ts';
import { openRecord, sealRecord } from '../../wire/record-codec.ts';
import { recordKey, slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { ScrubReport } from './report.ts';
import { RowRestorer } from './restore.ts';
import type { ScrubBudget, ScrubRun, ScrubStage } from './stage.ts';
import { ownCopyOf } from './stage.ts';

/**
 * Milliseconds before PostgreSQL is asked again after a failure, and the number of failures after which a run skips it.
 */
const AGAIN_AFTER_MS = 1_000;
const FAILURES_MAX = 5;
/** Open repairs at which no more is compared. */
const OPEN_MAX = 100;

export interface ScrubRowsParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly report: ScrubReport;
  readonly budget: ScrubBudget;
  readonly systemOfRecord: SystemOfRecord;
  readonly writesThrough: (key: string) => boolean;
  readonly leaseFrom: () => number;
  /** The counter at or below which deletions of the slot were forgotten; 0 if none was. */
  readonly floorOf: (slot: number) => number;
  /** A deletion that no owner has, so that its row can be removed. */
  readonly onDebris: (slot: number, row: RowVersion) => void;
  /** PostgreSQL has less than was committed to it. */
  readonly onLoss: () => void;
  /** Rows are assumed to match their checksums; for tests of the rule. */
  readonly trusting: boolean;
}

interface SeenRow extends RowVersion {
  /** The row does not match its checksum, or cannot be read. */
  readonly isDamaged: boolean;
}

export class ScrubRows implements ScrubStage {
  private readonly parts: ScrubRowsParts;
  private readonly restorer: RowRestorer;
  private run: ScrubRun | null = null;
  private done: () => void = () => undefined;
  private slot = 0;
  private afterKey = '';
  private isAsking = false;
  /** Rows per page; 1 while searching for a row that cannot be read. */
  private rowsMax = SCRUB_TOLD_RECORDS_MAX;
  /**
   * Rows that are ahead, read at `aheadAt`. A node that does not know of a later epoch need not have what is written in
   * it, so these rows count only once a lease proves that there was no later epoch when they were read.
   */
  private ahead: { readonly slot: number; readonly row: SeenRow }[] = [];
  private aheadAt = -Infinity;
  private failures = 0;
  private notBefore = -Infinity;

  constructor(parts: ScrubRowsParts) {
    this.parts = parts;
    this.restorer = new RowRestorer(parts);
  }

  begin(run: ScrubRun, done: () => void): void {
    this.run = run;
    this.done = done;
    this.slot = run.first;
    this.afterKey = '';
    this.rowsMax = SCRUB_TOLD_RECORDS_MAX;
    this.isAsking = false;
    this.ahead = [];
    this.failures = 0;
    this.notBefore = -Infinity;
  }

  stop(): void {
    this.run = null;
    this.restorer.clear();
  }

  tick(now: number): void {
    const { run } = this;
    const { pace, isBusy } = this.parts.budget;
    if (run === null) return;
    this.restorer.tick(now, run.view.topology.life);
    // Restoring comes before further reading, because waiting rows hold their values in memory.
    if (!this.restorer.isIdle || this.isAsking || now < this.notBefore) return;
    if (this.parts.report.open >= OPEN_MAX) return;
    if (this.ahead.length > 0 && !this.areAhead(run)) return;
    // Until all rows are loaded, what the owners lack is still on its way.
    if (!run.view.topology.loaded) this.slot = run.end;
    while (this.slot < run.end && !isOurs(run, this.slot)) this.slot += 1;
    if (this.slot >= run.end) {
      this.run = null;
      return this.done();
    }
    if (!pace.mayGo(now, isBusy())) return;
    this.isAsking = true;
    if (this.parts.shelf.digests.isEmpty(this.slot)) this.skip(run);
    else this.readOwn(run);
  }

  /** Returns false if that is not known yet. */
  private areAhead(run: ScrubRun): boolean {
    const { ahead, aheadAt } = this;
    const { report, shelf, leaseFrom, floorOf } = this.parts;
    if (leaseFrom() < aheadAt) return false;
    this.ahead = [];
    for (const { slot, row } of ahead) {
      const { key, version } = row;
      if (judgeRow(ownCopyOf(run, shelf, slot, key), undefined, row, floorOf(slot)) !== 'rowAhead') continue;
      report.found('ahead', slot, key, version);
      shelf.forgetHot(key);
      run.replica.refetch(slot, key);
    }
    return true;
  }

  /** Nothing is held of this slot: the position of the next row skips all empty slots before it. */
  private skip(run: ScrubRun): void {
    const { systemOfRecord, shelf, budget } = this.parts;
    systemOfRecord.scan({ slot: this.slot, key: '' }, 1, (error, rows) => {
      if (this.run !== run) return;
      if (error?.ofRows === true) return this.readOwn(run);
      if (this.hasFailed(run, error)) return;
      budget.pace.spend(1, 0);
      const next = rows[0]?.slot ?? run.end;
      if (next === this.slot) return this.readOwn(run);
      this.isAsking = false;
      while (this.slot < Math.min(next, run.end) && shelf.digests.isEmpty(this.slot)) this.slot += 1;
    });
  }

  private readOwn(run: ScrubRun): void {
    const { storage, budget, clock } = this.parts;
    const { slot, afterKey } = this;
    this.isAsking = true;
    const range = slotRange(slot);
    const begin = afterKey === '' ? range.from : `${recordKey(slot, afterKey)}\u0000`;
    storage.scan(begin, range.to, SCRUB_TOLD_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX, (error, entries) => {
      if (this.run !== run) return;
      if (error !== null) {
        this.isAsking = false;
        this.notBefore = clock.now() + AGAIN_AFTER_MS;
        return;
      }
      const bytes = entries.reduce((sum, entry) => sum + entry.value.length, 0);
      budget.pace.spend(entries.length, bytes);
      this.askRows(run, ownOf(run, entries, this.parts.writesThrough), throughOf(entries));
    });
  }

  private askRows(run: ScrubRun, own: ReadonlyMap<string, CopyAtRest>, ownThrough: string | null): void {
    const { systemOfRecord, budget, report, trusting } = this.parts;
    const { slot, afterKey } = this;
    systemOfRecord.scrub.readRows(slot, afterKey, this.rowsMax, (error, rows) => {
      if (this.run !== run) return;
      if (error?.ofRows === true) return this.askUnread(run, own, ownThrough);
      if (this.hasFailed(run, error)) return;
      const bytes = rows.reduce((sum, { record }) => sum + (record?.value.length ?? 0), 0);
      budget.pace.spend(rows.length, bytes);
      report.readRows(rows.length, bytes);
      const seen = rows.map((row) => ({ ...row, isDamaged: !trusting && isDamaged(row) }));
      this.takePage(run, own, ownThrough, seen);
    });
  }

  /** Reads row by row until the unreadable one is found; its version is read without its value. */
  private askUnread(run: ScrubRun, own: ReadonlyMap<string, CopyAtRest>, ownThrough: string | null): void {
    if (this.rowsMax > 1) {
      this.rowsMax = 1;
      return this.askRows(run, own, ownThrough);
    }
    this.parts.systemOfRecord.versionsOf(this.slot, this.afterKey, 1, (error, rows) => {
      if (this.run !== run) return;
      if (error?.ofRows === true) return this.leaveSlot(error);
      if (this.hasFailed(run, error)) return;
      this.parts.budget.pace.spend(rows.length, 0);
      this.rowsMax = SCRUB_TOLD_RECORDS_MAX;
      const seen = rows.map((row) => ({ ...row, isDamaged: true }));
      this.takePage(run, own, ownThrough, seen);
    });
  }

  /** Not even the version of the next row can be read, so it is unknown where to continue in the slot. */
  private leaveSlot({ message }: RecordError): void {
    this.isAsking = false;
    this.parts.report.uncompared(1, `PostgreSQL: ${message}`);
    this.nextSlot();
  }

  private nextSlot(): void {
    this.slot += 1;
    this.afterKey = '';
    this.rowsMax = SCRUB_TOLD_RECORDS_MAX;
  }

  private takePage(
    run: ScrubRun,
    own: ReadonlyMap<string, CopyAtRest>,
    ownThrough: string | null,
    rows: readonly SeenRow[],
  ): void {
    this.isAsking = false;
    const through = lower(ownThrough, rows.at(-1)?.key ?? null);
    this.compare(run, own, rows, through);
    if (through !== null) this.afterKey = through;
    else this.nextSlot();
    // Continues before the next tick if the budget allows.
    this.tick(this.parts.clock.now());
  }

  private compare(
    run: ScrubRun,
    own: ReadonlyMap<string, CopyAtRest>,
    rows: readonly SeenRow[],
    through: string | null,
  ): void {
    const isWithin = (key: string): boolean => through === null || compareUtf8(key, through) <= 0;
    const left = new Map(own);
    for (const row of rows) {
      if (!isWithin(row.key)) continue;
      this.judge(run, row.key, left.get(row.key), row);
      left.delete(row.key);
    }
    for (const [key, before] of left) if (isWithin(key)) this.judge(run, key, before, undefined);
  }

  private judge(run: ScrubRun, key: string, before: CopyAtRest | undefined, row: SeenRow | undefined): void {
    const { report, shelf, writesThrough, floorOf, onLoss } = this.parts;
    const { slot } = this;
    if (!writesThrough(key)) return;
    const own: OwnCopy = ownCopyOf(run, shelf, slot, key);
    const verdict = judgeRow(own, before, row, floorOf(slot));
    if (row?.isDamaged === true) report.rowDamaged(row.version);
    if (verdict === 'debris') return this.foundDebris(slot, row!);
    if (verdict === 'conflict') report.conflict(slot, row!.version, 'an owner and PostgreSQL');
    if (verdict === 'rowAhead') {
      this.ahead.push({ slot, row: row! });
      this.aheadAt = this.parts.clock.now();
    }
    if (verdict !== 'rowBehind' && verdict !== 'rowDamaged') return;
    const held = shelf.read(key, slot);
    if (held === undefined || held === 'damaged') return;
    if (verdict === 'rowDamaged')
      return this.restorer.add({ record: held.record, slot, checksum: held.checksum });
    // The deletion is about to be forgotten, and rows are removed first.
    if (row === undefined && isAsGoodAsAbsent(held.record, floorOf(slot))) return;
    report.found('unrecorded', slot, key, held.record.version);
    run.replica.reaffirm(slot, held);
    onLoss();
  }

  /** A value has come back from before its deletion: PostgreSQL was set back, and must be compared as a whole. (R30) */
  private foundDebris(slot: number, row: RowVersion): void {
    const { report, onDebris, onLoss } = this.parts;
    report.debris();
    if (row.tombstone) onDebris(slot, row);
    else if (!report.isDoubtful(slot)) onLoss();
  }

  private hasFailed(run: ScrubRun, error: RecordError | null): boolean {
    if (error === null) {
      this.failures = 0;
      return false;
    }
    this.isAsking = false;
    this.failures += 1;
    this.notBefore = this.parts.clock.now() + AGAIN_AFTER_MS;
    if (this.failures < FAILURES_MAX) return true;
    let left = 0;
    for (let slot = this.slot; slot < run.end; slot += 1) if (isOurs(run, slot)) left += 1;
    this.parts.report.uncompared(left, `PostgreSQL: ${error.message}`);
    this.slot = run.end;
    return true;
  }
}

/** One owner's check is enough, because the owners are compared with one another. */
function isOurs(run: ScrubRun, slot: number): boolean {
  const row = run.view.row(slot);
  return row.owns && row.first === run.view.selfId;
}

/**
 * Without records that still wait for PostgreSQL: they may arrive there before the comparison is judged, but after the
 * row was read.
 */
function ownOf(
  run: ScrubRun,
  entries: readonly StorageEntry[],
  writesThrough: (key: string) => boolean,
): Map<string, CopyAtRest> {
  const own = new Map<string, CopyAtRest>();
  for (const entry of entries) {
    const { key } = splitRecordKey(entry.key);
    if (!writesThrough(key)) continue;
    const sealed = openRecord(entry.value);
    if (sealed === undefined || run.replica.stateOf(key) !== undefined) continue;
    own.set(key, { version: sealed.record.version, checksum: sealed.checksum });
  }
  return own;
}

/** For a row changed by hand, the checksum is that of the previous content. */
function isDamaged({ record, checksum }: WholeRow): boolean {
  return record !== null && sealRecord(record).checksum !== checksum;
}

/** Null if nothing follows. */
function throughOf(entries: readonly StorageEntry[]): string | null {
  const last = entries.at(-1);
  return last === undefined ? null : splitRecordKey(last.key).key;
}

function lower(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareUtf8(a, b) <= 0 ? a : b;
}
