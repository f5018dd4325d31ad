/** Operations of known outcome that are open at one moment of a search, and what it asks of them over and over. */
import { isPlaced, withPlaced } from './configurations.ts';
import type { HistoryOperation } from './history.ts';
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

  /** Of those that have no place yet; Infinity where none has a version. */
  lowestVersion(placed: readonly number[]): number {
    let lowest = Infinity;
    for (const slot of this.versioned) {
      const version = this.slots[slot]!.version!;
      if (version < lowest && !isPlaced(placed, slot)) lowest = version;
    }
    return lowest;
  }
}

/** Takes effect in any state, and leaves nothing of it. */
export function isBlind(operation: HistoryOperation): boolean {
  return operation.call.kind === 'put' || operation.call.kind === 'delete';
}
