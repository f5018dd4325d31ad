/**
 * What a node offers to its doors. Doors decode, call this, encode; they know nothing of rounds or leases.
 * Every callback is called exactly once, and never from within the call.
 */
import type { KeyWatching } from '../core/clients/key-watch.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import type { KeyRecord } from '../core/record.ts';
import type { ClusterAnswer, ClusterOrder } from './cluster-orders.ts';
import type { NodeStatus } from './status.ts';

/** The answer of `tryGet` if the caller must wait: call `get`. */
export const WAIT = Symbol('wait');

export interface NodeApi {
  /**
   * The hit path of a read, synchronous: the record, undefined for a final absence, or WAIT where the key is
   * in flight, not held, not ours, or no lease is held; then call `get`. The key must be valid.
   */
  tryGet(key: string): KeyRecord | undefined | typeof WAIT;
  /** `done` is called within `timeoutMs`. */
  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void;
  /** The same for a caller that accepts an old answer if no reachable owner holds a lease. */
  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void;
  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void;
  /**
   * The next page, of at most `limit`, of all live records in the cluster, after a position given by an earlier page
   * (null: the beginning). Concurrent writes may or may not be included.
   */
  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void;
  /** True if a write would be refused because of the load. Callers that can wait with a write should. */
  isFull(): boolean;
  /** What this node's own store holds, valid or not; neither forwards nor repairs. For verification. */
  inspect(key: string): Inspection;
  status(): NodeStatus;
  /** For clients that keep copies of what they read. */
  readonly keyWatch: KeyWatching;
  /** Commands that concern the whole cluster; answered within `timeoutMs`. */
  operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void;
}

export interface Inspection {
  /** True if this node is a complete, live owner of the key's slot. */
  readonly owner: boolean;
  readonly record: KeyRecord | undefined;
  readonly valid: boolean;
  readonly slot: number;
}
