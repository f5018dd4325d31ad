/**
 * Which deletions were forgotten, as the owners tell it when they remove one; and whoever may serve a slot knows the floor
 * under which that was done: else it could take a version below the key's own past. (PROTOCOL R22)
 */
import { counterOf } from '../../src/core/version.ts';

export class ForgottenWatch {
  /** The first that was found. */
  violation: string | null = null;
  count = 0;
  private readonly bySlot = new Map<number, number>();

  /** An owner has removed the deletion of that version. */
  forgotten(slot: number, version: number): void {
    this.count += 1;
    this.bySlot.set(slot, Math.max(version, this.bySlot.get(slot) ?? 0));
  }

  /** The highest version of a deletion in the slot that anybody has removed; 0: none. Absence stands for it. */
  highest(slot: number): number {
    return this.bySlot.get(slot) ?? 0;
  }

  /** `floorOf`: what a member has for its floors that may serve these slots at this moment. */
  look(name: string, owns: (slot: number) => boolean, floorOf: (slot: number) => number): void {
    for (const [slot, version] of this.bySlot) {
      if (!owns(slot) || floorOf(slot) >= counterOf(version)) continue;
      this.violation ??= `${name} serves slot ${slot} with the floor ${floorOf(slot)}, and version ${version} was forgotten there`;
    }
  }
}
