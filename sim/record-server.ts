/**
 * One server of the simulated PostgreSQL: its rows, the founding in force, and how to tell it from others. A standby is a
 * copy of it that may lack the newest changes; a server that was set back is the same one without them.
 */
import type { Prng } from '../src/base/prng.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import { RECORD_BATCH_BYTES_MAX } from '../src/core/limits.ts';
import type { SeenServer } from '../src/core/record-standing.ts';
import { VERSION_NONE } from '../src/core/version.ts';
import type {
  CommitResult,
  Founding,
  RecordPlace,
  RecordRow,
  RowVersion,
} from '../src/ports/system-of-record.ts';

/** Changes that may be lost: the newest, at most this many. */
const UNDO_COUNT_MAX = 1_000;

interface Undo {
  readonly key: string;
  readonly before: RecordRow | undefined;
}

export class SimRecordServer {
  /** Nobody reaches it any more: it was replaced, or has been restarted as another object. */
  isOver = false;
  private readonly system: string;
  private readonly timeline: number;
  private readonly rows: Map<string, RecordRow>;
  private undo: Undo[];
  private clusterId = '';
  private life = 0;

  constructor(system = 'sim', timeline = 1, rows = new Map<string, RecordRow>(), undo: Undo[] = []) {
    this.system = system;
    this.timeline = timeline;
    this.rows = rows;
    this.undo = undo;
  }

  /** A copy without its newest `changeCount` changes; `timeline`: left out, it tells itself the same. */
  without(changeCount: number, timeline = this.timeline): SimRecordServer {
    const copy = new SimRecordServer(this.system, timeline, new Map(this.rows), [...this.undo]);
    copy.clusterId = this.clusterId;
    copy.life = this.life;
    const lost = Math.min(changeCount, copy.undo.length);
    for (let i = 0; i < lost; i += 1) {
      const { key, before } = copy.undo.pop()!;
      if (before === undefined) copy.rows.delete(key);
      else copy.rows.set(key, before);
    }
    return copy;
  }

  failedOver(changeCount: number): SimRecordServer {
    return this.without(changeCount, this.timeline + 1);
  }

  get changeCount(): number {
    return this.undo.length;
  }

  tell(): SeenServer {
    const { system, timeline, clusterId, life } = this;
    return { system, timeline, clusterId, life };
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

  /** Null: another life is in force and nothing was written. */
  apply(life: number, rows: readonly RecordRow[]): CommitResult[] | null {
    if (this.clusterId === '' || life !== this.life) return null;
    return rows.map((row) => this.applyRow(row));
  }

  /** `isCut`: whether a page ends before this row, although there is room. */
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
    const rest = [...this.rows.values()]
      .filter((row) => row.slot === slot && isAfter(row, { slot, key: afterKey }))
      .sort(comparePlaces);
    const isCut = rest.length > 1 && prng.chance(shortShare);
    return rest.slice(0, isCut ? 1 : rowCountMax).map(({ record: { key, version, tombstone }, checksum }) => {
      return { key, version, checksum, tombstone };
    });
  }

  founding(): Founding | null {
    if (this.clusterId === '') return null;
    let highestVersion = VERSION_NONE;
    for (const { record } of this.rows.values()) highestVersion = Math.max(highestVersion, record.version);
    const { clusterId, life, system, timeline } = this;
    return { clusterId, life, identity: { system, timeline }, highestVersion, hasRows: this.rows.size > 0 };
  }

  found(expectLife: number, clusterId: string): Founding | null {
    if (expectLife === this.life) {
      this.clusterId = clusterId;
      this.life += 1;
    }
    return this.founding();
  }

  private applyRow(row: RecordRow): CommitResult {
    const before = this.rows.get(row.record.key);
    if (before !== undefined && before.record.version > row.record.version) {
      return { kind: 'higher', version: before.record.version };
    }
    if (before !== undefined && before.record.version === row.record.version) {
      return before.checksum === row.checksum ? { kind: 'committed' } : { kind: 'conflict' };
    }
    this.rows.set(row.record.key, row);
    this.undo.push({ key: row.record.key, before });
    if (this.undo.length > 2 * UNDO_COUNT_MAX) this.undo = this.undo.slice(-UNDO_COUNT_MAX);
    return { kind: 'committed' };
  }
}

function comparePlaces(a: RecordRow, b: RecordRow): number {
  return a.slot - b.slot || compareUtf8(a.record.key, b.record.key);
}

/** In the order of the UTF-8 bytes, which is the database's (collation C) and not that of UTF-16. */
function isAfter(row: RecordRow, place: RecordPlace): boolean {
  return row.slot > place.slot || (row.slot === place.slot && compareUtf8(row.record.key, place.key) > 0);
}
