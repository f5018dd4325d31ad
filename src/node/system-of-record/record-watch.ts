/**
 * Notices what PostgreSQL does not report as an error: that another server answers, and that committed rows are
 * missing. A failover shows as a later timeline. A server that was set back (a backup restored in its place, a disk
 * that lost its latest writes) keeps its identity; but commits are lost from the end, so a node looks up the last keys
 * that became valid here, because what is at rest at an owner was committed. It does so after each new connection (a
 * server that was set back was restarted), after each drive, and now and then; and soon again for keys that were not at
 * rest. (PROTOCOL R30)
 */
import { RECORD_WITNESS_BYTES_MAX, RECORD_WITNESS_EVERY_MS } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { KeyRecord } from '../../core/record.ts';
import { VERSION_NONE } from '../../core/version.ts';
import { isAsGoodAsAbsent, isValueBelow } from '../../core/system-of-record/record-floors.ts';
import { driveOf, everythingDriven, judgeServer } from '../../core/system-of-record/record-standing.ts';
import type { SeenServer } from '../../core/system-of-record/record-standing.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { RecordNews } from '../membership/record-news.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Milliseconds before a failed lookup is repeated. */
const AGAIN_AFTER_MS = 500;

export interface RecordWatchParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord;
  readonly shelf: RecordShelf;
  readonly replica: () => Replica | null;
  readonly topology: () => Topology | null;
  readonly writesThrough: (key: string) => boolean;
  readonly floorOf: (slot: number) => number;
  /** False if this disk may be behind, so that what it has proves nothing about PostgreSQL. (R24) */
  readonly isChecked: () => boolean;
  readonly news: RecordNews;
  readonly mutations: Mutations;
}

interface Expected {
  readonly key: string;
  /** 0 if nothing is held. */
  readonly version: number;
  readonly tombstone: boolean;
  readonly floor: number;
}

export class RecordWatch {
  private readonly parts: RecordWatchParts;
  /** The connection after which the last lookup was made. */
  private lookedAt: SeenServer | null = null;
  private notBefore = -Infinity;
  private isLooking = false;
  /**
   * What the previous lookup missed, with its version: if a drive has not brought it back, its first owner does not
   * hold it.
   */
  private missedBefore = new Map<string, number>();

  constructor(parts: RecordWatchParts) {
    this.parts = parts;
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    const { clock, systemOfRecord, news } = this.parts;
    const topology = this.parts.topology();
    const replica = this.parts.replica();
    if (topology === null || replica === null) return;
    const seen = systemOfRecord.seen();
    news.saw(seen);
    if (this.parts.mutations.keepQuietAfterFailover === true) return;
    if (seen === null || topology.record === undefined || judgeServer(topology.record, seen) !== 'known')
      return;
    // While a drive lasts, rows are known to be missing.
    if (!everythingDriven(topology)) this.lookedAt = null;
    else if (
      !this.isLooking &&
      this.parts.isChecked() &&
      (seen !== this.lookedAt || clock.now() >= this.notBefore)
    ) {
      this.lookedAt = seen;
      this.notBefore = clock.now() + RECORD_WITNESS_EVERY_MS;
      this.look(replica, driveOf(topology));
    }
  }

  private look(replica: Replica, drive: number): void {
    const { clock, systemOfRecord, telemetry, news } = this.parts;
    const { expected, isAll } = this.expected(replica);
    // The newest keys may still be being written: they are looked up once they are at rest.
    if (!isAll) this.notBefore = clock.now() + AGAIN_AFTER_MS;
    if (expected.length === 0) return;
    this.isLooking = true;
    const keys = expected.map((each) => each.key);
    systemOfRecord.read(keys, (error, rows) => {
      this.isLooking = false;
      const { missedBefore } = this;
      this.missedBefore = new Map();
      if (error !== null) {
        this.notBefore = clock.now() + AGAIN_AFTER_MS;
        return;
      }
      const lost = expected.filter((each, at) => isLost(each, committed(rows[at])));
      if (lost.length === 0) return;
      telemetry.event('error', 'record.rows_lost', { drive, rows: lost.length, looked: expected.length });
      for (const { key, version } of lost) {
        this.missedBefore.set(key, version);
        if (missedBefore.get(key) === version) this.reaffirm(key, version);
      }
      news.sawLoss(drive);
    });
  }

  /** Sends the record round once more under its own version, so that the other owners and PostgreSQL have it again. */
  private reaffirm(key: string, version: number): void {
    const slot = slotOf(key);
    const sealed = this.parts.shelf.load(key, slot);
    if (sealed === undefined || sealed === 'damaged' || sealed.record.version !== version) return;
    this.parts.replica()?.reaffirm(slot, sealed);
  }

  /**
   * What PostgreSQL must have at least if it has lost nothing. `isAll`: false if that cannot be said of some keys now.
   */
  private expected(replica: Replica): { readonly expected: Expected[]; readonly isAll: boolean } {
    const { shelf, writesThrough, floorOf } = this.parts;
    const expected: Expected[] = [];
    let isAll = true;
    for (const key of shelf.witnesses.distinct()) {
      const slot = slotOf(key);
      if (!writesThrough(key)) continue;
      if (!replica.view.row(slot).owns || replica.stateOf(key) !== undefined) {
        isAll = false;
        continue;
      }
      const sealed = shelf.load(key, slot);
      if (sealed === 'damaged' || (sealed?.bytes.length ?? 0) > RECORD_WITNESS_BYTES_MAX) continue;
      const { version = 0, tombstone = false } = sealed?.record ?? {};
      expected.push({ key, version, tombstone, floor: floorOf(slot) });
    }
    return { expected, isAll };
  }
}

/**
 * What was committed: nothing, if the row was inserted by hand. A value that somebody made from a deletion has not come
 * back from before it.
 */
function committed(row: RecordRow | undefined): Pick<KeyRecord, 'version' | 'tombstone'> | undefined {
  if (row === undefined || row.record.version === VERSION_NONE) return undefined;
  return row.edited === true ? { version: row.record.version, tombstone: true } : row.record;
}

/**
 * If nothing is held, a deletion may have been forgotten here, and then the value must not be there again. A deletion
 * that is about to be forgotten may have no row any more.
 */
function isLost({ version, tombstone, floor }: Expected, row: ReturnType<typeof committed>): boolean {
  if (row === undefined && isAsGoodAsAbsent({ version, tombstone }, floor)) return false;
  if (version > 0) return (row?.version ?? 0) < version;
  return row !== undefined && isValueBelow(row, floor);
}
