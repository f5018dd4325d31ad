/**
 * The possible sums of increments that may have happened: exact while there are few (meet in the middle), only a range
 * when there are many. Only excludes what is impossible.
 */
import type { HistoryCall } from './history.ts';
import type { IndefiniteGroup } from './indefinite.ts';
import { deltaOf } from './modifications.ts';

/** Up to this many increments are enumerated; each half then has 2 to the power of half of this sums. */
const EXACT_COUNT_MAX = 28;

export class IncrementSums {
  /** How many increments had been invoked by the moment for which this was made. */
  readonly count: number;
  private readonly lowest: bigint;
  private readonly highest: bigint;
  private readonly left: readonly number[] | null = null;
  private readonly right: ReadonlySet<number> | null = null;

  constructor(groups: readonly (IndefiniteGroup | null)[], now: number) {
    const deltas = deltasOf(groups, now);
    this.count = deltas.length;
    let lowest = 0n;
    let highest = 0n;
    for (const delta of deltas) {
      if (delta < 0n) lowest += delta;
      else highest += delta;
    }
    this.lowest = lowest;
    this.highest = highest;
    const isSafe = highest - lowest <= BigInt(Number.MAX_SAFE_INTEGER);
    if (deltas.length > EXACT_COUNT_MAX || !isSafe) return;
    const numbers = deltas.map(Number);
    const half = numbers.length >> 1;
    this.left = sumsOf(numbers.slice(0, half));
    this.right = new Set(sumsOf(numbers.slice(half)));
  }

  /** Whether some subset of them, possibly empty, may have added up to this. */
  reach(sum: bigint): boolean {
    if (sum === 0n) return true;
    if (sum < this.lowest || sum > this.highest) return false;
    if (this.left === null || this.right === null) return true;
    const wanted = Number(sum);
    for (const part of this.left) if (this.right.has(wanted - part)) return true;
    return false;
  }
}

/** How many indefinite increments had been invoked by `now`. */
export function countIncrements(groups: readonly (IndefiniteGroup | null)[], now: number): number {
  return deltasOf(groups, now).length;
}

function deltasOf(groups: readonly (IndefiniteGroup | null)[], now: number): bigint[] {
  const deltas: bigint[] = [];
  for (const group of groups) {
    const delta = group === null ? null : addedBy(group.operation.call);
    if (group === null || delta === null) continue;
    for (const invokedAt of group.invokedAt) if (invokedAt <= now) deltas.push(delta);
  }
  return deltas;
}

function addedBy(call: HistoryCall): bigint | null {
  if (call.kind === 'modify') return deltaOf(call.changes);
  return call.kind === 'increment' ? call.delta : null;
}

function sumsOf(numbers: readonly number[]): number[] {
  let sums = [0];
  for (const number of numbers) sums = [...new Set([...sums, ...sums.map((sum) => sum + number)])];
  return sums;
}
