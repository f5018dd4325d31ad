/**
 * A write's client knows only about when its value ends; whoever read the value was told exactly. What was read
 * narrows what was written, so that the checker can be strict. Only for histories in which each value is written once.
 */
import type { Expiry, HistoryCall, HistoryOperation } from './history.ts';
import { expiryOf } from './model.ts';

export function narrowExpiries(history: readonly HistoryOperation[]): HistoryOperation[] {
  const told = new Map<string, number>();
  for (const { key, outcome } of history) {
    if (outcome.kind !== 'value' || outcome.value === null || outcome.expiresAt === undefined) continue;
    const mark = `${outcome.value} ${key}`;
    if (!told.has(mark)) told.set(mark, outcome.expiresAt);
  }
  return history.map((operation) => {
    const { call } = operation;
    const expiry = expiryOf(call);
    if (expiry === null || !('value' in call)) return operation;
    const at = told.get(`${call.value} ${operation.key}`);
    // What contradicts the write is left for the checker to find.
    if (at === undefined || at < expiry.from || at > expiry.by) return operation;
    return { ...operation, call: withExpiry(call, { from: at, by: at }) };
  });
}

/** Of what writes no value, unchanged. */
export function withExpiry(call: HistoryCall, expiry: Expiry): HistoryCall {
  return call.kind === 'put' || call.kind === 'compareAndPut' ? { ...call, expiry } : call;
}
