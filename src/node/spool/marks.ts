/**
 * Which keys PostgreSQL lacks, according to this node's disk: one durable mark per key, for its highest version stored
 * in an epoch that spools. Memory holds only sums, so that a long outage costs no more than a short one. (PROTOCOL R34)
 */
import type { SealedRecord } from '../../core/record.ts';
import { decodeSpoolMark, encodeSpoolMark, spoolKey } from '../../wire/spool-codec.ts';
import type { SpoolMark } from '../../wire/spool-codec.ts';
import type { StoreWriter } from '../store/store-writer.ts';

/** Stands for a damaged mark: no drained version is high enough to drop it. */
const UNREADABLE: SpoolMark = { version: Infinity, since: Infinity, byteCount: 0 };
const BUCKET_MS = 1_000;

/** Sums over all marks on a disk. */
export class SpoolTally {
  entries = 0;
  /** Bytes of the marked records. */
  bytes = 0;
  /** How many keys were first marked in each second: the lowest second gives the age of the oldest mark. */
  private readonly seconds = new Map<number, number>();

  found(stored: string, value: Uint8Array): void {
    this.account(decodeSpoolMark(stored, value) ?? UNREADABLE, 1);
  }

  account({ since, byteCount }: SpoolMark, sign: 1 | -1): void {
    this.entries += sign;
    this.bytes += sign * byteCount;
    if (since === Infinity) return;
    const second = Math.floor(since / BUCKET_MS);
    const left = (this.seconds.get(second) ?? 0) + sign;
    if (left === 0) this.seconds.delete(second);
    else this.seconds.set(second, left);
  }

  /** Milliseconds since 1970, to the second; Infinity if there is no mark. */
  oldest(): number {
    let oldest = Infinity;
    for (const second of this.seconds.keys()) oldest = Math.min(oldest, second);
    return oldest * BUCKET_MS;
  }
}

export interface SpoolBounds {
  readonly bytesMax: number;
  readonly entriesMax: number;
}

export interface SpoolMarksParts {
  readonly writer: Pick<StoreWriter, 'get' | 'putEntry' | 'barrier'>;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly bounds: SpoolBounds;
  /** The sums of what is on disk. */
  readonly tally: SpoolTally;
  /** Set by tests that break the rule: marks of earlier processes do not count. */
  readonly forgets?: boolean;
}

export class SpoolMarks {
  private readonly writer: SpoolMarksParts['writer'];
  private readonly wallNow: () => number;
  private readonly bounds: SpoolBounds;
  private readonly tally: SpoolTally;
  /** Milliseconds since 1970: marks made earlier do not count. */
  private readonly forgottenThrough: number;

  constructor({ writer, wallNow, bounds, tally, forgets = false }: SpoolMarksParts) {
    this.writer = writer;
    this.wallNow = wallNow;
    this.bounds = bounds;
    this.tally = forgets ? new SpoolTally() : tally;
    this.forgottenThrough = forgets ? wallNow() : -Infinity;
  }

  get entries(): number {
    return this.tally.entries;
  }

  get bytes(): number {
    return this.tally.bytes;
  }

  get isFull(): boolean {
    return this.entries >= this.bounds.entriesMax || this.bytes >= this.bounds.bytesMax;
  }

  /** Milliseconds since the oldest present mark was made; 0 if there is none. */
  oldestMs(): number {
    const oldest = this.tally.oldest();
    return oldest === Infinity ? 0 : Math.max(0, Math.round(this.wallNow() - oldest));
  }

  of(slot: number, key: string): SpoolMark | undefined {
    const stored = spoolKey(slot, key);
    const value = this.writer.get(stored);
    if (value === undefined) return undefined;
    const mark = decodeSpoolMark(stored, value) ?? UNREADABLE;
    return mark.since < this.forgottenThrough ? undefined : mark;
  }

  /** Cheap if there is no mark at all. */
  has(slot: number, key: string): boolean {
    return this.entries > 0 && this.of(slot, key) !== undefined;
  }

  /** Goes into the current batch: whatever is handed in afterwards is durable no earlier. */
  add({ record, bytes }: SealedRecord, slot: number): void {
    this.put(slot, record.key, { version: record.version, since: this.wallNow(), byteCount: bytes.length });
  }

  /** An existing mark of the key keeps its age, and its version if that is higher. */
  put(slot: number, key: string, mark: SpoolMark): void {
    const before = this.of(slot, key);
    if (before !== undefined && before !== UNREADABLE && before.version >= mark.version) return;
    if (before !== undefined) this.tally.account(before, -1);
    const next = { ...mark, since: Math.min(mark.since, before?.since ?? Infinity) };
    this.tally.account(next, 1);
    const stored = spoolKey(slot, key);
    this.writer.putEntry(stored, encodeSpoolMark(stored, next));
  }

  /**
   * The version of the mark is unknown, or never became the cluster's: the mark now stands for what is held, and keeps
   * its age.
   */
  restate(slot: number, { record, bytes }: SealedRecord, mark: SpoolMark): void {
    const { key, version } = record;
    const since = mark.since === Infinity ? this.wallNow() : mark.since;
    this.drop(slot, key, mark);
    this.put(slot, key, { version, since, byteCount: bytes.length });
  }

  /** PostgreSQL holds `through` or a higher version. Returns true if a mark was dropped. */
  lift(slot: number, key: string, through: number): boolean {
    const mark = this.of(slot, key);
    if (mark === undefined || mark.version > through) return false;
    this.drop(slot, key, mark);
    return true;
  }

  /** Drops the mark whatever its version. */
  drop(slot: number, key: string, mark: SpoolMark | undefined = this.of(slot, key)): void {
    if (mark === undefined) return;
    this.tally.account(mark, -1);
    this.writer.putEntry(spoolKey(slot, key), null);
  }

  whenDurable(done: () => void): void {
    this.writer.barrier(done);
  }
}
