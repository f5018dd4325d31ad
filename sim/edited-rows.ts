/**
 * What PostgreSQL's triggers do when a row is changed by hand: the row shows the change, but keeps the version and
 * checksum that it was made on, and a note waits for the cluster.
 */
import type { OutsideEdit } from '../src/core/system-of-record/outside-edits.ts';
import { EMPTY_VALUE, ORIGIN_OUTSIDE, isLive } from '../src/core/record.ts';
import type { KeyRecord } from '../src/core/record.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { VERSION_NONE } from '../src/core/version.ts';
import type { WrittenEdit } from '../src/ports/outside-edits.ts';
import type { RecordRow } from '../src/ports/system-of-record.ts';
import { typeOf } from './values.ts';

export interface EditedRow extends RecordRow {
  /** For an edited row: what it was made on was a value. */
  readonly onValue?: boolean;
}

type Note = Omit<OutsideEdit, 'stands'> & { readonly isChained: boolean };

/** Called with the fate of each change. */
export interface EditWatch {
  /**
   * The cluster reports that it has written the change under this version, or that it came to nothing (null).
   * `isExact`: it was made on a value of a version that never comes back.
   */
  settled(id: number, version: number | null, isExact: boolean): void;
}

export class EditedRows {
  watch: EditWatch | null = null;
  private readonly notes: Map<number, Note> = new Map();
  private readonly notedAt: Map<number, number> = new Map();
  /** Shared by all servers of a simulated world, so that a number names one edit. */
  private ids = { next: 1 };
  private readonly rows: ReadonlyMap<string, EditedRow>;

  constructor(rows: ReadonlyMap<string, EditedRow>, from?: EditedRows) {
    this.rows = rows;
    if (from === undefined) return;
    this.follow(from);
    for (const [id, note] of from.notes) this.notes.set(id, note);
    for (const [id, at] of from.notedAt) this.notedAt.set(id, at);
  }

  /** Continues the numbers of that server, and reports to the same watcher. */
  follow(from: EditedRows): void {
    this.watch = from.watch;
    this.ids = from.ids;
  }

  get count(): number {
    return this.notes.size;
  }

  /** The change was lost together with a server's newest transactions. */
  forget(id: number): void {
    this.notes.delete(id);
  }

  /** Returns the row after the edit, or null if there is nothing to delete. `now` is by the server's clock. */
  edit(key: string, value: Uint8Array | null, now: number, wallNow: number): EditedRow | null {
    const before = this.rows.get(key);
    if (value === null && before?.record.tombstone !== false) return null;
    const base = before?.record.version ?? VERSION_NONE;
    const wasValue = before?.record !== undefined && isLive(before.record, wallNow);
    const onValue = before?.edited === true ? before.onValue === true : wasValue;
    const contentType = value === null ? null : typeOf(Buffer.from(value).toString());
    const note = { key, base, onValue, deleted: value === null, value: value ?? EMPTY_VALUE, contentType };
    const id = this.ids.next++;
    this.notes.set(id, { ...note, id, expiresAt: 0, stampMs: Math.floor(wallNow), isChained: false });
    this.notedAt.set(id, now);
    const madeAt = Math.floor(wallNow);
    const record: KeyRecord = {
      ...{ key, version: base, origin: ORIGIN_OUTSIDE, tombstone: value === null, value: note.value },
      ...{ createdAt: madeAt, updatedAt: madeAt, expiresAt: 0, operationId: null, contentType },
    };
    return { record, slot: slotOf(key), checksum: before?.checksum ?? 0, edited: true, onValue };
  }

  get idLast(): number {
    return this.ids.next - 1;
  }

  read(afterId: number, editCountMax: number, notedBy: number): OutsideEdit[] {
    const first = new Map<string, Note>();
    for (const note of this.notes.values()) if (!first.has(note.key)) first.set(note.key, note);
    return [...first.values()]
      .filter(({ id }) => id > afterId && (this.notedAt.get(id) ?? 0) <= notedBy)
      .sort((a, b) => a.id - b.id)
      .slice(0, editCountMax)
      .map((note) => ({ ...note, stands: this.stands(note) }));
  }

  private stands({ key, base, isChained }: Note): boolean {
    const row = this.rows.get(key);
    return row?.record.version === base && (row.edited === true || isChained);
  }

  stamp(edits: readonly OutsideEdit[], stampMs: number): void {
    for (const { id, stampMs: before } of edits) {
      const note = this.notes.get(id);
      if (note !== undefined && note.stampMs === before && this.stands(note))
        this.notes.set(id, { ...note, stampMs: Math.floor(stampMs) });
    }
  }

  /** Returns those of the others that their rows hold. */
  settle(written: readonly WrittenEdit[], others: readonly OutsideEdit[]): readonly WrittenEdit[] {
    const found = others.filter((edit) => this.isFound(edit));
    const settled = found.map((edit) => ({ edit, version: this.rows.get(edit.key)!.record.version }));
    for (const { edit, version } of [...written, ...settled]) {
      if (this.notes.delete(edit.id)) this.watch?.settled(edit.id, version, false);
      for (const note of this.notes.values())
        if (note.key === edit.key && note.base === edit.base && note.id > edit.id)
          this.notes.set(note.id, { ...note, base: version, onValue: !edit.deleted, isChained: true });
    }
    for (const { id, onValue } of others) if (this.notes.delete(id)) this.watch?.settled(id, null, onValue);
    return settled;
  }

  /** The row was written from what it showed by this change, or under the operation id of the change. */
  private isFound({ id, key, base, deleted, value }: OutsideEdit): boolean {
    const row = this.rows.get(key);
    if (row === undefined || row.edited === true || row.record.version <= base) return false;
    const { operationId: named, origin, tombstone } = row.record;
    if (named !== null && named[6] === 0 && Buffer.from(named).readBigUInt64BE(8) === BigInt(id)) return true;
    return (
      origin === ORIGIN_OUTSIDE && tombstone === deleted && Buffer.compare(row.record.value, value) === 0
    );
  }
}
