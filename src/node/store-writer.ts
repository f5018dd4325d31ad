/**
 * Group commit to the node's own disk: while one synced batch is on its way the next one collects. Every batch
 * that stores records also holds one entry that names the keys it made invalid; the entry goes, lazily, once all
 * of them are valid. (DESIGN section 5, PROTOCOL R12)
 *
 * What was handed in and is not on disk yet is visible through `get`: the rest of the node sees one store.
 */
import { STORE_BATCH_BYTES_MAX, STORE_BATCH_ENTRIES_MAX } from '../core/limits.ts';
import type { StoredWrite } from '../core/replication/context.ts';
import type { Clock } from '../ports/clock.ts';
import type { Storage, StorageError } from '../ports/storage.ts';
import { encodeMarks, markKey, metaKey, recordKey } from '../wire/store-codec.ts';
import type { InFlightMark } from '../wire/store-codec.ts';

interface Batch {
  readonly number: number;
  readonly keys: string[];
  readonly values: (Uint8Array | null)[];
  byteCount: number;
  /** Reported, too, once on disk. */
  readonly marks: InFlightMark[];
  readonly callbacks: (() => void)[];
}

export class StoreWriter {
  private readonly storage: Storage;
  private readonly clock: Clock;
  private readonly onStored: (key: string, version: number) => void;
  private readonly onFailed: (error: StorageError) => void;
  private readonly waiting: Batch[] = [];
  private inFlight: Batch | null = null;
  /** Handed in and not yet on disk. */
  private readonly overlay = new Map<string, Uint8Array | null>();
  /** Keys still in flight per in-flight entry. */
  private readonly markCounts = new Map<number, number>();
  private readonly marksToDrop: number[] = [];
  private flushDue = false;
  private failed = false;
  private batchNext: number;

  constructor(
    storage: Storage,
    clock: Clock,
    batchFirst: number,
    onStored: (key: string, version: number) => void,
    onFailed: (error: StorageError) => void,
  ) {
    this.storage = storage;
    this.clock = clock;
    this.batchNext = batchFirst;
    this.onStored = onStored;
    this.onFailed = onFailed;
  }

  get(stored: string): Uint8Array | undefined {
    if (this.overlay.size > 0) {
      const pending = this.overlay.get(stored);
      if (pending !== undefined) return pending ?? undefined;
    }
    return this.storage.get(stored);
  }

  /** Stores a record with its in-flight mark; `onStored` follows. Returns the number of the batch. */
  put(write: StoredWrite): number {
    const { sealed, slot, conditional, recorded, coordinator } = write;
    const { key, version } = sealed.record;
    const batch = this.collecting(sealed.bytes.length + 64);
    this.add(batch, recordKey(slot, key), sealed.bytes);
    batch.marks.push({ key, slot, version, conditional, recorded, coordinator });
    this.markCounts.set(batch.number, (this.markCounts.get(batch.number) ?? 0) + 1);
    return batch.number;
  }

  /** Stores or removes a record at rest: no mark, nothing reported. */
  putAtRest(slot: number, key: string, bytes: Uint8Array | null): void {
    this.add(this.collecting((bytes?.length ?? 0) + 64), recordKey(slot, key), bytes);
  }

  putMeta(name: string, bytes: Uint8Array, done: (error: StorageError | null) => void): void {
    if (this.failed) return this.clock.defer(() => done({ kind: 'io', message: 'the store has failed' }));
    const batch = this.collecting(bytes.length + 64);
    this.add(batch, metaKey(name), bytes);
    batch.callbacks.push(() => done(null));
  }

  /** Calls back when everything handed in so far is on disk. */
  barrier(done: () => void): void {
    const last = this.waiting.at(-1) ?? this.inFlight;
    if (last === null || last === undefined) this.clock.defer(done);
    else last.callbacks.push(done);
  }

  /** Entries found at start: `count` of their keys are still in flight. */
  adoptMark(batch: number, count: number): void {
    if (count > 0) this.markCounts.set(batch, count);
    else this.marksToDrop.push(batch);
  }

  unmark(marks: readonly number[]): void {
    for (const mark of marks) {
      const left = (this.markCounts.get(mark) ?? 0) - 1;
      if (left > 0) {
        this.markCounts.set(mark, left);
        continue;
      }
      this.markCounts.delete(mark);
      this.marksToDrop.push(mark);
    }
  }

  /** From the tick: entries that wait for no other write are dropped now and then. */
  tidy(): void {
    if (this.marksToDrop.length > 0 && this.inFlight === null && this.waiting.length === 0)
      this.collecting(0);
  }

  private collecting(byteCount: number): Batch {
    let batch = this.waiting.at(-1);
    if (
      batch === undefined ||
      batch.keys.length >= STORE_BATCH_ENTRIES_MAX ||
      batch.byteCount + byteCount > STORE_BATCH_BYTES_MAX
    ) {
      batch = {
        number: this.batchNext++,
        keys: [],
        values: [],
        byteCount: 0,
        marks: [],
        callbacks: [],
      };
      this.waiting.push(batch);
    }
    batch.byteCount += byteCount;
    if (this.inFlight === null && !this.flushDue) {
      this.flushDue = true;
      this.clock.defer(() => {
        this.flushDue = false;
        this.flush();
      });
    }
    return batch;
  }

  private add(batch: Batch, stored: string, bytes: Uint8Array | null): void {
    batch.keys.push(stored);
    batch.values.push(bytes);
    this.overlay.set(stored, bytes);
  }

  private flush(): void {
    if (this.inFlight !== null || this.failed) return;
    const batch = this.waiting.shift();
    if (batch === undefined) return;
    const recordCount = batch.keys.length;
    if (batch.marks.length > 0) {
      batch.keys.push(markKey(batch.number));
      batch.values.push(encodeMarks(batch.marks));
    }
    for (const mark of this.marksToDrop.splice(0)) {
      batch.keys.push(markKey(mark));
      batch.values.push(null);
    }
    this.inFlight = batch;
    this.storage.write(batch.keys, batch.values, (error) => {
      this.inFlight = null;
      if (error !== null) {
        this.failed = true;
        this.onFailed(error);
        return;
      }
      for (let index = 0; index < recordCount; index += 1) {
        const stored = batch.keys[index]!;
        if (this.overlay.get(stored) === batch.values[index]) this.overlay.delete(stored);
      }
      this.flush();
      for (const each of batch.marks) this.onStored(each.key, each.version);
      for (const callback of batch.callbacks) callback();
    });
  }
}
