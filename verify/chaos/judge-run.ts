/**
 * The verdict on a run, pure: did every promise hold, did the cluster recover, and did the run do what it was for?
 * Judges safety and final progress; speed only if a scenario says that a fault must not cost it.
 */
import { disorder, findFaults } from '../verdict.ts';
import { CONNECTION_ANSWER_BYTES_MAX } from '../../src/core/clients/grpc-limits.ts';
import { latenessOf } from './lateness.ts';
import { movesSeen } from './moves-seen.ts';
import type { Run } from './run-file.ts';
import { isFailure } from './run-lines.ts';

/** Bytes by which a process grows in any case. */
const MEMORY_SLACK = 128 * 1024 * 1024;

/** In words; empty if all is well. */
export function judgeRun(run: Run): string[] {
  return [
    ...incomplete(run),
    ...brokenPromises(run),
    ...noProgress(run),
    ...unasked(run),
    ...lostInBulk(run),
    ...movedTooMuch(run),
    ...lostInFloods(run),
    ...heldForUnread(run),
    ...tooLittle(run),
    ...tooLate(run),
  ];
}

function incomplete({ end }: Run): string[] {
  if (end === null) return ['the run was cut off: its last line is missing'];
  return end.stopped ? ['the run was stopped before its time'] : [];
}

function brokenPromises({ head, operations, survey }: Run): string[] {
  if (survey !== null) return findFaults({ history: operations, survey, ownerCount: head.ownerCount });
  return [...disorder({ history: operations }), 'the cluster was not looked at after the last fault'];
}

function noProgress({ progress }: Run): string[] {
  if (progress === null) return ['nobody looked whether the cluster came back'];
  return progress.is === 'progress' ? [] : [`the cluster did not come back: ${progress.why}`];
}

function unasked({ head, endings }: Run): string[] {
  if (head.mayEnd || endings.length === 0) return [];
  const told = endings.map(({ name, how, atMs }) => `${name} (${how}) at ${(atMs / 1_000).toFixed(1)} s`);
  return [`processes ended that nobody had asked to: ${told.join(', ')}`];
}

/** What was written before anything else must be at every node that was there at the end. */
function lostInBulk({ head, bulk, end }: Run): string[] {
  if ((head.bulkKeys ?? 0) === 0 || end === null || end.stopped) return [];
  if (bulk.length === 0) return ['the keys that were written first were not looked for'];
  return bulk
    .filter(({ missing }) => missing > 0)
    .map(
      ({ node, keys, missing }) => `${node} does not read ${missing} of ${keys} keys that were written first`,
    );
}

function movedTooMuch(run: Run): string[] {
  const { movedFactorMax } = run.head;
  if (movedFactorMax === undefined) return [];
  const moves = movesSeen(run);
  if (moves.length === 0) return ['no change of members came to its end'];
  return moves
    .filter(({ factor }) => factor > movedFactorMax)
    .map(
      ({ named, factor }) =>
        `${named}: ${factor.toFixed(2)} of the least possible was copied, at most ${movedFactorMax} may be`,
    );
}

/** Writes acknowledged under overload must be there like any others. */
function lostInFloods({ floods }: Run): string[] {
  return floods
    .filter(({ lost }) => lost > 0)
    .map(({ lost, lookedUp }) => `${lost} of ${lookedUp} keys acknowledged under overload are not found`);
}

/** What waits for a connection may be held twice for a moment, as a message and as its frame. */
function heldForUnread({ unread }: Run): string[] {
  return unread
    .filter(
      ({ clients, grownBytes }) => grownBytes > 2 * clients * CONNECTION_ANSWER_BYTES_MAX + MEMORY_SLACK,
    )
    .map(({ clients, grownBytes }) => {
      const megabytes = Math.round(grownBytes / 1024 / 1024);
      return `a node grew by ${megabytes} MB for ${clients} clients that did not read`;
    });
}

/** A run that did not do what it was for has not passed. */
function tooLittle(run: Run): string[] {
  const { head, faults, failures, operations } = run;
  const found: string[] = failures.map(({ fault, why }) => `${fault} could not be injected: ${why}`);
  for (const asked of head.asked) {
    const made = faults.filter(({ fault }) => fault === asked);
    if (made.some(({ struck }) => struck)) continue;
    const how =
      made.length === 0 ? 'and was never injected' : `and never struck, injected ${made.length} times`;
    found.push(`${asked} was asked for ${how}`);
  }
  const told = operations.filter(({ isRetried, client }) => isRetried !== true && typeof client === 'number');
  const failed = told.filter(({ outcome }) => isFailure(outcome.kind)).length;
  const succeeded = told.length - failed;
  if (succeeded < head.operationsMin) {
    found.push(`only ${succeeded} operations succeeded, at least ${head.operationsMin} must`);
  }
  const struck = faults.filter((fault) => fault.struck).length;
  const faultsMin = head.faultsMin ?? 0;
  if (struck < faultsMin) found.push(`only ${struck} faults struck, at least ${faultsMin} must`);
  if (head.failuresMax !== null && failed > head.failuresMax) {
    found.push(`${failed} operations failed for good, at most ${head.failuresMax} may`);
  }
  return found;
}

/** Having nothing to compare is a fault, too: the run did not show what it was for. */
function tooLate(run: Run): string[] {
  const { steady } = run.head;
  if (steady === undefined) return [];
  const { normalMs, during } = latenessOf(run, steady.afterMs);
  if (normalMs === null) return ['too few operations without a fault to tell what is usual'];
  if (during.length === 0) return [`no fault lasted longer than ${steady.afterMs} ms`];
  const limitMs = normalMs * steady.factorMax + steady.slackMs;
  return during
    .filter(({ p99Ms }) => p99Ms === null || p99Ms > limitMs)
    .map(({ fault, p99Ms }) => {
      const took = p99Ms === null ? 'too few operations' : `the slowest hundredth took ${shown(p99Ms)}`;
      return `${fault}, from ${steady.afterMs} ms after it began: ${took}, and ${shown(normalMs)} without a fault`;
    });
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? `${ms.toFixed(0)} ms` : 'no answer that served';
}
