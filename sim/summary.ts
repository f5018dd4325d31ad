/**
 * The result of many seeds: how much was run and how fast, what was injected and what occurred, what failed, and what
 * is missing. A run in which something hardly happened has shown little, however green it is.
 */
import { FAULT_KINDS } from './fault-plan.ts';
import type { FaultKind } from './fault-plan.ts';
import type { RunResult } from './run.ts';

/** How often each event must occur in 2,000 seeds; fewer seeds must have their share. */
const MINIMUMS: Readonly<Record<string, number>> = {
  processKilled: 2_000,
  epoch: 2_000,
  indefinite: 1_000,
  replay: 500,
  commitUnknown: 1_000,
  timeToLive: 10_000,
  staleAnswer: 10,
  diskLow: 100,
  recordDamaged: 3,
  writeDamaged: 30,
  slowRemoved: 60,
  forgotten: 1_000,
  answeredWithoutRecord: 500,
  mixedLink: 2_000,
  versionRaised: 20,
  ownersGivenUp: 8,
  lifeBegun: 15,
  lostWhileLacking: 10,
};
const MINIMUMS_SEEDS = 2_000;
/**
 * From this many seeds on, each event must have its share, and every kind of fault must occur; with fewer seeds that is
 * left to chance.
 */
const COUNTED_SEEDS_MIN = 300;
/**
 * The share of histories on which the checker may give up; beyond it the verdict of the whole run is worth too little.
 */
const UNDECIDED_SHARE_MAX = 0.001;

/** A result as it arrives from another process. */
export type ToldResult = Omit<RunResult, 'occurred'> & {
  readonly occurred: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
};

export interface Summary {
  seeds: number;
  operations: number;
  succeeded: number;
  virtualMs: number;
  cpuSeconds: number;
  readonly occurred: Record<string, number>;
  readonly failures: ToldResult[];
}

export function emptySummary(): Summary {
  return { seeds: 0, operations: 0, succeeded: 0, virtualMs: 0, cpuSeconds: 0, occurred: {}, failures: [] };
}

export function addResult(summary: Summary, result: ToldResult): void {
  summary.seeds += 1;
  summary.operations += result.operations;
  summary.succeeded += result.succeeded;
  summary.virtualMs += result.virtualMs;
  summary.cpuSeconds += result.cpuSeconds;
  for (const [kind, count] of Object.entries(result.occurred))
    summary.occurred[kind] = (summary.occurred[kind] ?? 0) + count;
  if (result.violation !== null) summary.failures.push(result);
}

export interface Expected {
  readonly seedCount: number;
  /** The fault kinds of a profile; null for a run without a profile, in which all kinds and the minimums count. */
  readonly kinds: readonly FaultKind[] | null;
}

export function whatIsMissing(summary: Summary, { seedCount, kinds }: Expected): string[] {
  const lines: string[] = [];
  if (kinds === null && seedCount >= COUNTED_SEEDS_MIN) {
    for (const [kind, minimum] of Object.entries(MINIMUMS)) {
      const count = summary.occurred[kind] ?? 0;
      if (count < Math.floor((minimum * seedCount) / MINIMUMS_SEEDS))
        lines.push(`too few of ${kind}: ${count}, must be ${minimum} in ${MINIMUMS_SEEDS} seeds`);
    }
  }
  if (seedCount >= COUNTED_SEEDS_MIN) {
    for (const kind of kinds ?? FAULT_KINDS)
      if ((summary.occurred[kind] ?? 0) === 0) lines.push(`${kind} never struck`);
  }
  const undecided = summary.occurred['undecided'] ?? 0;
  if (undecided > 1 + UNDECIDED_SHARE_MAX * seedCount) lines.push(`${undecided} histories were not decided`);
  return lines;
}

/** Simulated seconds per second of one core. */
export function rateOf({ virtualMs, cpuSeconds }: Summary): number {
  return cpuSeconds === 0 ? 0 : virtualMs / 1_000 / cpuSeconds;
}

export function summaryText(summary: Summary, wallSeconds: number): string {
  const virtualSeconds = summary.virtualMs / 1_000;
  const perSecond = virtualSeconds === 0 ? 0 : summary.operations / virtualSeconds;
  const { injected, others } = tableOf(summary.occurred);
  return (
    `${summary.seeds} seeds, ${summary.operations} operations (${summary.succeeded} succeeded)\n` +
    `${Math.round(virtualSeconds)} simulated seconds in ${wallSeconds.toFixed(1)} s\n` +
    `${Math.round(rateOf(summary))} simulated seconds per second of one core, ` +
    `at ${Math.round(perSecond)} operations per simulated second\n` +
    `faults injected:\n${injected}what occurred:\n${others}`
  );
}

/** The report of one seed, for people. */
export function seedText(result: ToldResult): string {
  const { seed, violation, operations, succeeded, loadMs, virtualMs, eventCount, traceHash } = result;
  const { injected, others } = tableOf(result.occurred);
  return (
    `${operations} operations (${succeeded} succeeded) of ${result.clientCount} clients\n` +
    `${(virtualMs / 1_000).toFixed(1)} simulated seconds, ${(loadMs / 1_000).toFixed(1)} of them under load, ` +
    `in ${result.cpuSeconds.toFixed(1)} s\n` +
    `${eventCount} events, trace ${traceHash.toString(16).padStart(8, '0')}\n` +
    `faults injected:\n${injected}what occurred:\n${others}` +
    `seed ${seed}: ${violation ?? 'ok'}\n`
  );
}

function tableOf(occurred: Readonly<Record<string, number>>): { injected: string; others: string } {
  let injected = '';
  let others = '';
  for (const [kind, count] of Object.entries(occurred).sort(([a], [b]) => a.localeCompare(b))) {
    if (count === 0) continue;
    const line = `  ${kind.padEnd(16)} ${String(count).padStart(8)}\n`;
    if ((FAULT_KINDS as readonly string[]).includes(kind)) injected += line;
    else others += line;
  }
  return { injected, others };
}
