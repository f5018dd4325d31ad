/**
 * Handles a disk's leftovers, in a slot that was given up, at or below PostgreSQL's floor. Everything that stood there
 * when the floor was raised had a row, so a leftover without a row was deleted since, and the deletion forgotten.
 * (PROTOCOL R24, R28)
 */
import { DRIVE_SLOTS_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import { counterOf } from '../../core/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { claimOf } from '../../wire/record-codec.ts';
import { slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { OperationTable } from '../store/operation-table.ts';
import { readRange } from '../store/range-reading.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { SpoolMarks } from '../spool/marks.ts';
import type { LeftInFlight } from '../store/left-in-flight.ts';

export interface RecoverySweep {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly operations: OperationTable;
  readonly spooled: SpoolMarks;
  /** PostgreSQL never has rows of other keys. */
  readonly writesThrough: (key: string) => boolean;
  readonly slot: number;
  readonly counter: number;
  /** Keys that have a row. */
  readonly keys: ReadonlySet<string>;
  readonly isCurrent: () => boolean;
}

/** Runs sweeps one after another, a few at a time: an operator may give up all slots at once. */
export class RecoverySweeps {
  private waiting: (() => void)[] = [];
  private running = 0;

  /** Further slots wait until some sweeps are done. */
  get isFull(): boolean {
    return this.waiting.length >= DRIVE_SLOTS_IN_FLIGHT_MAX;
  }

  /** See `sweepBelow`. */
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

  /** Another epoch has begun: sweeps under way never call back. */
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

/** Calls `done` in a later turn, but not once another epoch has begun. */
function sweepBelow(sweep: RecoverySweep, done: () => void): void {
  const limits = { entryCountMax: SLOT_COPY_RECORDS_MAX, byteCountMax: SLOT_COPY_BYTES_MAX };
  readRange(
    { ...sweep, ...slotRange(sweep.slot), ...limits },
    ({ key, value }) => clear(sweep, splitRecordKey(key).key, claimOf(value).version),
    done,
  );
}

function clear(sweep: RecoverySweep, key: string, version: number): void {
  const { telemetry, shelf, leftInFlight, operations, spooled, writesThrough, slot, counter, keys } = sweep;
  const isLost = counterOf(version) <= counter || shelf.isSuperseded(slot, key);
  if (!isLost || keys.has(key) || !writesThrough(key)) return;
  telemetry.event('info', 'recovery.cleared', { slot, version, floor: counter });
  // As for a write below a row: it may have been refused, and done later under the same id. (R33)
  operations.unlearn(key, leftInFlight.operationsBelow(slot, key, version + 1));
  leftInFlight.settle(slot, key, version);
  spooled.drop(slot, key);
  shelf.replaceAtRest(slot, key, null);
}
