/**
 * Which deletions were forgotten, as the owners tell it when they remove one; and whoever may serve a slot since knows the
 * floor under which that was done: else it could take a version below the key's own past. Or it holds that deletion, or what
 * came after it, once more: PostgreSQL had kept its row, and the slot was given up and made whole from there. (PROTOCOL R22)
 */
import { counterOf } from '../../src/core/version.ts';

interface Forgotten {
  readonly version: number;
  /** Of the version. */
  readonly counter: number;
  readonly epoch: number;
}

export class ForgottenWatch {
  /** The first that was found. */
  violation: string | null = null;
  count = 0;
  private readonly bySlot = new Map<number, Forgotten>();

  /** An owner has removed the deletion of that version, in that epoch. */
  forgotten(slot: number, version: number, epoch: number): void {
    this.count += 1;
    if (version > this.highest(slot)) this.bySlot.set(slot, { version, counter: counterOf(version), epoch });
  }

  /** These were lost, as they may be: nobody has to know of them. */
  forgive(slot: number): void {
    this.bySlot.delete(slot);
  }

  /** The highest version of a deletion in the slot that anybody has removed; 0: none. Absence stands for it. */
  highest(slot: number): number {
    return this.bySlot.get(slot)?.version ?? 0;
  }

  /**
   * What a member has for its floors that may serve these slots at this moment. Who acts in an earlier epoch than it was
   * done in may still read, and holds the deletion; no write of its own comes to an end. `heldIn`: the version that it holds of
   * the key in the slot, the lowest where there are several; 0: nothing.
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
