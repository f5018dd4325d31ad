/**
 * One server of the simulated PostgreSQL: its rows, the founding in force, and its identity. A standby is a copy that
 * may lack the newest changes; a server that was set back is the same one without them.
 */
import type { OutsideEdit } from '../src/core/system-of-record/outside-edits.ts';
import type { WrittenEdit } from '../src/ports/outside-edits.ts';
import type { WholeRow } from '../src/ports/row-scrub.ts';
import { EditedRows } from './edited-rows.ts';
import type { EditedRow } from './edited-rows.ts';
import type { Prng } from '../src/base/prng.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { SlotFloor } from '../src/core/upkeep/floors.ts';
import { RECORD_BATCH_BYTES_MAX, SCRUB_PAGE_BYTES_MAX } from '../src/core/limits.ts';
import { isOfThisCluster } from '../src/core/lives/lives.ts';
import type { LivingMember, StandingLife } from '../src/core/lives/lives.ts';
import type { LifeName } from '../src/core/membership/membership-message.ts';
import { sameLife } from '../src/core/membership/register.ts';
import { isAsGoodAsAbsent, isKeptOut, versionOfFloor } from '../src/core/system-of-record/record-floors.ts';
import { adoptedSystem, isSameServer } from '../src/core/system-of-record/record-standing.ts';
import type { SeenServer } from '../src/core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../src/core/membership/topology.ts';
import { VERSION_NONE, counterOf } from '../src/core/version.ts';
import type {
  CommitResult,
  DoomedRow,
  Founding,
  RecordClaim,
  RecordFloor,
  RecordPlace,
  RecordRow,
  RecordSurvey,
  RemovalOutcome,
  RowVersion,
} from '../src/ports/system-of-record.ts';

/** Only the newest changes can be lost, at most this many. */
const UNDO_COUNT_MAX = 1_000;

/** Undoes a change on a copy of the server. */
type Undo = (on: SimRecordServer) => void;

interface Floor extends RecordFloor {
  readonly raisedAt: number;
}

const NO_FLOOR: RecordFloor = { counter: 0, turn: 0 };

/** The floors that had been raised when a statement began. */
export type FloorsSeen = ReadonlyMap<number, Floor>;

export class SimRecordServer {
  /** Nobody can reach it any more: it was replaced, or continues as another object after a restart. */
  isOver = false;
  private readonly system: string;
  private readonly timeline: number;
  private readonly rows: Map<string, EditedRow>;
  /** Changes by hand. */
  readonly edits: EditedRows;
  private undo: Undo[];
  private readonly floors = new Map<number, Floor>();
  /** The highest removed version of each key: nothing at or below it may ever be here again. */
  private readonly removed = new Map<string, number>();
  /** A row that came back nevertheless; null if none ever did. */
  resurrected: string | null = null;
  removedCount = 0;
  /** Keys of rows whose values the server cannot read. */
  readonly unreadable = new Set<string>();
  /** -1 if not known. */
  private floorHighest = -1;
  private clusterId = '';
  /** The earlier lives, the first one first. */
  private lineage: string[] = [];
  private life = 0;
  private foundedAt = -Infinity;
  /** Not passed on to a copy: the latest sign is lost together with a server's newest changes. */
  private signed: (LifeName & { readonly members: readonly LivingMember[]; readonly at: number }) | null =
    null;
  /** The adoption by which it became the cluster's server; '' if the cluster was founded on it. */
  private adoption = '';

  constructor(
    system = 'sim',
    timeline = 1,
    rows = new Map<string, EditedRow>(),
    undo: Undo[] = [],
    edits?: EditedRows,
  ) {
    this.system = system;
    this.timeline = timeline;
    this.rows = rows;
    this.edits = new EditedRows(rows, edits);
    this.undo = undo;
  }

