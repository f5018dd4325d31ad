/**
 * What clients did to a key and what they were told, as data: the input of the linearizability checker. It contains
 * only what a client could see. An operation with an unknown outcome is `indefinite`; one that certainly did not happen
 * is a `definiteFailure`, and seeing its effect is a violation.
 */
import { describeChanges, describeTold } from './modifications.ts';
import type { HistoryChange, HistoryTold } from './modifications.ts';

export interface HistoryOperation {
  readonly key: string;
  readonly client: string | number;
  readonly call: HistoryCall;
  readonly outcome: HistoryOutcome;
  /**
   * On any clock that all clients share and that never goes back; a counter of events is best. Two operations overlap
   * unless one returned before the other was invoked; equal times count as overlap.
   */
  readonly invokedAt: number;
  /**
   * The lowest and the highest that the nodes' wall clocks showed during the operation. The highest counts from the
   * beginning of the history, because what one clock considered expired may be gone for good. Omitted if unknown.
   */
  readonly wall?: WallRange;
  /** Ignored if the outcome is indefinite: such a call may take effect at any later time. */
  readonly returnedAt: number;
}

/** Milliseconds since 1970. */
export interface WallRange {
  readonly lowest: number;
  readonly highest: number;
}

/** The value expires at some moment between these two. */
export interface Expiry {
  readonly from: number;
  readonly by: number;
}

/** Values as strings; null is absence. */
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
  /** An absent key counts as 0. */
  | { readonly kind: 'increment'; readonly delta: bigint }
  | { readonly kind: 'modify'; readonly changes: readonly HistoryChange[] }
  /**
   * A value taken over from the legacy source, allowed only if the key never had anything: neither a value nor a
   * deletion. Add one per key and legacy value, indefinite, invoked at the beginning of the history.
   */
  | { readonly kind: 'fill'; readonly value: string }
  /**
   * All members that had more of the key are gone for good: from then on the key holds one of what is left, whatever
   * was acknowledged. Add one per loss, done, lasting from the loss until the key is served again. No client calls it.
   */
  | { readonly kind: 'loss'; readonly left: readonly HistoryLeft[] };

export interface HistoryLeft {
  readonly value: string | null;
  /** 0 if nothing has a version. */
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
  /** For a get. `version` and `expiresAt` (0: never) if the client was told. */
  | {
      readonly kind: 'value';
      readonly value: string | null;
      readonly version?: number;
      readonly expiresAt?: number;
    }
  /** For a write; `number` for an increment. `version` if the client was told. */
  | { readonly kind: 'done'; readonly version?: number; readonly number?: bigint }
  /**
   * For a modification, with one entry per change. `version` is that of what stands now, and is told only if something
   * does.
   */
  | {
      readonly kind: 'modified' | 'unchanged';
      readonly told: readonly HistoryTold[];
      readonly version?: number;
    }
  /** `current` is omitted if the client was not told the present value; `version` belongs to `current`. */
  | { readonly kind: 'conditionFailed'; readonly current?: string | null; readonly version?: number }
  /** For an increment: the value is not an integer, or the sum would exceed 64 bits. */
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
