/**
 * A run as lines of JSON, one thing that happened each, in the order in which it happened: enough to judge it
 * again at any time, without the cluster. Whole numbers of 64 bits travel as texts.
 */
import type { HistoryCall, HistoryOperation, HistoryOutcome } from '../../sim/checkers/history.ts';
import type { Origin } from '../../src/core/record.ts';
import type { FloodFigures } from '../flood.ts';
import type { Held, Row } from '../survey.ts';

export const FORMAT = 1;

/** An operation with the time of day of the run, in milliseconds since the load began. */
export interface TimedOperation extends HistoryOperation {
  readonly beganMs: number;
  readonly endedMs: number;
  /** It failed for certain and was tried again: the client was not told. */
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
  /** Owners of each key. */
  readonly ownerCount: number;
  readonly operationsMin: number;
  /** Not in runs that were recorded earlier. */
  readonly faultsMin?: number;
  readonly failuresMax: number | null;
  /** What joined the members, in words; absent: nothing that could be tampered with. */
  readonly wires?: string;
  /** Keys that were written before the load began; absent: none. */
  readonly bulkKeys?: number;
  /** Records that a change of members may copy, of the least possible; absent: not looked at. */
  readonly movedFactorMax?: number;
  readonly mayEnd: boolean;
  readonly steady?: { readonly afterMs: number; readonly factorMax: number; readonly slackMs: number };
  /** By label; what cannot be had on this machine is not among them. */
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
  /** Keys that were written before the load began, and looked for at one node after it. */
  | { readonly is: 'bulk'; readonly node: string; readonly keys: number; readonly missing: number }
  /** More was asked for than gets done, and what came of it. */
  | ({ readonly is: 'flooded'; readonly atMs: number } & FloodFigures)
  /** Clients did not read what they asked for. */
  | ({ readonly is: 'unread'; readonly atMs: number } & UnreadFigures)
  /** A fault whose injection itself failed, in words. */
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
  /** Of each node. */
  readonly clients: number;
  /** Calls that were refused, as too much waited to be read. */
  readonly refused: number;
  /** By which the memory of a node grew meanwhile, the most of all nodes. */
  readonly grownBytes: number;
}

/** Members came or went, and everybody has its share. */
export interface Change {
  /** When it was asked for. */
  readonly fromMs: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly replicas: number;
  /** What was copied, and for how long. */
  readonly records: number;
  readonly bytes: number;
  readonly forMs: number;
}

/** Null: it did not answer. */
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

/** Throws where it is no line of a run. */
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
