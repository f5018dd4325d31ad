/**
 * A run as lines of JSON, one event each, in order: enough to judge it again at any time, without the cluster. 64-bit
 * integers are encoded as strings.
 */
import type { HistoryCall, HistoryOperation, HistoryOutcome } from '../../sim/checkers/history.ts';
import type { Origin } from '../../src/core/record.ts';
import type { FloodFigures } from '../flood.ts';
import type { Held, Row } from '../survey.ts';

export const FORMAT = 1;

/** An operation with its times in milliseconds since the load began. */
export interface TimedOperation extends HistoryOperation {
  readonly beganMs: number;
  readonly endedMs: number;
  /** It failed definitely and was retried: the client was not told. */
  readonly isRetried?: boolean;
  /** The code of its failure. */
  readonly failure?: string;
}

export interface RunHead {
  readonly format: typeof FORMAT;
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly nodes: readonly string[];
  /** Number of owners of each key. */
  readonly ownerCount: number;
  readonly operationsMin: number;
  /** Missing in runs that were recorded earlier. */
  readonly faultsMin?: number;
  readonly failuresMax: number | null;
  /** What connected the members, in words; missing: nothing that could be manipulated. */
  readonly wires?: string;
  /** Number of keys written before the load began; missing: none. */
  readonly bulkKeys?: number;
  /** Limit on the records that a change of members may copy, as a multiple of the minimum; missing: not checked. */
  readonly movedFactorMax?: number;
  readonly mayEnd: boolean;
  readonly steady?: { readonly afterMs: number; readonly factorMax: number; readonly slackMs: number };
  /** By label, without those that are not possible on this machine. */
  readonly asked: readonly string[];
  readonly leftOut: readonly { readonly fault: string; readonly why: string }[];
}

export type RunLine =
  | ({ readonly is: 'run' } & RunHead)
  | ({ readonly is: 'operation' } & TimedOperation)
  | {
      readonly is: 'fault';
      readonly id: number;
      readonly fault: string;
      readonly atMs: number;
      readonly nodes: readonly string[];
      readonly told: string;
    }
  | { readonly is: 'fault-end'; readonly id: number; readonly atMs: number; readonly struck: boolean }
  | ({ readonly is: 'moved'; readonly atMs: number } & Change)
  /** Keys that were written before the load began, and were looked up at one node after it. */
  | { readonly is: 'bulk'; readonly node: string; readonly keys: number; readonly missing: number }
  /** A flood, and its result. */
  | ({ readonly is: 'flooded'; readonly atMs: number } & FloodFigures)
  /** Clients that did not read what they had requested. */
  | ({ readonly is: 'unread'; readonly atMs: number } & UnreadFigures)
  /** A fault whose injection itself failed, with the reason. */
  | { readonly is: 'fault-failed'; readonly fault: string; readonly atMs: number; readonly why: string }
  | { readonly is: 'sample'; readonly atMs: number; readonly nodes: readonly NodeSample[] }
  | { readonly is: 'ending'; readonly atMs: number; readonly name: string; readonly how: number | string }
  /** After the last fault every node was complete again and acknowledged a write. */
  | { readonly is: 'progress'; readonly atMs: number; readonly afterMs: number }
  | { readonly is: 'no-progress'; readonly atMs: number; readonly why: string }
  | {
      readonly is: 'held';
      readonly node: string;
      readonly key: string;
      readonly owner: boolean;
      readonly valid: boolean;
      readonly record: StoredRecord | null;
    }
  | {
      readonly is: 'row';
      readonly key: string;
      readonly version: number;
      readonly checksum: number;
      /** Hexadecimal. */
      readonly operationId: string | null;
    }
  /** The last line: without it the run was cut off. */
  | { readonly is: 'end'; readonly atMs: number; readonly stopped: boolean };

export interface UnreadFigures {
  /** Per node. */
  readonly clients: number;
  /** Calls that were refused because too much was waiting to be read. */
  readonly refused: number;
  /** The largest growth of a node's memory meanwhile. */
  readonly grownBytes: number;
}

/** Members came or went, and every member has its share. */
export interface Change {
  /** When it was requested. */
  readonly fromMs: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly replicas: number;
  /** How much was copied, and for how long. */
  readonly records: number;
  readonly bytes: number;
  readonly forMs: number;
}

/** Null if it did not answer. */
export interface NodeSample {
  readonly name: string;
  readonly epoch: number | null;
  readonly phase: string | null;
  readonly leaseHeld: boolean;
}

interface StoredRecord {
  readonly version: number;
  readonly origin: number;
  readonly tombstone: boolean;
  /** Base64. */
  readonly value: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
  readonly contentType: string | null;
}

export function encodeLine(line: RunLine): string {
  return JSON.stringify(line, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** Throws if it is not a line of a run. */
export function decodeLine(text: string): RunLine {
  const line = JSON.parse(text) as RunLine;
  const format: number = line.is === 'run' ? line.format : FORMAT;
  if (format !== FORMAT) {
    throw new Error(`this run is written in format ${format}, and ${FORMAT} is understood`);
  }
  if (line.is !== 'operation') return line;
  return { ...line, call: callOf(line.call), outcome: outcomeOf(line.outcome) };
}

function callOf(call: HistoryCall): HistoryCall {
  return call.kind === 'increment' ? { ...call, delta: BigInt(call.delta) } : call;
}

function outcomeOf(outcome: HistoryOutcome): HistoryOutcome {
  if (outcome.kind !== 'done' || outcome.number === undefined) return outcome;
  return { ...outcome, number: BigInt(outcome.number) };
}

export function heldLine(node: string, key: string, { owner, valid, record }: Held): RunLine {
  if (record === undefined) return { is: 'held', node, key, owner, valid, record: null };
  const { version, origin, tombstone, createdAt, updatedAt, expiresAt, contentType } = record;
  const value = Buffer.from(record.value).toString('base64');
  const stored = { version, origin, tombstone, value, createdAt, updatedAt, expiresAt, contentType };
  return { is: 'held', node, key, owner, valid, record: stored };
}

export function heldOf({ key, owner, valid, record }: Extract<RunLine, { is: 'held' }>): Held {
  if (record === null) return { owner, valid, record: undefined };
  const value = Buffer.from(record.value, 'base64');
  return {
    owner,
    valid,
    record: { ...record, key, value, operationId: null, origin: record.origin as Origin },
  };
}

export function rowLine(key: string, { version, checksum, operationId }: Row): RunLine {
  const id = operationId === null ? null : Buffer.from(operationId).toString('hex');
  return { is: 'row', key, version, checksum, operationId: id };
}

export function rowOf({ version, checksum, operationId }: Extract<RunLine, { is: 'row' }>): Row {
  return { version, checksum, operationId: operationId === null ? null : Buffer.from(operationId, 'hex') };
}

export function isFailure(kind: string): boolean {
  return kind === 'indefinite' || kind === 'definiteFailure';
}
