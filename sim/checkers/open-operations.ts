/**
 * The operations of known outcome that are open at one moment of a search, and what the search asks of them over and
 * over.
 */
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
  /** Until when it matters whether the effect of a blind write was ever seen; otherwise Infinity. */
  readonly seenUntil: number;
}

export class OpenOperations {
  /** By slot; a free slot is used again. */
  readonly slots: (OpenOperation | null)[] = [];
  private readonly slotOf = new Map<HistoryOperation, number>();
  /** Slots of observations. */
  private readonly observing: number[] = [];
  /** Slots of operations with a version. */
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
   * The lowest version of the operations not placed yet, when something returns at `now`; Infinity if none has a
   * version. Operations that may come after a loss that is not placed yet are left out, because there the versions
   * start again.
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

/** Whether the operation takes effect in any state and leaves nothing of it. */
export function isBlind(operation: HistoryOperation): boolean {
  return operation.call.kind === 'put' || operation.call.kind === 'delete';
}
