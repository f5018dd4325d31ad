/**
 * What a client may ask about one key, and the possible answers. Doors translate their protocols into these; the flows
 * of a node turn these into rounds.
 */
import type { Failure } from './errors.ts';
import { bytesOfChanges } from './modify/change.ts';
import type { Change, ChangeResult } from './modify/change.ts';
import type { KeyRecord } from './record.ts';

/** A condition on the current record: the version the caller has seen, its value, or that the key is absent. */
export type Expectation =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'value'; readonly value: Uint8Array }
  | { readonly kind: 'absent' };

/** The type of a written value. */
interface Typed {
  /** A media type; null or left out if there is none. */
  readonly contentType?: string | null;
}

interface WriteBase {
  readonly key: string;
  /** 16 bytes. A write repeated with the same id takes effect once (`operation-id.ts`). */
  readonly operationId: Uint8Array | null;
}

export type WriteOperation =
  | (WriteBase &
      Typed & {
        readonly kind: 'put';
        readonly value: Uint8Array;
        /** Milliseconds; 0 means that the value never expires. */
        readonly ttlMs: number;
      })
  | (WriteBase & { readonly kind: 'delete' })
  | (WriteBase &
      Typed & {
        readonly kind: 'compareAndPut';
        readonly expect: Expectation;
        readonly value: Uint8Array;
        readonly ttlMs: number;
      })
  | (WriteBase & { readonly kind: 'compareAndDelete'; readonly expect: Expectation })
  | (WriteBase & { readonly kind: 'increment'; readonly delta: bigint })
  /** Writes a value fetched from the legacy source, only where nothing native stands. (PROTOCOL R25) */
  | (WriteBase & Typed & { readonly kind: 'fill'; readonly value: Uint8Array })
  /** Deletes exactly one version, whose expiry time has passed. (PROTOCOL R26) */
  | (WriteBase & { readonly kind: 'expire'; readonly version: number })
  | ModifyOperation;

/** Several changes to one key, judged in order and written as one version: all or nothing. */
export interface ModifyOperation {
  readonly kind: 'modify';
  readonly key: string;
  /** A modification is never repeated: one that was begun and not seen to finish remains unknown. */
  readonly operationId: null;
  /** The key as the client has seen it; if it is different now, nothing is done. */
  readonly expect: Expectation | null;
  /** Within the limits that `changesFault` checks. */
  readonly changes: readonly Change[];
  /** Bytes of the largest value that the changes may produce. */
  readonly valueBytesMax: number;
}

export type WriteKind = WriteOperation['kind'];

/** A version that a write produced. */
interface Made {
  /** The version contains other operations, or may; if left out, this operation alone produced it. */
  readonly isShared?: boolean;
}

export type WriteResult =
  | (Made & {
      readonly kind: 'done';
      readonly version: number;
      /** The new number, for an increment. */
      readonly number: bigint | null;
    })
  /** A modification's version, which now stands, and one result per change. */
  | (Made & {
      readonly kind: 'modified';
      readonly version: number;
      readonly results: readonly ChangeResult[];
    })
  /**
   * A modification whose changes changed nothing, judged on a valid record. Version 0 means that the key is not held.
   */
  | {
      readonly kind: 'unchanged';
      readonly version: number;
      readonly results: readonly ChangeResult[];
    }
  /** A condition did not hold, judged on a valid record. `current` is undefined if the key is absent. */
  | { readonly kind: 'conditionFailed'; readonly current: KeyRecord | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type ReadResult =
  | { readonly kind: 'value'; readonly record: KeyRecord }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * What an owner without a lease had last, for a read that accepts old answers; undefined if the key was absent.
 * (`stale.ts`)
 */
export interface StaleResult {
  readonly kind: 'stale';
  readonly record: KeyRecord | undefined;
  /** Milliseconds: the answer was true at some moment within this time. */
  readonly staleMs: number;
}

/** One page of all live records, ordered by slot and key. */
export type ScanResult =
  | {
      readonly kind: 'page';
      readonly records: readonly KeyRecord[];
      /** Where to continue; null if there are no more. A page may be empty although more follow. */
      readonly next: string | null;
      /** PostgreSQL has rows that the cluster has not loaded yet, so a page may lack them. (PROTOCOL R23) */
      readonly incomplete: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** The number of keys. */
export type CountResult =
  | {
      readonly kind: 'counted';
      readonly count: number;
      /** As in `ScanResult`. */
      readonly incomplete: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

export function isConditional(kind: WriteKind): boolean {
  return kind !== 'put' && kind !== 'delete';
}

/**
 * True for writes that are judged on a valid record, and sent so that a higher version refuses them; includes any write
 * with an id. (R33)
 */
export function isRefusable(operation: WriteOperation): boolean {
  return operation.operationId !== null || isConditional(operation.kind);
}

/** Bytes of the operation's value: the memory it takes until it is answered. */
export function valueBytesOf(operation: WriteOperation): number {
  if (operation.kind === 'modify') return bytesOfChanges(operation.changes);
  return 'value' in operation ? operation.value.length : 0;
}
