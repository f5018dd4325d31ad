/** Explains why no single copy could have given an answer, with the operations before it and beside it. */
import { describeOperation, describeValue, type HistoryOperation } from './history.ts';

/** Maximum number of operations in an explanation. */
const STORY_OPERATIONS_MAX = 14;

export function explain(
  history: readonly HistoryOperation[],
  failed: HistoryOperation,
  possible: readonly (string | null)[],
): string {
  const { returnedAt } = failed;
  const values = possible.slice(0, STORY_OPERATIONS_MAX).map(describeValue).join(', ');
  const prefix = history
    .filter((operation) => operation !== failed && operation.invokedAt <= returnedAt)
    .filter((operation) => operation.outcome.kind !== 'indefinite' || operation.call.kind !== 'get')
    .sort((a, b) => endOf(a, returnedAt) - endOf(b, returnedAt) || a.invokedAt - b.invokedAt);
  const told = prefix.slice(-STORY_OPERATIONS_MAX);
  const omitted = prefix.length - told.length;
  return [
    `key '${failed.key}': no single copy could have answered`,
    `  ${describeOperation(failed)}`,
    `It could only have stood at: ${values}${possible.length > STORY_OPERATIONS_MAX ? ', ...' : ''}.`,
    `Before it and beside it${omitted > 0 ? ` (${omitted} earlier ones left out)` : ''}:`,
    ...told.map((operation) => `  ${describeOperation(operation)}`),
    ...writersLeftOut(prefix.slice(0, omitted), failed).map(
      (operation) => `  earlier: ${describeOperation(operation)}`,
    ),
  ].join('\n');
}

/** The writers of the value that was read, if that is long ago. */
function writersLeftOut(
  omitted: readonly HistoryOperation[],
  failed: HistoryOperation,
): readonly HistoryOperation[] {
  const { outcome } = failed;
  if (outcome.kind !== 'value' || outcome.value === null) return [];
  const wrote = (operation: HistoryOperation): boolean =>
    'value' in operation.call && operation.call.value === outcome.value;
  return omitted.filter(wrote).slice(-2);
}

function endOf(operation: HistoryOperation, latest: number): number {
  return operation.outcome.kind === 'indefinite'
    ? operation.invokedAt
    : Math.min(operation.returnedAt, latest);
}
