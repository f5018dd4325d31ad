/**
 * The writer of a value knows only roughly when it expires; a reader was told exactly. What was read narrows down what
 * was written, so that the checker can be strict. Only for histories in which each value is written once.
 */
import type { Expiry, HistoryCall, HistoryOperation } from './history.ts';
import { expiryOf } from './model.ts';

export function narrowExpiries(history: readonly HistoryOperation[]): HistoryOperation[] {
  const told = new Map<string, number>();
  const given = timesGiven(history);
  for (const { key, outcome } of history) {
    if (outcome.kind !== 'value' || outcome.value === null || outcome.expiresAt === undefined) continue;
    if (given.has(outcome.expiresAt)) continue;
    const mark = `${outcome.value} ${key}`;
    if (!told.has(mark)) told.set(mark, outcome.expiresAt);
  }
  return history.map((operation) => {
    const { call } = operation;
    const expiry = expiryOf(call);
    if (expiry === null || !('value' in call)) return operation;
    const at = told.get(`${call.value} ${operation.key}`);
    // A contradiction to the write is left for the checker to find.
    if (at === undefined || at < expiry.from || at > expiry.by) return operation;
    return { ...operation, call: withExpiry(call, { from: at, by: at }) };
  });
}

/** Times set by modifications, and thus not by the writer of the value. */
function timesGiven(history: readonly HistoryOperation[]): Set<number> {
  const given = new Set<number>();
  for (const { call } of history) {
    if (call.kind !== 'modify') continue;
    for (const change of call.changes)
      if ('expiresAt' in change && typeof change.expiresAt === 'number') given.add(change.expiresAt);
  }
  return given;
}

/** Returns a call that writes no value unchanged. */
export function withExpiry(call: HistoryCall, expiry: Expiry): HistoryCall {
  return call.kind === 'put' || call.kind === 'compareAndPut' ? { ...call, expiry } : call;
}
