/** Losses in a history: behind each the versions of the key begin anew, where what is left of it stands. */
import { isPlaced } from './configurations.ts';
import type { HistoryOperation } from './history.ts';

export function lossesOf(history: readonly HistoryOperation[]): HistoryOperation[] {
  return history.filter(({ call }) => call.kind === 'loss').sort((a, b) => a.returnedAt - b.returnedAt);
}

/** When the next loss is over that has no place yet, whether it has begun or not; Infinity: none is to come. */
export function nextLossEnd(
  losses: readonly HistoryOperation[],
  now: number,
  placed: readonly number[],
  slotOf: ReadonlyMap<HistoryOperation, number>,
): number {
  for (const loss of losses) {
    const slot = slotOf.get(loss);
    if (loss.returnedAt >= now && (slot === undefined || !isPlaced(placed, slot))) return loss.returnedAt;
  }
  return Infinity;
}

/** What certainly stands between two losses. */
export function betweenLosses(
  history: readonly HistoryOperation[],
): readonly (readonly HistoryOperation[])[] {
  const losses = lossesOf(history);
  if (losses.length === 0) return [history];
  return Array.from({ length: losses.length + 1 }, (_, index) => {
    const from = losses[index - 1]?.returnedAt ?? -Infinity;
    const by = losses[index]?.invokedAt ?? Infinity;
    return history.filter(
      ({ invokedAt, returnedAt }) => invokedAt > from && (by === Infinity || returnedAt < by),
    );
  });
}
