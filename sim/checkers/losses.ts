/** Losses in a history. After a loss the versions of the key start again from what is left of it. */
import { isPlaced } from './configurations.ts';
import type { HistoryOperation } from './history.ts';

export function lossesOf(history: readonly HistoryOperation[]): HistoryOperation[] {
  return history.filter(({ call }) => call.kind === 'loss').sort((a, b) => a.returnedAt - b.returnedAt);
}

/** The end of the next loss that is not placed yet, whether it has begun or not; Infinity if there is none. */
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

/** The parts of the history that certainly lie between two losses. */
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
