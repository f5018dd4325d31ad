/** A run in figures, pure: operations by kind and outcome, stalls, what happened during each fault, time series. */
import type { FaultRecord, Run } from './run-file.ts';
import { isFailure, type TimedOperation } from './run-lines.ts';

export const GROUPS = ['read', 'write', 'compare', 'increment'] as const;
export type Group = (typeof GROUPS)[number];

export interface GroupFigures {
  readonly ok: number;
  readonly definite: number;
  readonly indefinite: number;
  /** The longest time in milliseconds in which no operation of this kind succeeded anywhere. */
  readonly stallMsMax: number;
  /** Milliseconds of the slowest successful one. */
  readonly slowestMs: number;
}

export interface FaultFigures {
  readonly fault: string;
  readonly made: number;
  readonly struck: number;
  /** The longest time without a success that overlaps with one of these faults, or begins right after. */
  readonly writeStallMsMax: number;
  readonly readStallMsMax: number;
}

export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Bucket {
  readonly fromMs: number;
  readonly ok: number;
  readonly definite: number;
  readonly indefinite: number;
  /** Milliseconds of the successful ones; null if there were none. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Summary {
  readonly lastsMs: number;
  readonly succeeded: number;
  readonly acknowledged: number;
  readonly definite: number;
  readonly indefinite: number;
  /** Definite failures that were retried. */
  readonly retried: number;
  /** Operations that failed, by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<Group, GroupFigures>>;
  readonly faults: readonly FaultFigures[];
  readonly stalls: readonly Stall[];
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];
  readonly epochFirst: number | null;
  readonly epochLast: number | null;
  readonly endings: number;
  /** Milliseconds from the end of the last fault until every node was complete and wrote; null if that never happened. */
  readonly recoveredMs: number | null;
  readonly keys: number;
  readonly rows: number;
}

/** A stall that begins within this many milliseconds after a fault is attributed to it. */
const AFTER_MS = 1_500;
/** Milliseconds without an acknowledged write from which on a stall is marked in the picture. */
const STALL_MS_MIN = 400;
const BUCKETS_MAX = 240;
const BUCKET_MS_MIN = 250;

export function summaryOf(run: Run): Summary {
  const clients = run.operations.filter(({ client }) => typeof client === 'number');
  const lastsMs = clients.reduce((latest, { endedMs }) => Math.max(latest, endedMs), 0);
  const done = clients.filter(({ outcome }) => !isFailure(outcome.kind));
  const told = clients.filter(({ isRetried }) => isRetried !== true);
  const kindCount = (kind: string): number => told.filter(({ outcome }) => outcome.kind === kind).length;
  const reads = gapsOf(done.filter(isRead), lastsMs);
  const writes = gapsOf(done.filter(isAcknowledged), lastsMs);
  const bucketMs = Math.max(BUCKET_MS_MIN, Math.ceil(lastsMs / BUCKETS_MAX));
  const epochs = run.samples.flatMap(({ nodes }) =>
    nodes.flatMap(({ epoch }) => (epoch === null ? [] : [epoch])),
  );
  return {
    lastsMs,
    succeeded: done.length,
    acknowledged: done.filter(isAcknowledged).length,
    definite: kindCount('definiteFailure'),
    indefinite: kindCount('indefinite'),
    retried: clients.length - told.length,
    codes: countBy(told.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))),
    groups: Object.fromEntries(
      GROUPS.map((group) => [
        group,
        groupFigures(
          told.filter((one) => groupOf(one) === group),
          lastsMs,
        ),
      ]),
    ) as Record<Group, GroupFigures>,
    faults: run.head.asked.map((fault) => faultFigures(fault, run.faults, writes, reads)),
    stalls: writes.filter(({ fromMs, toMs }) => toMs - fromMs >= STALL_MS_MIN),
    bucketMs,
    buckets: bucketsOf(told, lastsMs, bucketMs),
    epochFirst: epochs.length === 0 ? null : Math.min(...epochs.slice(0, run.head.nodes.length)),
    epochLast: epochs.length === 0 ? null : epochs.reduce((most, epoch) => Math.max(most, epoch), 0),
    endings: run.endings.length,
    recoveredMs: run.progress?.is === 'progress' ? run.progress.afterMs : null,
    keys: new Set(run.operations.map(({ key }) => key)).size,
    rows: run.survey?.rows.size ?? 0,
  };
}

function groupOf({ call }: TimedOperation): Group {
  switch (call.kind) {
    case 'get':
      return 'read';
    case 'increment':
      return 'increment';
    case 'compareAndPut':
    case 'compareAndDelete':
      return 'compare';
    default:
      return 'write';
  }
}

function isRead(operation: TimedOperation): boolean {
  return groupOf(operation) === 'read';
}

function isAcknowledged({ outcome }: TimedOperation): boolean {
  return outcome.kind === 'done';
}

function groupFigures(operations: readonly TimedOperation[], lastsMs: number): GroupFigures {
  const done = operations.filter(({ outcome }) => !isFailure(outcome.kind));
  const indefinite = operations.filter(({ outcome }) => outcome.kind === 'indefinite').length;
  return {
    ok: done.length,
    definite: operations.length - done.length - indefinite,
    indefinite,
    // Without attempts there is no stall.
    stallMsMax: operations.length === 0 ? 0 : longest(gapsOf(done, lastsMs)),
    slowestMs: done.reduce((most, { beganMs, endedMs }) => Math.max(most, endedMs - beganMs), 0),
  };
}

function faultFigures(
  fault: string,
  all: readonly FaultRecord[],
  writes: readonly Stall[],
  reads: readonly Stall[],
): FaultFigures {
  const made = all.filter((one) => one.fault === fault);
  const during = (stalls: readonly Stall[]): number =>
    longest(
      stalls.filter((stall) =>
        made.some(({ fromMs, toMs }) => stall.toMs > fromMs && stall.fromMs < toMs + AFTER_MS),
      ),
    );
  return {
    fault,
    made: made.length,
    struck: made.filter(({ struck }) => struck).length,
    writeStallMsMax: during(writes),
    readStallMsMax: during(reads),
  };
}

/** The times between successive successes, from the beginning to the end of the load. */
function gapsOf(done: readonly TimedOperation[], lastsMs: number): Stall[] {
  const times = [0, ...done.map(({ endedMs }) => endedMs).sort((a, b) => a - b), lastsMs];
  return times.slice(1).map((toMs, at) => ({ fromMs: times[at]!, toMs }));
}

function longest(stalls: readonly Stall[]): number {
  return stalls.reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0);
}

function bucketsOf(operations: readonly TimedOperation[], lastsMs: number, bucketMs: number): Bucket[] {
  const parts: TimedOperation[][] = Array.from({ length: Math.ceil(lastsMs / bucketMs) }, () => []);
  for (const operation of operations) parts[Math.floor(operation.endedMs / bucketMs)]?.push(operation);
  return parts.map((part, at) => {
    const took = part
      .filter(({ outcome }) => !isFailure(outcome.kind))
      .map(({ beganMs, endedMs }) => endedMs - beganMs)
      .sort((a, b) => a - b);
    const indefinite = part.filter(({ outcome }) => outcome.kind === 'indefinite').length;
    const quantile = (share: number): number | null => took[Math.floor(took.length * share)] ?? null;
    return {
      fromMs: at * bucketMs,
      ok: took.length,
      definite: part.length - took.length - indefinite,
      indefinite,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    };
  });
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
