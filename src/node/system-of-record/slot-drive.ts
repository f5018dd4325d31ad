/**
 * Compares one slot with PostgreSQL, piece by piece in the order of its keys: records at rest here that are missing
 * there, or have a lower version, are committed again by the guarded statement. A key in flight makes the slot be
 * visited again. (PROTOCOL R6, R30)
 */
import { compareUtf8 } from '../../base/utf8-order.ts';
import { DRIVE_PAGE_BYTES_MAX, DRIVE_PAGE_RECORDS_MAX } from '../../core/limits.ts';
import type { SealedRecord } from '../../core/record.ts';
import { forgottenDeletion, judgeKey } from '../../core/system-of-record/record-drive.ts';
import { isValueBelow } from '../../core/system-of-record/record-floors.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import type { RecordError, RecordRow, RowVersion, SystemOfRecord } from '../../ports/system-of-record.ts';
import { openRecord, sealRecord } from '../../wire/record-codec.ts';
import { slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { OwnerInquiry, OwnersWord } from '../recovery/owner-inquiry.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface SlotDriveParts {
  readonly slot: number;
  readonly storage: Storage;
  readonly systemOfRecord: SystemOfRecord;
  readonly shelf: RecordShelf;
  readonly replica: Replica;
  readonly life: number;
  /** The counter at or below which deletions of the slot were forgotten; 0 if none was. */
  readonly floor: number;
  /** The floor that PostgreSQL reported before this visit to the slot began; 0 if none. (R24) */
  readonly pastFloor: number;
  readonly writesThrough: (key: string) => boolean;
  /** Asks the other owners about a key that PostgreSQL has and this disk has not. */
  readonly inquiry: OwnerInquiry;
  /** Treats whatever this disk lacks as deleted, whatever the others hold; for tests of the rule. */
  readonly deleteUnasked: boolean;
  /** Keys found in flight in this drive, with the version each first had. */
  readonly waits: Map<string, number>;
  /** Skips what is in flight; for tests of the rule. */
  readonly passInFlight: boolean;
  /** False once the drive, the epoch, or this node's part in it has changed. */
  readonly isCurrent: () => boolean;
  /**
   * Reports what was read from disk. Returns true if the next piece may be read at once; otherwise `goOn` will be
   * called.
   */
  readonly spent: (recordCount: number, byteCount: number) => boolean;
  readonly onDriven: (rowCount: number) => void;
  readonly onConflict: (version: number) => void;
  /** Keys whose rows were locked by somebody when they were last tried in this drive. */
  readonly held: Set<string>;
  /**
   * PostgreSQL refuses whatever is at or below this floor. Returns true if the slot must be visited again, with the
   * floor known.
   */
  readonly onKeptOut: (floor: number, version: number) => boolean;
  /**
   * - failed: PostgreSQL or the disk did not answer.
   * - again: something was in flight, or is damaged.
   * - refused: PostgreSQL refuses some of the rows; all others are there.
   */
  readonly onEnd: (end: 'done' | 'again' | 'failed' | 'refused', reason: string) => void;
}

export class SlotDrive {
  private readonly parts: SlotDriveParts;
  private from: string;
  /** The key before the present piece. */
  private afterKey = '';
  private isAgain = false;
  /** Why PostgreSQL refuses rows of the slot; '' if it takes all. */
  private refusal = '';
  private isFinishing = false;
  /** There was allowance left after the present piece. */
  private mayGoOn = true;
  /** The present piece is done, and the next one waits for allowance. */
  private isHalted = false;

  constructor(parts: SlotDriveParts) {
    this.parts = parts;
    this.from = slotRange(parts.slot).from;
  }

  begin(): void {
    this.readPiece();
  }

  /** There is allowance again. */
  goOn(): void {
    if (!this.isHalted) return;
    this.isHalted = false;
    this.readPiece();
  }

