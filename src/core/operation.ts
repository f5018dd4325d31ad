/**
 * What a client may ask of one key, and how it may be answered. Doors turn their protocol into these, the
 * flows of a node turn these into rounds.
 */
import type { Failure } from './errors.ts';
import { bytesOfChanges } from './modify/change.ts';
import type { Change, ChangeResult } from './modify/change.ts';
import type { KeyRecord } from './record.ts';

/** Conditions on what stands: the version the caller has seen, or that the key is absent. */
export type Expectation =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'value'; readonly value: Uint8Array }
  | { readonly kind: 'absent' };

/** Of a value that is written. */
interface Typed {
  /** A media type; null or left out: none. */
  readonly contentType?: string | null;
}

interface WriteBase {
  readonly key: string;
  /** 16 bytes: repeated with the same id, the write takes effect once (`operation-id.ts`). */
  readonly operationId: Uint8Array | null;
}

export type WriteOperation =
  | (WriteBase &
      Typed & {
        readonly kind: 'put';
        readonly value: Uint8Array;
        /** ms, 0 = keeps for ever */
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
  /** A value fetched from legacy: stored only where nothing native stands. (PROTOCOL R25) */
  | (WriteBase & Typed & { readonly kind: 'fill'; readonly value: Uint8Array })
  /** Deletes one exact version whose time has passed. (PROTOCOL R26) */
  | (WriteBase & { readonly kind: 'expire'; readonly version: number })
  | ModifyOperation;

/** Several changes to one key, judged one after another and written as one: all of them or none. */
export interface ModifyOperation {
  readonly kind: 'modify';
  readonly key: string;
  /** Never repeated: what was begun and not seen to finish stays unknown. */
  readonly operationId: null;
  /** Of the key as a client has seen it: where it does not hold, nothing is done. */
  readonly expect: Expectation | null;
  /** No more and no larger than `changesFault` allows. */
  readonly changes: readonly Change[];
  /** Bytes of the largest value that may be made. */
  readonly valueBytesMax: number;
}

export type WriteKind = WriteOperation['kind'];

/** Of a version that was made. */
interface Made {
  /** Others' operations are in it, too, or may be; left out: this one alone has made it. */
  readonly isShared?: boolean;
}

export type WriteResult =
  | (Made & {
      readonly kind: 'done';
      readonly version: number;
      /** increment: the new number */
      readonly number: bigint | null;
    })
  /** Of a modification, one result for each change; its version is the one that now stands. */
  | (Made & {
      readonly kind: 'modified';
      readonly version: number;
      readonly results: readonly ChangeResult[];
    })
  /** The same where no change changed anything, judged on a valid record; version 0: the key is not held. */
  | {
      readonly kind: 'unchanged';
      readonly version: number;
      readonly results: readonly ChangeResult[];
    }
  /** A condition did not hold, judged on a valid record; `current` is undefined where the key is absent. */
  | { readonly kind: 'conditionFailed'; readonly current: KeyRecord | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type ReadResult =
  | { readonly kind: 'value'; readonly record: KeyRecord }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What an owner without a lease had last, for who takes an old answer; undefined: it was absent. (`stale.ts`) */
export interface StaleResult {
  readonly kind: 'stale';
  readonly record: KeyRecord | undefined;
  /** Milliseconds: it was the truth at some moment within the last so many. */
  readonly staleMs: number;
}

/** One page of all live records, in the order of slot and key. */
export type ScanResult =
  | {
      readonly kind: 'page';
      readonly records: readonly KeyRecord[];
      /** Where to go on; null: there are no more. A page may be empty although more follow. */
      readonly next: string | null;
      /** PostgreSQL has rows that the cluster has not loaded yet, and that a page may lack. (PROTOCOL R23) */
      readonly incomplete: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** How many keys there are. */
export type CountResult =
  | {
      readonly kind: 'counted';
      readonly count: number;
      /** As of a page. */
      readonly incomplete: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

export function isConditional(kind: WriteKind): boolean {
  return kind !== 'put' && kind !== 'delete';
}

/** Judged on a valid record and sent so that a higher version refuses it: also any write with an id. (R33) */
export function isRefusable(operation: WriteOperation): boolean {
  return operation.operationId !== null || isConditional(operation.kind);
}

/** Bytes of the value that the operation brings: what it costs to hold it until it is answered. */
export function valueBytesOf(operation: WriteOperation): number {
  if (operation.kind === 'modify') return bytesOfChanges(operation.changes);
  return 'value' in operation ? operation.value.length : 0;
}
