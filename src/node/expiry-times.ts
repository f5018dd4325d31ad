/**
 * When the first record of each slot expires, at the earliest: so that nobody looks for expired records where there
 * are none, and a cluster that uses no expiry is never walked. A time too early costs one look at its slot.
 */
import { SLOT_COUNT } from '../core/limits.ts';

/** Slots that are looked at together: only where the earliest of them is due each is looked at. */
const BLOCK_SLOTS = 128;
const BLOCK_COUNT = SLOT_COUNT / BLOCK_SLOTS;

export class ExpiryTimes {
  /** Wall ms per slot. */
  private readonly times = new Float64Array(SLOT_COUNT).fill(Infinity);
  /** No slot of the block is due before this. */
  private readonly blocks = new Float64Array(BLOCK_COUNT).fill(Infinity);
  /** Nothing is due before this. */
  private earliest = Infinity;
  private cursor = 0;

  note(slot: number, expiresAt: number): void {
    if (expiresAt < this.times[slot]!) this.times[slot] = expiresAt;
    const block = Math.floor(slot / BLOCK_SLOTS);
    if (expiresAt < this.blocks[block]!) this.blocks[block] = expiresAt;
    if (expiresAt < this.earliest) this.earliest = expiresAt;
  }

  /**
   * The next slot in turn in which something is due, or -1. Its time is forgotten: whoever takes it notes what
   * stays behind.
   */
  take(wallNow: number, isOurs: (slot: number) => boolean): number {
    if (this.earliest > wallNow) return -1;
    const first = Math.floor(this.cursor / BLOCK_SLOTS);
    // The first block twice: from the cursor on, and at the end the part before it.
    for (let step = 0; step <= BLOCK_COUNT; step += 1) {
      const block = (first + step) % BLOCK_COUNT;
      const slot = this.findIn(block, step === 0 ? this.cursor : block * BLOCK_SLOTS, wallNow, isOurs);
      if (slot < 0) continue;
      this.times[slot] = Infinity;
      this.cursor = (slot + 1) % SLOT_COUNT;
      return slot;
    }
    this.earliest = this.blocks.reduce((earliest, time) => Math.min(earliest, time), Infinity);
    return -1;
  }

  /** The first that is due from a slot of the block to its end, or -1. A whole block's earliest time is then known anew. */
  private findIn(block: number, from: number, wallNow: number, isOurs: (slot: number) => boolean): number {
    if (this.blocks[block]! > wallNow) return -1;
    let earliest = Infinity;
    const end = (block + 1) * BLOCK_SLOTS;
    for (let slot = from; slot < end; slot += 1) {
      const time = this.times[slot]!;
      if (time <= wallNow && isOurs(slot)) return slot;
      if (time < earliest) earliest = time;
    }
    if (from === block * BLOCK_SLOTS) this.blocks[block] = earliest;
    return -1;
  }
}
