/** A key's history as the search walks it: invocations and returns in order of time. */
import type { HistoryOperation } from './history.ts';

export interface Event {
  readonly time: number;
  readonly returns: boolean;
  readonly operation: HistoryOperation;
}

/** Invocations and returns of the operations with a known outcome, by time; invocations come first at equal times. */
export function eventsOf(history: readonly HistoryOperation[]): Event[] {
  const events: Event[] = [];
  for (const operation of history) {
    const { kind } = operation.outcome;
    if (kind === 'indefinite' || kind === 'definiteFailure') continue;
    events.push({ time: operation.invokedAt, returns: false, operation });
    events.push({ time: operation.returnedAt, returns: true, operation });
  }
  return events.sort((a, b) => a.time - b.time || Number(a.returns) - Number(b.returns));
}

/** The largest number of operations with a known outcome that were open at the same time. */
export function openCountMax(history: readonly HistoryOperation[]): number {
  let open = 0;
  let most = 0;
  for (const event of eventsOf(history)) {
    open += event.returns ? -1 : 1;
    most = Math.max(most, open);
  }
  return most;
}
