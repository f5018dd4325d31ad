/** Operations of known outcome that are open at one moment of a search, and what it asks of them over and over. */
import { isPlaced, withPlaced } from './configurations.ts';
import type { HistoryOperation } from './history.ts';
import { lossesOf, nextLossEnd } from './losses.ts';
import { isObservation, type KeyModel } from './model.ts';
import { versionOf } from './version-order.ts';

export interface OpenOperation {
  readonly operation: HistoryOperation;
  readonly version: number | undefined;
  readonly isObservation: boolean;
  readonly isBlind: boolean;
  /** Until when it matters whether the effect of a blind write was ever seen; else Infinity. */
  readonly seenUntil: number;
}

export class OpenOperations {
  /** By slot, which is used again once it is free. */
  readonly slots: (OpenOperation | null)[] = [];
  private readonly slotOf = new Map<HistoryOperation, number>();
  /** Slots of observations. */
  private readonly observing: number[] = [];
  /** Slots of those with a version. */
  private readonly versioned: number[] = [];
  private readonly losses: readonly HistoryOperation[];

  constructor(history: readonly HistoryOperation[]) {
    this.losses = lossesOf(history);
  }

  begin(operation: HistoryOperation, lastSeen: (operation: HistoryOperation) => number): OpenOperation {
    const free = this.slots.indexOf(null);
    const slot = free === -1 ? this.slots.length : free;
    const blind = isBlind(operation);
    const open: OpenOperation = {
      operation,
      version: versionOf(operation),
      isObservation: isObservation(operation),
      isBlind: blind,
      seenUntil: blind ? lastSeen(operation) : Infinity,
    };
    this.slots[slot] = open;
    this.slotOf.set(operation, slot);
    if (open.isObservation) this.observing.push(slot);
    if (open.version !== undefined) this.versioned.push(slot);
    return open;
  }

  placeOf(operation: HistoryOperation): number {
    return this.slotOf.get(operation)!;
  }

  end(operation: HistoryOperation): void {
    const slot = this.placeOf(operation);
    this.slots[slot] = null;
    this.slotOf.delete(operation);
    for (const list of [this.observing, this.versioned])
      if (list.includes(slot)) list.splice(list.indexOf(slot), 1);
  }

  /** Places every open observation that fits the state. */
  placeFitting(placed: readonly number[], state: number, model: KeyModel): readonly number[] {
    let result = placed;
    for (const slot of this.observing) {
      if (!isPlaced(result, slot) && model.fits(this.slots[slot]!.operation, state))
        result = withPlaced(result, slot);
    }
    return result;
  }

  /**
   * Of those that have no place yet, when something returns `now`; Infinity where none has a version. What may stand behind a
   * loss that has no place yet is left out: there the versions begin anew.
   */
  lowestVersion(placed: readonly number[], now: number): number {
    let lowest = Infinity;
    const by = this.losses.length === 0 ? Infinity : nextLossEnd(this.losses, now, placed, this.slotOf);
    for (const slot of this.versioned) {
      const { version, operation } = this.slots[slot]!;
      if (version! < lowest && operation.returnedAt <= by && !isPlaced(placed, slot)) lowest = version!;
    }
    return lowest;
  }
}

/** Takes effect in any state, and leaves nothing of it. */
export function isBlind(operation: HistoryOperation): boolean {
  return operation.call.kind === 'put' || operation.call.kind === 'delete';
}