  private readPiece(): void {
    const { slot, storage, isCurrent, onEnd, spent } = this.parts;
    const { to } = slotRange(slot);
    storage.scan(this.from, to, DRIVE_PAGE_RECORDS_MAX, DRIVE_PAGE_BYTES_MAX, (error, entries) => {
      if (!isCurrent()) return;
      if (error !== null) return onEnd('failed', error.message);
      const last = entries.at(-1);
      if (last === undefined) return this.finish();
      const byteCount = entries.reduce((sum, entry) => sum + entry.value.length, 0);
      this.mayGoOn = spent(entries.length, byteCount);
      this.from = `${last.key}\u0000`;
      this.askPostgres(this.afterKey, splitRecordKey(last.key).key, new Map(), (standing) => {
        this.afterKey = splitRecordKey(last.key).key;
        const held = new Set(entries.map((entry) => splitRecordKey(entry.key).key));
        this.forgotten(held, standing, (rows) =>
          this.commit([...this.rowsToDrive(entries, standing), ...rows]),
        );
      });
    });
  }

  /**
   * After the last key that is held there may be rows of keys that were deleted, and whose deletions were forgotten.
   */
  private finish(): void {
    const end = (): void => {
      if (this.refusal !== '') this.parts.onEnd('refused', this.refusal);
      else this.parts.onEnd(this.isAgain ? 'again' : 'done', '');
    };
    if (this.parts.floor === 0 || this.isFinishing) return end();
    this.isFinishing = true;
    this.askPostgres(this.afterKey, null, new Map(), (standing) =>
      this.forgotten(new Set(), standing, (rows) => this.commit(rows)),
    );
  }

  /** Rows after `afterKey` up to `lastKey`; null means to the end. */
  private askPostgres(
    afterKey: string,
    lastKey: string | null,
    standing: Map<string, RowVersion>,
    done: (standing: ReadonlyMap<string, RowVersion>) => void,
  ): void {
    const { slot, systemOfRecord, isCurrent, onEnd } = this.parts;
    systemOfRecord.versionsOf(slot, afterKey, DRIVE_PAGE_RECORDS_MAX, (error, rows) => {
      if (!isCurrent()) return;
      if (error !== null) return onEnd('failed', error.message);
      for (const row of rows) standing.set(row.key, row);
      const last = rows.at(-1);
      if (last === undefined || (lastKey !== null && compareUtf8(last.key, lastKey) >= 0)) done(standing);
      else this.askPostgres(last.key, lastKey, standing, done);
    });
  }

  private rowsToDrive(
    entries: readonly StorageEntry[],
    standing: ReadonlyMap<string, RowVersion>,
  ): RecordRow[] {
    const rows: RecordRow[] = [];
    for (const entry of entries) {
      const { key } = splitRecordKey(entry.key);
      if (!this.parts.writesThrough(key)) continue;
      const sealed = this.toDrive(key, entry, standing.get(key));
      if (sealed === null) continue;
      rows.push({ record: sealed.record, slot: this.parts.slot, checksum: sealed.checksum });
    }
    return rows;
  }

  /**
   * Handles rows that are values again although their deletion is not remembered. What another owner still holds was
   * not deleted: this disk has lost it, and it is sent round again.
   */
  private forgotten(
    held: ReadonlySet<string>,
    standing: ReadonlyMap<string, RowVersion>,
    done: (rows: readonly RecordRow[]) => void,
  ): void {
    const { slot, replica, inquiry, isCurrent } = this.parts;
    const back = this.rowsBack(held, standing);
    const rows: RecordRow[] = [];
    if (back.size === 0) return done(rows);
    const onWord = (key: string, word: OwnersWord): void => {
      if (word.isWhole && word.held === null) {
        const { record, checksum } = sealRecord(forgottenDeletion(key, back.get(key)!));
        rows.push({ record, slot, checksum });
        return;
      }
      this.isAgain = true;
      if (isCurrent() && word.held?.valid === true) replica.reaffirm(slot, word.held.sealed);
    };
    const end = (): void => (isCurrent() ? done(rows) : undefined);
    if (!this.parts.deleteUnasked) return inquiry.ask(slot, [...back.keys()], onWord, end);
    for (const key of back.keys()) onWord(key, { held: null, isAbsentAt: true, isWhole: true });
    end();
  }

