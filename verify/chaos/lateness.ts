/**
 * How late clients were served during one long fault, compared with the time without any: the cost of a member that is
 * only slow, once the others go on without it. Pure.
 */
import type { FaultRecord, Run } from './run-file.ts';
import { isFailure, type TimedOperation } from './run-lines.ts';

/** With fewer operations than this, a 99th percentile means nothing. */
const OPERATIONS_MIN = 200;
/** Milliseconds at the beginning of the load that count for neither. */
const WARM_UP_MS = 2_000;

export interface Lateness {
  /** Milliseconds, the 99th percentile without a fault; null if there were too few operations. */
  readonly normalMs: number | null;
  /** For each fault that was in force for longer than `afterMs`: the operations that began later than that. */
  readonly during: readonly { readonly fault: string; readonly p99Ms: number | null }[];
}

export function latenessOf(run: Run, afterMs: number): Lateness {
  const told = run.operations.filter(
    ({ client, isRetried }) => typeof client === 'number' && isRetried !== true,
  );
  const isCalm = ({ beganMs, endedMs }: TimedOperation): boolean =>
    beganMs >= WARM_UP_MS &&
    run.faults.every(({ fromMs, toMs }) => endedMs < fromMs || beganMs > toMs + afterMs);
  const isUnder =
    ({ fromMs, toMs }: FaultRecord) =>
    ({ beganMs }: TimedOperation): boolean =>
      beganMs >= fromMs + afterMs && beganMs < toMs;
  const lasting = run.faults.filter(({ struck, fromMs, toMs }) => struck && toMs - fromMs > afterMs);
  return {
    normalMs: p99Of(told.filter(isCalm)),
    during: lasting.map((fault) => ({ fault: fault.fault, p99Ms: p99Of(told.filter(isUnder(fault))) })),
  };
}

/** A failed operation counts as infinitely late: a quick refusal is not a quick answer. */
function p99Of(operations: readonly TimedOperation[]): number | null {
  const took = operations
    .map(({ beganMs, endedMs, outcome }) => (isFailure(outcome.kind) ? Infinity : endedMs - beganMs))
    .sort((a, b) => a - b);
  return took.length < OPERATIONS_MIN ? null : took[Math.floor(took.length * 0.99)]!;
}
