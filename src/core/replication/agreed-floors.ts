/**
 * Floors that this node knows every owner of the slot has passed: no owner has anything in flight at or below such a
 * floor, and none will start anything there. Only these floors may raise the version of a conditional write. A
 * conditional version raised by a floor that only this node has passed could outrank an unconditional version that
 * another owner takes below it, and that the node judging the condition has not heard of. (PROTOCOL R5, R8, R22)
 *
 * What an owner has confirmed holds for as long as it stays an owner. A new owner has copied the slot with the floor
 * its source had at that moment; as a learner it has only promised to take no unconditional version at or below a
 * higher one. (`promiseFloors`)
 */
import type { SlotFloor } from '../upkeep/floors.ts';
import { memberById } from '../membership/topology.ts';
import type { SlotView } from './slot-view.ts';

export class AgreedFloors {
  private readonly counters = new Map<number, number>();

  /** The agreed counter; 0 if nothing is known of the slot. */
  of(slot: number): number {
    return this.counters.get(slot) ?? 0;
  }

  agree({ slot, counter }: SlotFloor): void {
    if (counter > this.of(slot)) this.counters.set(slot, counter);
  }

  /** Keeps only the slots whose owners were all owners, as the same processes, in the previous epoch. */
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