  /** Values at or below the floor, with their versions, of which this disk has nothing. */
  private rowsBack(
    held: ReadonlySet<string>,
    standing: ReadonlyMap<string, RowVersion>,
  ): Map<string, number> {
    const { slot, floor, replica, shelf, writesThrough } = this.parts;
    const back = new Map<string, number>();
    if (floor === 0) return back;
    for (const [key, row] of standing) {
      if (held.has(key) || !isValueBelow(row, floor) || !writesThrough(key)) continue;
      // A page may reach beyond the keys of this piece.
      if (replica.stateOf(key) !== undefined || shelf.load(key, slot) !== undefined) continue;
      back.set(key, row.version);
    }
    return back;
  }

  /** The record that PostgreSQL lacks, as it stands here at this moment; null if it lacks none, or not yet. */
  private toDrive(key: string, entry: StorageEntry, standing: RowVersion | undefined): SealedRecord | null {
    const { slot, replica, shelf, waits, passInFlight, onConflict } = this.parts;
    const state = replica.stateOf(key);
    const inFlight = state !== undefined && !state.valid && state.held !== null;
    const seen = inFlight ? state.held! : openRecord(entry.value);
    const held = seen === undefined ? null : { version: seen.record.version, checksum: seen.checksum };
    const verdict = held === null ? 'drive' : judgeKey({ ...held, inFlight }, standing, waits.get(key));
    switch (verdict) {
      case 'settled':
        waits.delete(key);
        return null;
      case 'conflict':
        onConflict(held!.version);
        return null;
      case 'wait':
        if (passInFlight) return null;
        if (!waits.has(key)) waits.set(key, held!.version);
        this.isAgain = true;
        return null;
      case 'drive': {
        const current = state?.held ?? shelf.load(key, slot);
        if (current !== undefined && current !== 'damaged') return current;
        // Loading a damaged record starts its repair from another owner; a record that is gone by now does not matter.
        if (current === 'damaged') this.isAgain = true;
        return null;
      }
    }
  }

  /** `later`: batches to commit after this one, before the next piece. */
  private commit(rows: readonly RecordRow[], later: readonly (readonly RecordRow[])[] = []): void {
    const { systemOfRecord, life, isCurrent, onEnd, onDriven, onConflict, onKeptOut } = this.parts;
    if (rows.length === 0 && later.length === 0) return this.next();
    if (rows.length === 0) return this.commit(later[0]!, later.slice(1));
    const told = rows.map((row) => this.told(row));
    systemOfRecord.commit(life, told, (error, results) => {
      if (!isCurrent()) return;
      if (error?.ofRows === true) return this.commit([], [...this.withoutRefused(rows, error), ...later]);
      if (error !== null) return onEnd('failed', error.message);
      results.forEach((result, at) => {
        if (result.kind === 'conflict') onConflict(rows[at]!.record.version);
        if (result.kind === 'keptOut' && onKeptOut(result.floor, rows[at]!.record.version))
          this.isAgain = true;
      });
      onDriven(results.filter(({ kind }) => kind === 'committed').length);
      for (const { record } of rows) this.parts.held.delete(record.key);
      this.commit([], later);
    });
  }

  /** Adds the floor that is known. */
  private told(row: RecordRow): RecordRow {
    const { pastFloor, held } = this.parts;
    return {
      ...row,
      ...(pastFloor === 0 ? {} : { pastFloor }),
      ...(held.has(row.record.key) ? { wasHeld: true } : {}),
    };
  }

  /** The rows to try again: all but those known to be refused; if it is unknown which are, halves of the batch. */
  private withoutRefused(
    rows: readonly RecordRow[],
    { heldKeys, message }: RecordError,
  ): readonly (readonly RecordRow[])[] {
    if (heldKeys !== undefined) {
      const held = new Set(heldKeys);
      for (const key of held) this.parts.held.add(key);
      this.refusal = message;
      return [rows.filter(({ record }) => !held.has(record.key))];
    }
    if (rows.length > 1) return [rows.slice(0, rows.length >> 1), rows.slice(rows.length >> 1)];
    this.refusal = message;
    return [];
  }

  private next(): void {
    if (this.mayGoOn) this.readPiece();
    else this.isHalted = true;
  }
}
