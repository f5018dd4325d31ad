/** A key's history as its search walks it: invocations and returns, in order of time. */
import type { HistoryOperation } from './history.ts';

export interface Event {
  readonly time: number;
  readonly returns: boolean;
  readonly operation: HistoryOperation;
}

/** Invocations and returns of what has a known outcome, by time; at one moment invocations come first. */
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

/** The most operations of known outcome that were open at one moment. */
export function openCountMax(history: readonly HistoryOperation[]): number {
  let open = 0;
  let most = 0;
  for (const event of eventsOf(history)) {
    open += event.returns ? -1 : 1;
    most = Math.max(most, open);
  }
  return most;
}
