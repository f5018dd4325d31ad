/**
 * Adjacent writes of one key in a pipeline go to the cluster as one operation, and each command gets its own answer. Of
 * unconditional sets only the last value is written, since nobody need have seen the others. Other writes become one
 * modification, whose changes are applied in order or not at all.
 */
import type { WriteOperation, WriteResult } from '../../core/operation.ts';
import type { Client } from './client.ts';
import { operationOf } from './run-plan.ts';
import type { Run } from './run-plan.ts';

/** Called when the key of these runs is free for them. */
export function beginInLine(client: Client, runs: readonly Run[]): void {
  const first = runs[0]!;
  if (runs.length === 1) return first.start();
  const operation = operationOfAll(client, runs);
  const write = (): void => client.write(operation, (result) => onResult(client, runs, result));
  if (first.trace === undefined) write();
  else client.under(first.trace, write);
}

function operationOfAll({ door }: Client, runs: readonly Run[]): WriteOperation {
  const { valueBytesMax } = door;
  const last = runs.at(-1)!;
  if (last.joins === 'put') return operationOf(last.step, last.step.change!, valueBytesMax);
  const changes = runs.map(({ step }) => step.change!);
  return { kind: 'modify', key: last.step.key, operationId: null, expect: null, changes, valueBytesMax };
}

function onResult({ inFlight }: Client, runs: readonly Run[], result: WriteResult): void {
  const isOfPuts = runs[0]!.joins === 'put';
  if (result.kind === 'failed' && result.failure.code === 'invalid_argument') {
    // Nothing was done, because one change or all of them together were refused. Each is tried by itself, so that it
    // gets the answer that concerns it.
    for (const run of runs) run.joins = null;
    return inFlight.standAgain(runs[0]!.step.key, runs);
  }
  for (const [at, run] of runs.entries()) run.wasDone(isOfPuts ? result : ofOne(result, at));
}

/** The part of the common result that belongs to the change at index `at`. */
function ofOne(result: WriteResult, at: number): WriteResult {
  if (result.kind === 'modified') return { ...result, results: [result.results[at]!] };
  if (result.kind === 'unchanged') return { ...result, results: [result.results[at]!] };
  return result;
}