  /** A copy without its newest `changeCount` changes. Without `timeline` it has the same identity. */
  without(changeCount: number, timeline = this.timeline, system = this.system): SimRecordServer {
    const copy = new SimRecordServer(system, timeline, new Map(this.rows), [...this.undo], this.edits);
    copy.clusterId = this.clusterId;
    copy.life = this.life;
    copy.lineage = [...this.lineage];
    copy.foundedAt = this.foundedAt;
    copy.adoption = this.adoption;
    copy.resurrected = this.resurrected;
    copy.removedCount = this.removedCount;
    for (const [slot, floor] of this.floors) copy.floors.set(slot, floor);
    for (const [key, version] of this.removed) copy.removed.set(key, version);
    const lost = Math.min(changeCount, copy.undo.length);
    for (let i = 0; i < lost; i += 1) copy.undo.pop()!(copy);
    return copy;
  }

  failedOver(changeCount: number): SimRecordServer {
    return this.without(changeCount, this.timeline + 1);
  }

  get changeCount(): number {
    return this.undo.length;
  }

  /** A backup restored into another server, which may lack the last changes. */
  restoredAs(system: string, changeCount: number): SimRecordServer {
    return this.without(changeCount, 1, system);
  }

  private get identity(): RecordIdentity {
    return { system: adoptedSystem(this.system, this.adoption), timeline: this.timeline };
  }

  tell(): SeenServer {
    return { ...this.identity, clusterId: this.clusterId, life: this.life };
  }

  survey(): RecordSurvey {
    let newestAt = 0;
    for (const { record } of this.rows.values()) newestAt = Math.max(newestAt, record.updatedAt);
    return { server: this.tell(), hasRows: this.rows.size > 0, rowCount: this.rows.size, newestAt };
  }

  /** Null if the server is not what was expected. */
  claim(expected: SeenServer, { clusterId, life, adoption, ancestors }: RecordClaim): RecordIdentity | null {
    if (!isSameServer(this.tell(), expected)) return null;
    const noted = isOfThisCluster(expected, { clusterId, life }, ancestors) ? this.lineage : [];
    this.lineage = [...new Set([...noted, ...ancestors.map((each) => each.clusterId)])];
    this.clusterId = clusterId;
    this.life = life;
    this.adoption = adoption;
    return this.identity;
  }

  standing(key: string): RecordRow | undefined {
    return this.rows.get(key);
  }

  all(): IterableIterator<RecordRow> {
    return this.rows.values();
  }

  forge(key: string, row: RecordRow | null): void {
    if (row === null) this.rows.delete(key);
    else this.rows.set(key, row);
  }

  /** Returns the number of the change; null if there is nothing to delete. */
  edit(key: string, value: Uint8Array | null, now: number, wallNow: number): number | null {
    const before = this.rows.get(key);
    const row = this.edits.edit(key, value, now, wallNow);
    if (row === null) return null;
    this.rows.set(key, row);
    const id = this.edits.idLast;
    this.note((on) => {
      restore(on.rows, key, before);
      on.edits.forget(id);
    });
    return id;
  }

  settleEdits(
    life: number,
    written: readonly WrittenEdit[],
    others: readonly OutsideEdit[],
  ): readonly WrittenEdit[] | null {
    return this.isIn(life) ? this.edits.settle(written, others) : null;
  }

  stampEdits(life: number, edits: readonly OutsideEdit[], stampMs: number): true | null {
    if (!this.isIn(life)) return null;
    this.edits.stamp(edits, stampMs);
    return true;
  }

  /** As seen by a statement that begins now. */
  seeFloors(): FloorsSeen {
    return new Map(this.floors);
  }

  floorOf(slot: number): number {
    return this.floors.get(slot)?.counter ?? 0;
  }

  /** Usually called for all slots that a node owns, few of which ever had a floor. */
  floorsOf(slots: readonly number[]): readonly RecordFloor[] {
    if (this.floors.size === 0) return new Array<RecordFloor>(slots.length).fill(NO_FLOOR);
    return slots.map((slot) => this.floors.get(slot) ?? NO_FLOOR);
  }

