/**
 * The cost of changes of members, pure: how much was copied relative to the minimum, how fast, and how long clients
 * waited before, during and after each.
 */
import { leastCopies } from '../moves.ts';
import type { Run } from './run-file.ts';
import { isFailure } from './run-lines.ts';

/** Milliseconds on either side of a change that are compared with it. */
const BESIDE_MS = 5_000;

export interface MoveSeen {
  /** For example `3 to 4 nodes`. */
  readonly named: string;
  readonly tookMs: number;
  readonly records: number;
  /** As a multiple of the least that any change to equal shares would have had to copy. */
  readonly factor: number;
  readonly perSecond: { readonly records: number; readonly bytes: number };
  readonly before: Calm;
  readonly during: Uneasy;
  readonly after: Calm;
}

/** Milliseconds of clients' successful operations; null if there were none. */
export interface Calm {
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Uneasy extends Calm {
  /** The longest time in milliseconds without an acknowledged write. */
  readonly stallMs: number;
}

export function movesSeen(run: Run): MoveSeen[] {
  const ends = run.moves.map(({ atMs }) => atMs);
  const begins = run.moves.map(({ fromMs }) => fromMs);
  return run.moves.map((move, at) => {
    const { fromMs, atMs, before, after, replicas, records, bytes, forMs } = move;
    const least = leastCopies(replicas, before, after) * keysBy(run, atMs);
    const rate = (amount: number): number => (forMs === 0 ? 0 : (amount / forMs) * 1_000);
    return {
      named: `${before.length} to ${after.length}`,
      tookMs: atMs - fromMs,
      records,
      factor: least === 0 ? 0 : records / least,
      perSecond: { records: rate(records), bytes: rate(bytes) },
      before: quantiles(run, Math.max(fromMs - BESIDE_MS, ends[at - 1] ?? 0), fromMs),
      during: { ...quantiles(run, fromMs, atMs), stallMs: stallIn(run, fromMs, atMs) },
      after: quantiles(run, atMs, Math.min(atMs + BESIDE_MS, begins[at + 1] ?? Infinity)),
    };
  });
}

/** How many keys may exist at that time. */
function keysBy({ head, operations }: Run, atMs: number): number {
  const keys = new Set(operations.filter(({ beganMs }) => beganMs <= atMs).map(({ key }) => key));
  return (head.bulkKeys ?? 0) + keys.size;
}

function quantiles({ operations }: Run, fromMs: number, toMs: number): Calm {
  const took = operations
    .filter(
      ({ client, outcome, endedMs }) =>
        typeof client === 'number' && !isFailure(outcome.kind) && endedMs >= fromMs && endedMs < toMs,
    )
    .map(({ beganMs, endedMs }) => endedMs - beganMs)
    .sort((a, b) => a - b);
  const quantile = (share: number): number | null => took[Math.floor(took.length * share)] ?? null;
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

function stallIn({ operations }: Run, fromMs: number, toMs: number): number {
  const times = operations
    .filter(({ outcome, endedMs }) => outcome.kind === 'done' && endedMs > fromMs && endedMs < toMs)
    .map(({ endedMs }) => endedMs)
    .sort((a, b) => a - b);
  const marks = [fromMs, ...times, toMs];
  return marks.slice(1).reduce((most, mark, at) => Math.max(most, mark - marks[at]!), 0);
}
