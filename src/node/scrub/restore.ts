/**
 * Restores rows of PostgreSQL that have the version held by all owners, but whose content is damaged: each is put back
 * in place from the copy at rest here. No round is needed, because nothing is decided anew; and a row that has changed
 * meanwhile, by a write or by hand, is left alone. One row at a time. (decision 63)
 */
import type { Clock } from '../../ports/clock.ts';
import type { RecordError, RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { ScrubReport } from './report.ts';
import type { ScrubBudget } from './stage.ts';

/**
 * Milliseconds before a row is tried again, and the number of successive failures after which no more are tried in this
 * round.
 */
const AGAIN_AFTER_MS = 1_000;
const FAILURES_MAX = 5;

export interface RowRestorerParts {
  readonly clock: Clock;
  readonly report: ScrubReport;
  readonly budget: ScrubBudget;
  readonly systemOfRecord: SystemOfRecord;
}

export class RowRestorer {
  private readonly parts: RowRestorerParts;
  private waiting: RecordRow[] = [];
  private isAsking = false;
  private failures = 0;
  private notBefore = -Infinity;

  constructor(parts: RowRestorerParts) {
    this.parts = parts;
  }

  get isIdle(): boolean {
    return this.waiting.length === 0;
  }

  add(row: RecordRow): void {
    const { key, version } = row.record;
    this.parts.report.found('rowDamaged', row.slot, key, version);
    this.waiting.push(row);
  }

  /** Ignores the outcome of what is under way; the next round finds the others again. */
  clear(): void {
    for (const { record } of this.waiting) this.parts.report.letGo(record.key);
    this.waiting = [];
    this.isAsking = false;
    this.failures = 0;
    this.notBefore = -Infinity;
  }

  tick(now: number, life: number): void {
    const { waiting } = this;
    const row = waiting[0];
    if (row === undefined || this.isAsking || now < this.notBefore) return;
    const { budget, report, systemOfRecord } = this.parts;
    this.isAsking = true;
    systemOfRecord.scrub.restoreRow(life, row, (error) => {
      if (this.waiting !== waiting) return;
      this.isAsking = false;
      budget.pace.spend(1, row.record.value.length);
      if (error !== null) return this.hasFailed(error);
      this.failures = 0;
      waiting.shift();
      report.restored(row.record.key, null);
    });
  }

  /** An error that concerns the server, not the row, ends all waiting restores. */
  private hasFailed({ message, ofRows }: RecordError): void {
    const { clock, report } = this.parts;
    this.failures += 1;
    this.notBefore = clock.now() + AGAIN_AFTER_MS;
    if (this.failures < FAILURES_MAX) return;
    this.failures = 0;
    const left = this.waiting.splice(0, ofRows === true ? 1 : Infinity);
    for (const { record } of left) report.restored(record.key, `PostgreSQL: ${message}`);
  }
}