  /** Null if another life is in force and nothing was written. `seen`: default: the statement begins now. */
  apply(life: number, rows: readonly RecordRow[], seen: FloorsSeen = this.floors): CommitResult[] | null {
    if (!this.isIn(life)) return null;
    return rows.map((row) => this.applyRow(row, seen.get(row.slot)?.counter ?? 0));
  }

  raise(life: number, floors: readonly (SlotFloor & RecordFloor)[], now: number): true | null {
    if (!this.isIn(life)) return null;
    for (const { slot, counter, turn } of floors) {
      const before = this.floors.get(slot);
      const { counter: stands = 0, turn: stood = 0, raisedAt = now } = before ?? {};
      if (turn !== stood) continue;
      const next = counter > stands ? { counter, raisedAt: now } : { counter: stands, raisedAt };
      this.floors.set(slot, { ...next, turn: turn + 1 });
      this.floorHighest = -1;
      this.note((on) => restore(on.floors, slot, before));
    }
    return true;
  }

  remove(life: number, doomed: readonly DoomedRow[], raisedBefore: number): RemovalOutcome[] | null {
    if (!this.isIn(life)) return null;
    return doomed.map(({ key, version, tombstone }) => {
      const row = this.rows.get(key);
      if (row === undefined || row.record.version === VERSION_NONE || row.record.version > version)
        return 'gone';
      const floor = this.floors.get(row.slot);
      const isUnder = floor !== undefined && floor.counter >= counterOf(version);
      if (row.record.version !== version || row.record.tombstone !== tombstone) return 'stays';
      if (!isUnder || floor.raisedAt > raisedBefore) return 'stays';
      const before = this.removed.get(key);
      this.rows.delete(key);
      this.removed.set(key, Math.max(version, before ?? 0));
      this.removedCount += 1;
      this.note((on) => {
        on.rows.set(key, row);
        restore(on.removed, key, before);
      });
      return 'removed';
    });
  }

  /** The highest removed version of the key; 0 if none was removed. */
  removedOf(key: string): number {
    return this.removed.get(key) ?? 0;
  }

  private isIn(life: number): boolean {
    return this.clusterId !== '' && life === this.life;
  }

  private note(undo: Undo): void {
    this.undo.push(undo);
    if (this.undo.length > 2 * UNDO_COUNT_MAX) this.undo = this.undo.slice(-UNDO_COUNT_MAX);
  }

  /** `isCut` returns whether a page ends before the next row although there is room. */
  page(after: RecordPlace | null, rowCountMax: number, isCut: () => boolean): RecordRow[] {
    const rest = [...this.rows.values()]
      .filter((row) => after === null || isAfter(row, after))
      .sort(comparePlaces);
    const page: RecordRow[] = [];
    let bytes = 0;
    for (const row of rest) {
      const isFull = page.length >= rowCountMax || bytes >= RECORD_BATCH_BYTES_MAX;
      if (isFull || (page.length > 0 && isCut())) break;
      page.push(row);
      bytes += row.record.value.length;
    }
    return page;
  }

  versions(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    prng: Prng,
    shortShare: number,
  ): RowVersion[] {
    return this.inSlot(slot, afterKey, rowCountMax, () => prng.chance(shortShare)).map(versionOfRow);
  }

  whole(slot: number, afterKey: string, rowCountMax: number, prng: Prng, shortShare: number): WholeRow[] {
    let bytes = 0;
    return this.inSlot(slot, afterKey, rowCountMax, () => prng.chance(shortShare))
      .filter(({ record }) => (bytes += record.value.length) - record.value.length < SCRUB_PAGE_BYTES_MAX)
      .map((row) => ({ ...versionOfRow(row), record: row.edited === true ? null : row.record }));
  }

  private inSlot(slot: number, afterKey: string, rowCountMax: number, isCut: () => boolean): EditedRow[] {
    const rest = [...this.rows.values()]
      .filter((row) => row.slot === slot && row.record.version > 0 && isAfter(row, { slot, key: afterKey }))
      .sort(comparePlaces);
    return rest.slice(0, rest.length > 1 && isCut() ? 1 : rowCountMax);
  }

