/** Options of the client API beside key and value, and the results of calls with many keys. */
import type { CausewayError } from './causeway-error.ts';
import type { Entry, Value } from './entry.ts';

export interface ConnectOptions {
  /** Addresses (host:port) of some or all nodes. */
  readonly nodes: readonly string[];
  /** Timeout in milliseconds of a call that sets none itself; default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds to wait for a connection before a call fails with a definite error; default 2,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Puts an operation id on every write that has none (except in a pipeline), so that it can be repeated until its
   * outcome is known. Costs the cluster some disk space and, under contention, time; default false.
   */
  readonly operationIds?: boolean;
  /**
   * Called at the start of every operation, including those of a pipeline, for the span that the operation belongs to;
   * undefined means none. If this option is left out, the nodes start traces of their own.
   */
  readonly trace?: (() => TraceHeaders | undefined) | undefined;
}

/** The span that an operation belongs to, as the headers of W3C Trace Context. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

export interface CallOptions {
  /** Milliseconds until the call fails. Default: the `timeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
  /**
   * Aborting it fails the call with the code `aborted`. A write that was already sent is then `indefinite`: aborting
   * does not undo it.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * Accept an old answer if no reachable node may serve the key (a network partition, too many nodes lost). The answer
   * is then marked `stale`: it was current at some moment within the last `staleMs`. Default false: such a read fails.
   */
  readonly allowStale?: boolean | undefined;
}

/** For every write; `set` and `compareAndSet` have more. */
export interface WriteOptions extends CallOptions {
  /**
   * 16 bytes that begin with the time, as `newOperationId` makes them. The client repeats the write with this id, until
   * the timeout, as long as its outcome is unknown; the write takes effect once, and every repetition gets the same
   * answer. The id may be used again for the same write of the same key within 15 minutes.
   */
  readonly operationId?: Uint8Array | undefined;
}

export interface SetOptions extends WriteOptions {
  /** Milliseconds until the key expires; 0 or undefined means never. */
  readonly ttlMs?: number | undefined;
  /** A media type to store with the value; at most 255 bytes. */
  readonly contentType?: string | undefined;
}

/** The outcome of one item of many, independent of the others. */
export type Outcome<Result> =
  { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: CausewayError };

export interface SetEntry {
  readonly key: string;
  readonly value: Value;
  readonly ttlMs?: number | undefined;
  readonly contentType?: string | undefined;
  /** As in `SetOptions`. */
  readonly operationId?: Uint8Array | undefined;
}

/** What one node itself holds of a key. */
export interface Inspected {
  /** Whether the node owns the key's slot. */
  readonly owner: boolean;
  /** 0 to 16,383. */
  readonly slot: number;
  /** Whether it could be read there: false while a write of the key is under way. */
  readonly valid: boolean;
  /** The node holds a deletion; `entry` then has its version and times. */
  readonly tombstone: boolean;
  /** Undefined if the node holds nothing. */
  readonly entry: Entry | undefined;
}

export interface ScanOptions extends CallOptions {
  /** Yields only records whose key begins with it. Default: all records. */
  readonly prefix?: string | undefined;
}

export interface ScannedEntry {
  readonly key: string;
  readonly entry: Entry;
}

export interface ExportedPage {
  readonly entries: readonly ScannedEntry[];
  /** Where the export goes on after this page; '' on the last page. */
  readonly next: string;
  /** PostgreSQL has rows that the cluster has not loaded yet; the page may lack them. */
  readonly incomplete: boolean;
}
