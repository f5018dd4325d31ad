/**
 * What a disk has left over of a slot that was given up, at or below the floor that PostgreSQL has of it: whatever stood
 * there when the floor was raised had its row, so that what has none was deleted since, and that forgotten. (PROTOCOL R24, R28)
 */
import { DRIVE_SLOTS_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../core/limits.ts';
import { counterOf } from '../core/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Storage } from '../ports/storage.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { claimOf } from '../wire/record-codec.ts';
import { slotRange, splitRecordKey } from '../wire/store-codec.ts';
import type { OperationTable } from './operation-table.ts';
import type { RecordShelf } from './record-shelf.ts';
import type { SpoolMarks } from './spool-marks.ts';
import type { StartMarks } from './start-marks.ts';

/** Milliseconds before the disk is asked again. */
const AGAIN_AFTER_MS = 500;

export interface RecoverySweep {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly marks: StartMarks;
  readonly operations: OperationTable;
  readonly spooled: SpoolMarks;
  /** Of other keys PostgreSQL has no rows, whatever became of them. */
  readonly writesThrough: (key: string) => boolean;
  readonly slot: number;
  readonly counter: number;
  /** Those that have a row. */
  readonly keys: ReadonlySet<string>;
  readonly isCurrent: () => boolean;
}

/** One after another, a few at a time: an operator may give up all slots at once. */
export class RecoverySweeps {
  private waiting: (() => void)[] = [];
  private running = 0;

  /** What is to come waits until some of it is done. */
  get isFull(): boolean {
    return this.waiting.length >= DRIVE_SLOTS_IN_FLIGHT_MAX;
  }

  /** As `sweepBelow`. */
  add(sweep: RecoverySweep, done: () => void): void {
    this.waiting.push(() =>
      sweepBelow(sweep, () => {
        this.running -= 1;
        this.next();
        done();
      }),
    );
    this.next();
  }

  /** Another epoch has come: nothing that is under way ends any more. */
  clear(): void {
    this.waiting = [];
    this.running = 0;
  }

  private next(): void {
    if (this.running >= DRIVE_SLOTS_IN_FLIGHT_MAX) return;
    const begin = this.waiting.shift();
    if (begin === undefined) return;
    this.running += 1;
    begin();
  }
}

/** `done` is called in a later turn; not at all once another epoch has come. */
function sweepBelow(sweep: RecoverySweep, done: () => void): void {
  const { clock, storage, slot, isCurrent } = sweep;
  const { from, to } = slotRange(slot);
  const next = (begin: string): void =>
    storage.scan(begin, to, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX, (error, entries) => {
      if (!isCurrent()) return;
      if (error !== null) return clock.after(AGAIN_AFTER_MS, () => (isCurrent() ? next(begin) : undefined));
      for (const { key, value } of entries) clear(sweep, splitRecordKey(key).key, claimOf(value).version);
      const last = entries.at(-1);
      if (last === undefined) done();
      else next(`${last.key}\u0000`);
    });
  next(from);
}

function clear(sweep: RecoverySweep, key: string, version: number): void {
  const { telemetry, shelf, marks, operations, spooled, writesThrough, slot, counter, keys } = sweep;
  if (counterOf(version) > counter || keys.has(key) || !writesThrough(key)) return;
  telemetry.event('info', 'recovery.cleared', { slot, version, floor: counter });
  // As of what is below a row: it may have been refused, and done another time. (R33)
  operations.unlearn(key, marks.operationsBelow(slot, key, version + 1));
  marks.settle(slot, key, version);
  spooled.drop(slot, key);
  shelf.replaceAtRest(slot, key, null);
}
