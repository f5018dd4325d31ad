/**
 * Removes the rows of deletions that all owners are about to forget: raises the floors in PostgreSQL, waits until every
 * statement that began without seeing them has ended, then removes exactly those versions, a bounded number per
 * statement and one statement at a time. A batch belongs to one epoch; what was not removed is found again later.
 * (PROTOCOL R24, decision 13)
 */
import { assert } from '../../base/assert.ts';
import type { Deletion, Removal } from '../../core/upkeep/collection.ts';
import {
  ROWS_REMOVED_AT_ONCE_MAX,
  ROWS_SETTLING_MAX,
  ROW_SETTLED_STATEMENTS,
  ROW_WAIT_STATEMENTS,
} from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordError, RemovalOutcome, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

/** Milliseconds before PostgreSQL is asked again after a failure. */
const AGAIN_AFTER_MS = 500;

export interface RowRemoverParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord;
  readonly mutations: Mutations;
  readonly leaseHeld: () => boolean;
}

interface Batch {
  readonly life: number;
  readonly removal: Removal;
  /** Deletions without a row now. */
  readonly gone: Deletion[];
  readonly kept: Deletion[];
  readonly done: (gone: readonly Deletion[], kept: readonly Deletion[]) => void;
  /** Null while the floors are not raised; then the time from which rows may be removed. */
  dueAt: number | null;
  next: number;
}

export class RowRemover {
  /** Rows that this process has removed. */
  removed = 0;
  private readonly parts: RowRemoverParts;
  private batches: Batch[] = [];
  private readonly keys = new Set<string>();
  private isAsking = false;
  private notBefore = -Infinity;

  constructor(parts: RowRemoverParts) {
    this.parts = parts;
  }

  /** Rows waiting to be removed. */
  get waiting(): number {
    return this.keys.size;
  }

  get isFull(): boolean {
    return this.waiting >= ROWS_SETTLING_MAX;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /**
   * Calls `done`, in a later turn, with the deletions that have no row any more and those that may have one; never
   * after `clear`.
   */
  add(life: number, removal: Removal, done: Batch['done']): void {
    assert(removal.deletions.length > 0, 'there is nothing to remove');
    for (const { key } of removal.deletions) this.keys.add(key);
    this.batches.push({ life, removal, done, gone: [], kept: [], dueAt: null, next: 0 });
  }

  /** A new epoch began: what the owners confirmed no longer counts. */
  clear(): void {
    this.batches = [];
    this.keys.clear();
    this.isAsking = false;
  }

  tick(): void {
    const now = this.parts.clock.now();
    if (this.isAsking || now < this.notBefore) return;
    const unraised = this.batches.find((batch) => batch.dueAt === null);
    if (unraised !== undefined) return this.raise(unraised);
    const due = this.batches.find((batch) => batch.dueAt! <= now);
    if (due !== undefined) this.remove(due);
  }

  /**
   * The floors are raised only if unchanged since they are read now, so that nothing a dying node leaves behind raises
   * them later. The lease is required too, also when the answer arrives: a read that took longer than the lease may
   * have been made after others removed this node, took their turn at the floors, and continued below; raising the
   * floors would then succeed.
   */
  private raise(batch: Batch): void {
    const { clock, systemOfRecord, mutations } = this.parts;
    const { floors } = batch.removal;
    this.isAsking = true;
    systemOfRecord.readFloors(
      floors.map(({ slot }) => slot),
      (readError, stand) => {
        if (!this.isHeard(batch, readError) || !this.parts.leaseHeld()) return;
        this.isAsking = true;
        const raised = floors.map((floor, at) => ({ ...floor, turn: stand[at]!.turn }));
        systemOfRecord.raiseFloors(batch.life, raised, (error) => {
          if (!this.isHeard(batch, error)) return;
          // Counted from the answer: the floors stand by then, and every later statement sees them.
          const waits = mutations.removeRowsAtOnce === true ? 0 : ROW_WAIT_STATEMENTS;
          batch.dueAt = clock.now() + waits * systemOfRecord.statementMsMax;
        });
      },
    );
  }

  private remove(batch: Batch): void {
    const { systemOfRecord, mutations } = this.parts;
    const part = batch.removal.deletions.slice(batch.next, batch.next + ROWS_REMOVED_AT_ONCE_MAX);
    const rows = part.map(({ key, version }) => ({ key, version, tombstone: true }));
    const settled = mutations.removeRowsAtOnce === true ? 0 : ROW_SETTLED_STATEMENTS;
    this.isAsking = true;
    systemOfRecord.removeRows(
      batch.life,
      rows,
      settled * systemOfRecord.statementMsMax,
      (error, outcomes) => {
        if (!this.isHeard(batch, error)) return;
        batch.next += part.length;
        part.forEach((each, at) => this.note(batch, each, outcomes[at]!));
        if (batch.next < batch.removal.deletions.length) return;
        this.batches = this.batches.filter((each) => each !== batch);
        for (const { key } of batch.removal.deletions) this.keys.delete(key);
        batch.done(batch.gone, batch.kept);
      },
    );
  }

  private note(batch: Batch, deletion: Deletion, outcome: RemovalOutcome): void {
    (outcome === 'stays' ? batch.kept : batch.gone).push(deletion);
    if (outcome !== 'removed') return;
    this.removed += 1;
    this.parts.telemetry.count('record.rows_removed');
  }

  private isHeard(batch: Batch, error: RecordError | null): boolean {
    const { clock, telemetry } = this.parts;
    if (!this.batches.includes(batch)) return false;
    this.isAsking = false;
    if (error === null) return true;
    this.notBefore = clock.now() + AGAIN_AFTER_MS;
    telemetry.event('warn', 'record.removal_paused', { reason: error.message });
    return false;
  }
}
