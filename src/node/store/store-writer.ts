/**
 * Group commit to the node's own disk: while one synced batch is being written, the next one collects. Every batch
 * that stores records also holds one in-flight entry, which names the keys that the batch made invalid. The entry is
 * removed lazily, once all of them are valid. (DESIGN section 5, PROTOCOL R12)
 *
 * Changes that were handed in and are not on disk yet are visible through `get`: the rest of the node sees one store.
 */
import { GATHER_MANY_ITEMS_MIN } from '../../core/gather-limits.ts';
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import { STORE_BATCH_BYTES_MAX, STORE_BATCH_ENTRIES_MAX } from '../../core/limits.ts';
import type { StoredWrite } from '../../core/replication/context.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageError } from '../../ports/storage.ts';
import { encodeInFlight, inFlightKey, metaKey, recordKey } from '../../wire/store-codec.ts';
import { Departure, storeGatherMs } from '../departure.ts';
import { StorePulse } from './store-pulse.ts';

/** One change of the store. */
export interface StoreChange {
  readonly stored: string;
  readonly bytes: Uint8Array | null;
}

interface Batch {
  readonly number: number;
  /** The bytes to store under each key, or null to remove the key. Of two writes of one key the later counts. */
  readonly entries: Map<string, Uint8Array | null>;
  byteCount: number;
  /** Records that the in-flight entry names. Each is reported once it is on disk. */
  readonly writes: StoredWrite[];
  readonly callbacks: (() => void)[];
  readonly entry: WriteCount;
}

/** How many keys of one in-flight entry are still in flight. */
interface WriteCount {
  left: number;
}

export interface StoreWriterParts {
  readonly storage: Pick<Storage, 'get' | 'write'>;
  readonly clock: Clock;
  /** The number of the next batch: above all in-flight entries on the disk. */
  readonly batchFirst: number;
  /** A record that was handed to `put` is on disk. */
  readonly onStored: (key: string, version: number) => void;
  /** A batch was not written; no further one will be. */
  readonly onFailed: (error: StorageError) => void;
  readonly instruments?: typeof NO_INSTRUMENTS | undefined;
}

export class StoreWriter {
  private readonly storage: Pick<Storage, 'get' | 'write'>;
  private readonly clock: Clock;
  private readonly onStored: (key: string, version: number) => void;
  private readonly onFailed: (error: StorageError) => void;
  private readonly instruments: typeof NO_INSTRUMENTS;
  private readonly waiting: Batch[] = [];
  private inFlight: Batch | null = null;
  private readonly writeCounts = new Map<number, WriteCount>();
  private readonly entriesToDrop: number[] = [];
  private readonly departure: Departure;
  readonly pulse: StorePulse;
  /** Number of records in the batch before. */
  private lastCount = 0;
  private failed = false;
  private closed = false;
  private batchNext: number;

  constructor(parts: StoreWriterParts) {
    const { storage, clock, batchFirst, onStored, onFailed, instruments = NO_INSTRUMENTS } = parts;
    this.storage = storage;
    this.instruments = instruments;
    this.pulse = new StorePulse(storage, clock, instruments);
    this.clock = clock;
    this.departure = new Departure(clock, () => this.flush());
    this.batchNext = batchFirst;
    this.onStored = onStored;
    this.onFailed = onFailed;
  }

  get(stored: string): Uint8Array | undefined {
    for (let index = this.waiting.length - 1; index >= 0; index -= 1) {
      const pending = this.waiting[index]!.entries.get(stored);
      if (pending !== undefined) return pending ?? undefined;
    }
    const pending = this.inFlight?.entries.get(stored);
    if (pending !== undefined) return pending ?? undefined;
    return this.closed ? undefined : this.storage.get(stored);
  }

  /**
   * Stores a record with its in-flight entry, and the `changes` that must stand or fall with it, in one batch;
   * `onStored` follows. Returns the number of the batch.
   */
  put(write: StoredWrite, changes: readonly StoreChange[] | null = null): number {
    const { sealed, slot } = write;
    const batch = this.collecting(sealed.bytes.length + (changes === null ? 64 : 64 + bytesOf(changes)));
    batch.entries.set(recordKey(slot, sealed.record.key), sealed.bytes);
    if (changes !== null) for (const { stored, bytes } of changes) batch.entries.set(stored, bytes);
    batch.writes.push(write);
    if (batch.entry.left === 0) this.writeCounts.set(batch.number, batch.entry);
    batch.entry.left += 1;
    if (this.inFlight === null) this.departure.ask(storeGatherMs(batch.writes.length, this.lastCount));
    return batch.number;
  }

  /** Stores or removes a record at rest: it gets no in-flight entry, and `onStored` is not called. */
  putAtRest(slot: number, key: string, bytes: Uint8Array | null): void {
    this.collecting((bytes?.length ?? 0) + 64).entries.set(recordKey(slot, key), bytes);
  }

  /** The same for an entry of any kind. */
  putEntry(stored: string, bytes: Uint8Array | null): void {
    this.collecting((bytes?.length ?? 0) + stored.length).entries.set(stored, bytes);
  }

