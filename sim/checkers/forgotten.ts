/**
 * Collects from the owners which deletions were forgotten, and checks that every node that may serve such a slot since
 * knows the floor below which that was done: otherwise it could take a version below the key's own past. A node may
 * also hold the deletion again, or a later version: PostgreSQL had kept its row, and the slot was given up and rebuilt
 * from there. (PROTOCOL R22)
 */
import { counterOf } from '../../src/core/version.ts';

interface Forgotten {
  readonly version: number;
  /** The counter of the version. */
  readonly counter: number;
  readonly epoch: number;
}

export class ForgottenWatch {
  /** The first violation found. */
  violation: string | null = null;
  count = 0;
  private readonly bySlot = new Map<number, Forgotten>();

  /** An owner has removed the deletion of that version in that epoch. */
  forgotten(slot: number, version: number, epoch: number): void {
    this.count += 1;
    if (version > this.highest(slot)) this.bySlot.set(slot, { version, counter: counterOf(version), epoch });
  }

  /** The slot was lost, and nobody has to know of its deletions any more. */
  forgive(slot: number): void {
    this.bySlot.delete(slot);
  }

  /** The highest version of a deletion in the slot that any owner has removed; 0 if none. Absence stands for it. */
  highest(slot: number): number {
    return this.bySlot.get(slot)?.version ?? 0;
  }

  /**
   * Checks the floors of a member that may serve these slots at this moment. A member that acts in an epoch before the
   * removal may still read, but it holds the deletion, and its own writes do not complete. `heldIn` returns the version
   * that it holds of the key in the slot, the lowest if there are several keys; 0 for nothing.
   */
  look(
    name: string,
    actsIn: number,
    owns: (slot: number) => boolean,
    floorOf: (slot: number) => number,
    heldIn: (slot: number) => number,
  ): void {
    for (const [slot, { version, counter, epoch }] of this.bySlot) {
      if (floorOf(slot) >= counter || actsIn < epoch || !owns(slot)) continue;
      if (heldIn(slot) >= version) continue;
      this.violation ??= `${name} serves slot ${slot} with the floor ${floorOf(slot)}, and version ${version} was forgotten there`;
    }
  }
}
