/** What a caller may ask for beside the key and the value, and what it gets of many at once. */
import type { CausewayError } from './causeway-error.ts';
import type { Entry, Value } from './entry.ts';

export interface ConnectOptions {
  /** host:port of some or all nodes. */
  readonly nodes: readonly string[];
  /** Milliseconds for a call that names no other; default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds to wait for a connection before a call fails, definitely; default 2,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Puts an operation id on every write that has none (those of a pipeline aside), so that it may be repeated until its
   * outcome is known. Costs the cluster some disk and, under contention, time; default false.
   */
  readonly operationIds?: boolean;
  /**
   * Asked for each operation, when it is called, also of a pipeline: the span that it is part of; undefined: none. Left out: nodes
   * begin traces of their own.
   */
  readonly trace?: (() => TraceHeaders | undefined) | undefined;
}

/** The span that an operation is part of, as W3C Trace Context says it in the headers of these names. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

export interface CallOptions {
  readonly timeoutMs?: number | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * Where no node at hand may serve the key (a network cut, too many nodes lost), an old answer is taken, which says so:
   * it was the truth at some moment within its `staleMs`. Default false: such a read fails.
   */
  readonly allowStale?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  /**
   * 16 bytes that begin with the time, as `newOperationId` makes them. While it is not known what became of the write,
   * it is repeated with this id until the time is over; it takes effect once, and is answered alike. It may be given
   * again for the same write of the same key within 15 minutes.
   */
  readonly operationId?: Uint8Array | undefined;
}

export interface SetOptions extends DeleteOptions {
  /** Milliseconds until the key expires; 0 or nothing: never. */
  readonly ttlMs?: number | undefined;
  /** A media type, kept with the value: at most 255 bytes. */
  readonly contentType?: string | undefined;
}

/** One of many: its own outcome, whatever became of the others. */
export type Outcome<Result> =
  { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: CausewayError };

export interface SetEntry {
  readonly key: string;
  readonly value: Value;
  readonly ttlMs?: number | undefined;
  readonly contentType?: string | undefined;
  /** As of a single write. */
  readonly operationId?: Uint8Array | undefined;
}

export interface Inspected {
  readonly owner: boolean;
  readonly slot: number;
  readonly valid: boolean;
  readonly tombstone: boolean;
  readonly entry: Entry | undefined;
}

export interface ExportedPage {
  readonly entries: readonly { readonly key: string; readonly entry: Entry }[];
  /** Where to go on; '' in the last page. */
  readonly next: string;
  /** PostgreSQL has rows that the cluster has not loaded yet, and that the page may lack. */
  readonly incomplete: boolean;
}