  /** Null if another life is in force. False if the stored row is another version, or was changed by hand. */
  restore(life: number, row: RecordRow): boolean | null {
    if (!this.isIn(life)) return null;
    const { key, version } = row.record;
    const before = this.rows.get(key);
    if (before?.record.version !== version || before.edited === true) return false;
    this.unreadable.delete(key);
    this.rows.set(key, row);
    this.note((on) => restore(on.rows, key, before));
    return true;
  }

  founding(): Founding | null {
    if (this.clusterId === '') return null;
    let highestVersion = VERSION_NONE;
    for (const { record } of this.rows.values()) highestVersion = Math.max(highestVersion, record.version);
    if (this.floors.size > 0) highestVersion = Math.max(highestVersion, versionOfFloor(this.highestFloor()));
    const { clusterId, life, identity } = this;
    return { clusterId, life, identity, highestVersion, hasRows: this.rows.size > 0 };
  }

  standingLife(now: number): StandingLife | null {
    const { clusterId, life, lineage, signed } = this;
    if (clusterId === '') return null;
    const isOfIt = signed !== null && sameLife(signed, this.tell());
    const { members, at } = isOfIt ? signed : { members: [], at: this.foundedAt };
    return { clusterId, life, lineage: [...lineage], sign: { members, ageMs: now - at, notedAt: at } };
  }

  sign(life: LifeName, members: readonly LivingMember[], now: number): null {
    if (sameLife(life, this.tell())) this.signed = { ...life, members, at: now };
    return null;
  }

  found(expectLife: number, clusterId: string, now = -Infinity): Founding | null {
    if (expectLife === this.life) {
      if (this.clusterId !== '') this.lineage.push(this.clusterId);
      this.foundedAt = now;
      this.clusterId = clusterId;
      this.life += 1;
    }
    return this.founding();
  }

  /** Floors only rise, so this is cached; a copy that lacks some computes it anew. */
  private highestFloor(): number {
    if (this.floorHighest < 0)
      this.floorHighest = [...this.floors.values()].reduce((max, { counter }) => Math.max(max, counter), 0);
    return this.floorHighest;
  }

  private applyRow(row: RecordRow, floor: number): CommitResult {
    const { record, checksum, pastFloor } = row;
    const { key, version } = record;
    const before = this.rows.get(key);
    if (before !== undefined && before.record.version > version)
      return { kind: 'higher', version: before.record.version };
    if (before?.record.version === version)
      return before.checksum === checksum ? { kind: 'committed' } : { kind: 'conflict' };
    if (isKeptOut(version, floor, pastFloor)) {
      const isNone = before === undefined || before.record.version === VERSION_NONE;
      const isSame = isNone && isAsGoodAsAbsent(record, floor);
      return isSame ? { kind: 'committed' } : { kind: 'keptOut', floor };
    }
    const removed = this.removed.get(key) ?? 0;
    if (version <= removed)
      this.resurrected ??= `${key} stands in PostgreSQL at version ${version}, and ${removed} was removed there`;
    this.rows.set(key, { record, slot: row.slot, checksum });
    this.note((on) => restore(on.rows, key, before));
    return { kind: 'committed' };
  }
}

function restore<K, V>(map: Map<K, V>, key: K, before: V | undefined): void {
  if (before === undefined) map.delete(key);
  else map.set(key, before);
}

/** For a row changed by hand: the version that it was changed from. */
function versionOfRow({ record, checksum, edited, onValue }: EditedRow): RowVersion {
  const { key, version } = record;
  return { key, version, checksum, tombstone: edited === true ? onValue !== true : record.tombstone };
}

function comparePlaces(a: RecordRow, b: RecordRow): number {
  return a.slot - b.slot || compareUtf8(a.record.key, b.record.key);
}

/** In the order of the UTF-8 bytes, as in the database (collation C), not of UTF-16. */
function isAfter(row: RecordRow, place: RecordPlace): boolean {
  return row.slot > place.slot || (row.slot === place.slot && compareUtf8(row.record.key, place.key) > 0);
}
