/**
 * What clients did to a key and what they were told, as data: the input of the linearizability checker. Only
 * what a client could see stands here. An operation of which nobody knows whether it happened is
 * `indefinite`; one that certainly did not happen is a `definiteFailure`, and to see its effect is a
 * violation.
 */
import { describeChanges, describeTold } from './modifications.ts';
import type { HistoryChange, HistoryTold } from './modifications.ts';

export interface HistoryOperation {
  readonly key: string;
  readonly client: string | number;
  readonly call: HistoryCall;
  readonly outcome: HistoryOutcome;
  /**
   * Any clock that all clients share and that never goes back; a counter of events is best. Two operations
   * overlap where neither returned before the other was invoked; equal times count as overlap.
   */
  readonly invokedAt: number;
  /**
   * What the wall clocks of the nodes showed while it lasted, at least and at most; the most counts from the history's
   * beginning, for what one clock called expired may be gone for good. Left out: nobody knows.
   */
  readonly wall?: WallRange;
  /** Not looked at where the outcome is indefinite: such a call may take effect at any later time. */
  readonly returnedAt: number;
}

/** Milliseconds since 1970. */
export interface WallRange {
  readonly lowest: number;
  readonly highest: number;
}

/** The moment at which a value's time is over lies between these two. */
export interface Expiry {
  readonly from: number;
  readonly by: number;
}

/** Values as texts; null is absence. */
export type HistoryCall =
  | { readonly kind: 'get' }
  | { readonly kind: 'put'; readonly value: string; readonly expiry?: Expiry }
  | { readonly kind: 'delete' }
  | {
      readonly kind: 'compareAndPut';
      readonly expect: HistoryExpectation;
      readonly value: string;
      readonly expiry?: Expiry;
    }
  | { readonly kind: 'compareAndDelete'; readonly expect: HistoryExpectation }
  /** A key that is absent counts as 0. */
  | { readonly kind: 'increment'; readonly delta: bigint }
  | { readonly kind: 'modify'; readonly changes: readonly HistoryChange[] }
  /**
   * A value taken over from the legacy source, which may only stand where nothing ever stood: neither a value
   * nor a deletion. Give one per key and legacy value, indefinite, invoked when the history begins.
   */
  | { readonly kind: 'fill'; readonly value: string }
  /**
   * Whoever had more of the key is gone for good: one of what is left stands from then on, whatever was acknowledged. Give one per
   * loss, done, from the loss until the key is served again. Nobody calls it.
   */
  | { readonly kind: 'loss'; readonly left: readonly HistoryLeft[] };

export interface HistoryLeft {
  readonly value: string | null;
  /** 0: nothing has a version. */
  readonly version: number;
  readonly expiry: Expiry | null;
  /** Not even a deletion is left. */
  readonly untouched: boolean;
}

export type HistoryExpectation =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'version'; readonly version: number };

export type HistoryOutcome =
  /** Of a get. `version` and `expiresAt` (0: never) where the client was told. */
  | {
      readonly kind: 'value';
      readonly value: string | null;
      readonly version?: number;
      readonly expiresAt?: number;
    }
  /** Of a write; `number` of an increment. `version` where the client was told. */
  | { readonly kind: 'done'; readonly version?: number; readonly number?: bigint }
  /** Of a modification, one for each change; `version` is that of what stands now, told only where something does. */
  | {
      readonly kind: 'modified' | 'unchanged';
      readonly told: readonly HistoryTold[];
      readonly version?: number;
    }
  /** `current` is left out where the client was not told what stood; `version` is that of `current`. */
  | { readonly kind: 'conditionFailed'; readonly current?: string | null; readonly version?: number }
  /** Of an increment: the value is no integer, or would leave 64 bits. */
  | { readonly kind: 'notAnInteger' }
  | { readonly kind: 'indefinite' }
  | { readonly kind: 'definiteFailure' };

export function describeOperation(operation: HistoryOperation): string {
  const from = formatTime(operation.invokedAt);
  const to = operation.outcome.kind === 'indefinite' ? '...' : formatTime(operation.returnedAt);
  const wall =
    operation.wall === undefined ? '' : ` at ${operation.wall.lowest} to ${operation.wall.highest}`;
  return `[${from} - ${to}]${wall} client ${operation.client}: ${describeCall(operation.call)} -> ${describeOutcome(operation.outcome)}`;
}

function describeCall(call: HistoryCall): string {
  switch (call.kind) {
    case 'get':
    case 'delete':
      return call.kind;
    case 'fill':
      return `fill ${describeValue(call.value)}`;
    case 'put':
      return `put ${describeValue(call.value)}${describeExpiry(call.expiry)}`;
    case 'loss':
      return `lost, and left is ${call.left.map(describeLeft).join(' or ')}`;
    case 'compareAndPut':
      return `put ${describeValue(call.value)}${describeExpiry(call.expiry)} if ${describeExpectation(call.expect)}`;
    case 'compareAndDelete':
      return `delete if ${describeExpectation(call.expect)}`;
    case 'increment':
      return `increment by ${call.delta}`;
    case 'modify':
      return `modify: ${describeChanges(call.changes)}`;
  }
}

function describeLeft({ value, version }: HistoryLeft): string {
  return `${describeValue(value)} (version ${version})`;
}

function describeExpiry(expiry: Expiry | undefined): string {
  if (expiry === undefined) return '';
  return expiry.from === expiry.by ? ` until ${expiry.from}` : ` until ${expiry.from} or up to ${expiry.by}`;
}

function describeExpectation(expect: HistoryExpectation): string {
  if (expect.kind === 'absent') return 'absent';
  return expect.kind === 'version' ? `version ${expect.version}` : describeValue(expect.value);
}

function describeOutcome(outcome: HistoryOutcome): string {
  switch (outcome.kind) {
    case 'value':
      return (
        describeValue(outcome.value) +
        describeVersion(outcome.version) +
        (outcome.expiresAt === undefined || outcome.expiresAt === 0 ? '' : ` until ${outcome.expiresAt}`)
      );
    case 'done':
      return `done${outcome.number === undefined ? '' : `, now ${outcome.number}`}${describeVersion(outcome.version)}`;
    case 'conditionFailed':
      return `condition failed${outcome.current === undefined ? '' : `, found ${describeValue(outcome.current)}`}${describeVersion(outcome.version)}`;
    case 'modified':
    case 'unchanged':
      return `${outcome.kind}: ${describeTold(outcome.told)}${describeVersion(outcome.version)}`;
    case 'notAnInteger':
      return 'not an integer';
    case 'indefinite':
      return 'nobody knows';
    case 'definiteFailure':
      return 'failed for certain';
  }
}

function describeVersion(version: number | undefined): string {
  return version === undefined ? '' : ` (version ${version})`;
}

export function describeValue(value: string | null): string {
  if (value === null) return 'absent';
  return value.length > 40 ? `'${value.slice(0, 37)}...'` : `'${value}'`;
}

function formatTime(time: number): string {
  return Number.isInteger(time) ? String(time) : time.toFixed(3);
}
