/**
 * Floors of which this node knows that every owner of the slot is past them: nothing at or below one is in flight with any of
 * them, and nothing begins there. Only these lift a conditional version. Lifted by what this node alone is past, it would
 * outrank a plain one that another owner takes from below, and that its judge has not heard of. (PROTOCOL R5, R8, R22)
 *
 * An owner's word holds for as long as it is an owner. Who becomes one has copied the slot with the floor that its source had
 * by then; as a learner it has said only that it takes nothing plain from below a higher one. (`promiseFloors`)
 */
import type { SlotFloor } from '../floors.ts';
import { memberById } from '../topology.ts';
import type { SlotView } from './slot-view.ts';

export class AgreedFloors {
  private readonly counters = new Map<number, number>();

  /** 0: nothing is known of the slot. */
  of(slot: number): number {
    return this.counters.get(slot) ?? 0;
  }

  agree({ slot, counter }: SlotFloor): void {
    if (counter > this.of(slot)) this.counters.set(slot, counter);
  }

  /** What stays known: of slots whose owners were all owners before. */
  onEpoch(before: SlotView, now: SlotView): void {
    const isNext = now.topology.epoch === before.topology.epoch + 1;
    for (const slot of [...this.counters.keys()])
      if (!isNext || !isSubset(before, now, slot)) this.counters.delete(slot);
  }
}

function isSubset(before: SlotView, now: SlotView, slot: number): boolean {
  const { owners } = before.row(slot);
  const row = now.row(slot);
  return row.owns && row.owners.every((id) => owners.includes(id) && isSameProcess(before, now, id));
}

function isSameProcess(before: SlotView, now: SlotView, id: number): boolean {
  return memberById(before.topology, id)?.incarnation === memberById(now.topology, id)?.incarnation;
}