  putMeta(name: string, bytes: Uint8Array, done: (error: StorageError | null) => void): void {
    if (this.failed) return this.clock.defer(() => done({ kind: 'io', message: 'the store has failed' }));
    if (this.closed) return this.clock.defer(() => done({ kind: 'closed', message: 'the store is closed' }));
    // This is a promise of the register, or an incarnation, and everybody's progress may wait for it. So it goes into
    // the first batch that waits, whatever else waits behind that one. Metadata that follows from records is handed
    // in only when these are on disk.
    const batch = this.waiting[0] ?? this.collecting(0);
    if (this.inFlight === null) this.departure.ask(0);
    batch.byteCount += bytes.length + 64;
    batch.entries.set(metaKey(name), bytes);
    batch.callbacks.push(() => done(null));
  }

  /** Calls back when everything handed in so far is on disk. */
  barrier(done: () => void): void {
    const last = this.waiting.at(-1) ?? this.inFlight;
    if (last === null || last === undefined) this.clock.defer(done);
    else last.callbacks.push(done);
  }

  /**
   * Called before the store is closed: it is left alone from now on, though PostgreSQL may still answer and clients may
   * still ask. Nothing that is handed in now is stored, and nothing is found any more: nobody is told that
   * it is absent, because the lease was given up and the last one forgotten.
   */
  close(): void {
    this.closed = true;
  }

  /** Takes over an in-flight entry found at start: `count` of its keys are still in flight. */
  adoptInFlight(batch: number, count: number): void {
    if (count > 0) this.writeCounts.set(batch, { left: count });
    else this.entriesToDrop.push(batch);
  }

  endInFlight(batches: readonly number[]): void {
    for (const batch of batches) {
      const count = this.writeCounts.get(batch);
      if (count !== undefined && (count.left -= 1) > 0) continue;
      this.writeCounts.delete(batch);
      this.entriesToDrop.push(batch);
    }
  }

  /** Called by the tick: removes entries that are no longer needed and that no other write has taken along. */
  tidy(): void {
    if (this.entriesToDrop.length > 0 && this.inFlight === null && this.waiting.length === 0)
      this.collecting(0);
  }

  private collecting(byteCount: number): Batch {
    let batch = this.waiting.at(-1);
    if (
      batch === undefined ||
      batch.writes.length >= STORE_BATCH_ENTRIES_MAX ||
      batch.entries.size >= STORE_BATCH_ENTRIES_MAX ||
      batch.byteCount + byteCount > STORE_BATCH_BYTES_MAX
    ) {
      batch = {
        number: this.batchNext++,
        entries: new Map(),
        byteCount: 0,
        writes: [],
        callbacks: [],
        entry: { left: 0 },
      };
      this.waiting.push(batch);
    }
    batch.byteCount += byteCount;
    if (this.inFlight === null) this.departure.ask(storeGatherMs(batch.writes.length, this.lastCount));
    return batch;
  }

  /**
   * Called when a sync ends: the batch that collected meanwhile is sent. Under heavy load it first waits a moment, to
   * become as large as the one before.
   */
  private goOn(): void {
    const [next, later] = this.waiting;
    const mayWait = next !== undefined && later === undefined && next.callbacks.length === 0;
    const isMuch = this.lastCount >= GATHER_MANY_ITEMS_MIN;
    const ms = mayWait && isMuch ? storeGatherMs(next.writes.length, this.lastCount) : 0;
    if (ms > 0) this.departure.ask(ms);
    else this.flush();
  }

  private flush(): void {
    if (this.inFlight !== null || this.failed || this.closed) return;
    const batch = this.waiting.shift();
    if (batch === undefined) return;
    const keys = [...batch.entries.keys()];
    const values = [...batch.entries.values()];
    if (batch.writes.length > 0) {
      keys.push(inFlightKey(batch.number));
      values.push(encodeInFlight(batch.writes));
    }
    for (const number of this.entriesToDrop) {
      // The last key of this entry came to rest before the batch was sent, and then another key came into the batch.
      if (this.writeCounts.has(number)) continue;
      keys.push(inFlightKey(number));
      values.push(null);
    }
    this.entriesToDrop.length = 0;
    this.inFlight = batch;
    this.lastCount = batch.writes.length;
    this.instruments.time(this.instruments.storeBatchEntries, keys.length);
    this.instruments.time(this.instruments.storeBatchBytes, batch.byteCount);
    this.pulse.write(keys, values, (error) => {
      this.inFlight = null;
      if (error !== null) {
        this.failed = true;
        this.onFailed(error);
        return;
      }
      this.goOn();
      for (const { sealed } of batch.writes) this.onStored(sealed.record.key, sealed.record.version);
      for (const callback of batch.callbacks) callback();
    });
  }
}

function bytesOf(changes: readonly StoreChange[]): number {
  let sum = 0;
  for (const { stored, bytes } of changes) sum += stored.length + (bytes?.length ?? 0);
  return sum;
}
