/**
 * What one row of PostgreSQL does to a slot that is made whole: it replaces what this disk has left of its key, or gives
 * way to it. The higher version wins, except where what is left here was lost when others went on without this disk, and
 * where the row was changed by hand. (PROTOCOL R13, R24, R28)
 */
import type { Mutations } from '../../core/mutations.ts';
import { heldAtRest } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import { counterOf } from '../../core/version.ts';
import type { RecordRow, RowVersion } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { SpoolMarks } from '../spool/marks.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { LeftInFlight } from '../store/left-in-flight.ts';
import type { OperationTable } from '../store/operation-table.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { aboveEdited } from './above-edited.ts';
import { tooLargeRow } from './recovery-rows.ts';
import type { Unreadable } from './recovery-rows.ts';

export interface RowIntakeParts {
  readonly telemetry: Telemetry;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly operations: OperationTable;
  readonly floors: FloorStore;
  readonly spooled: SpoolMarks;
  readonly writesThrough: (key: string) => boolean;
  readonly mutations: Mutations;
}

/** The slot that is made whole. */
interface Recovering {
  readonly replica: Replica;
  /** PostgreSQL's floor for the slot; 0 if it has none. */
  readonly floorCounter: number;
}

/** What this disk has of a key. */
type Held = SealedRecord | undefined | 'damaged';

export class RowIntake {
  private readonly parts: RowIntakeParts;

  constructor(parts: RowIntakeParts) {
    this.parts = parts;
  }

  /** Returns the row if it is too large to be taken: then nothing was changed, unless older leftovers were dropped. */
  take(row: RecordRow, recovering: Recovering): Unreadable | null {
    const { record, slot, checksum, edited } = row;
    const { shelf, telemetry, mutations } = this.parts;
    const { replica } = recovering;
    const sealed = sealRecord(record);
    const held = shelf.read(record.key, slot);
    // If nobody has another copy, this row is still the only record.
    if (sealed.checksum !== checksum && edited !== true)
      telemetry.event('error', 'recovery.row_damaged', { version: record.version });
    if (held === undefined && edited !== true && this.isForgotten(slot, record)) return null;
    // A row that was changed by hand shows the change under the version and checksum of what was changed. Where this disk
    // has that, it stays, and the change is written above it.
    const isOfBefore = this.isOfBefore(slot, held, record);
    if (isOfBefore) this.dropSuperseded(slot, held);
    if (!isOfBefore && mutations.recoverRowsAlone !== true && isHeld(held, record.version, checksum)) {
      this.settle(slot, held, record.version);
      return null;
    }
    const tooLarge = tooLargeRow(row);
    if (tooLarge !== null) return tooLarge;
    this.forgetOpen(slot, record, replica);
    if (edited === true && mutations.editAsItStands !== true) {
      this.writeAbove(slot, record, held, recovering);
      return null;
    }
    replica.sawVersion(record.version);
    if (!replica.copy(slot, heldAtRest(sealed))) shelf.replaceAtRest(slot, record.key, sealed);
    return null;
  }

  /** True if this disk holds the version of a row that cannot be read, or a higher one: then the row is not needed. */
  passUnreadable(slot: number, row: RowVersion): boolean {
    const { key, version, checksum } = row;
    const held = this.parts.shelf.read(key, slot);
    if (this.isOfBefore(slot, held, row) || !isHeld(held, version, checksum))
      return this.parts.mutations.passUnreadable === true;
    this.settle(slot, held, version);
    return true;
  }

  /** The row was changed by hand, and nobody knows any more what its version was. */
  private writeAbove(
    slot: number,
    shown: KeyRecord,
    held: Held,
    { replica, floorCounter }: Recovering,
  ): void {
    const { floors, writesThrough, mutations } = this.parts;
    const counters = [floorCounter, floors.floors.of(slot), floors.forgotten.through(slot)];
    if (held !== undefined && held !== 'damaged') counters.push(counterOf(held.record.version));
    replica.copy(
      slot,
      aboveEdited(shown, replica.view, Math.max(...counters), !writesThrough(shown.key), mutations),
    );
  }

  /** PostgreSQL has exactly the version held here. */
  private settle(slot: number, { record }: SealedRecord, version: number): void {
    if (record.version === version) this.parts.leftInFlight.settle(slot, record.key, version);
  }

  /** What is held is higher but was lost when others went on without this disk: the row must replace it. */
  private isOfBefore(
    slot: number,
    held: Held,
    { key, version }: Pick<KeyRecord, 'key' | 'version'>,
  ): held is SealedRecord {
    if (held === undefined || held === 'damaged' || held.record.version <= version) return false;
    return this.parts.writesThrough(key) && this.parts.shelf.isSuperseded(slot, key);
  }

  private dropSuperseded(slot: number, { record: { key, version } }: SealedRecord): void {
    const { spooled, leftInFlight, operations, telemetry } = this.parts;
    telemetry.event('info', 'recovery.cleared', { slot, version, floor: 0 });
    operations.unlearn(key, leftInFlight.operationsBelow(slot, key, version + 1));
    leftInFlight.settle(slot, key, version);
    spooled.drop(slot, key);
  }

  /**
   * The key was deleted, and the deletion forgotten, on this disk while it held the slot to the end: PostgreSQL has
   * lost the deletion since.
   */
  private isForgotten(slot: number, { key, version }: KeyRecord): boolean {
    const { floors, mutations, telemetry, writesThrough } = this.parts;
    const through = floors.forgotten.through(slot);
    if (counterOf(version) > through || !writesThrough(key) || mutations.recoverForgotten === true)
      return false;
    telemetry.event('info', 'recovery.deleted', { slot, version, floor: through });
    return true;
  }

  /**
   * A write in flight here below the row may have been finished before it; or have been refused, and done later under
   * the same id. (R33)
   */
  private forgetOpen(slot: number, { key, version }: KeyRecord, replica: Replica): void {
    const { leftInFlight, operations } = this.parts;
    const state = replica.stateOf(key);
    operations.unlearn(key, leftInFlight.operationsBelow(slot, key, version));
    if (state?.valid === false) operations.unlearn(key, state.heldOperations ?? []);
  }
}

/** This disk has what was committed as this version, or a higher one. */
function isHeld(held: Held, version: number, checksum: number): held is SealedRecord {
  if (held === undefined || held === 'damaged') return false;
  return held.record.version > version || (held.record.version === version && held.checksum === checksum);
}
