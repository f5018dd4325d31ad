/**
 * The node's own disk: an ordered map from text keys to bytes. Completion is reported by callback and never within the
 * call itself, so that a simulation stays synchronous and deterministic.
 *
 * Promises: `write` is atomic and on disk (synced) when `done(null)` is called. After a crash each batch is present as
 * a whole or not at all, and never without the batches written before it. Does not promise that bytes come back
 * undamaged (records carry their own checksum); that a write whose `done` was not called is absent; nor any isolation
 * between `scan` and concurrent writes, except that a batch written before the scan began is seen as a whole. At most
 * one `write` may be in flight. After a failed write every later one fails too, until the store is opened again: nobody
 * knows what the next sync would cover.
 */
export interface Storage {
  /** Reads what the last *completed* write left under the key. Synchronous: the hot path of a read. */
  get(key: string): Uint8Array | undefined;
  /** `values[i] === null` removes `keys[i]`. The arrays must not be touched until `done`. */
  write(
    keys: readonly string[],
    values: readonly (Uint8Array | null)[],
    done: (error: StorageError | null) => void,
  ): void;
  /**
   * Entries with `from <= key < to` in the order of their UTF-8 bytes: at most `entryCountMax`, and about
   * `byteCountMax` bytes (but at least one entry if there is one).
   */
  scan(
    from: string,
    to: string,
    entryCountMax: number,
    byteCountMax: number,
    done: (error: StorageError | null, entries: readonly StorageEntry[]) => void,
  ): void;
  /** Must be the last call, except for a `scan`, which is told `closed`: it may be one of a series that goes on. */
  close(done: () => void): void;
}

export interface StorageEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface StorageError {
  /** damaged: the stored bytes cannot be what was written. */
  readonly kind: 'full' | 'io' | 'closed' | 'damaged';
  readonly message: string;
}
