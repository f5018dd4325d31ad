/**
 * When the first record of each slot expires, at the earliest. It saves looking for expired records where there are
 * none: a cluster that uses no expiry is never walked. A time that is too early only costs one look at its slot.
 */
import { SLOT_COUNT } from '../../core/limits.ts';

/** Slots per block: single slots are checked only if the earliest of their block is due. */
const BLOCK_SLOTS = 128;
const BLOCK_COUNT = SLOT_COUNT / BLOCK_SLOTS;

/** Selects slots. */
export interface SlotChoice {
  /** The result for a slot stays the same while `scope` is the same object. */
  readonly has: (slot: number) => boolean;
  readonly scope: object;
}

/** What one asker has found: it skips slots that were due but not selected in the current scope. */
class Seen {
  scope: object | null = null;
  /** Lower bounds, per block and overall, of when a slot that may be selected is due. */
  readonly blocks = new Float64Array(BLOCK_COUNT).fill(Infinity);
  earliest = Infinity;
}

export class ExpiryTimes {
  /** Wall-clock ms per slot. */
  private readonly times = new Float64Array(SLOT_COUNT).fill(Infinity);
  /** Lower bound, per block, of when a slot is due for any asker. */
  private readonly blocks = new Float64Array(BLOCK_COUNT).fill(Infinity);
  private readonly seen: readonly Seen[];
  private cursor = 0;

  /** `askerCount`: the number of askers, each with a selection of its own. */
  constructor(askerCount = 1) {
    this.seen = Array.from({ length: askerCount }, () => new Seen());
  }

  note(slot: number, expiresAt: number): void {
    if (expiresAt < this.times[slot]!) this.times[slot] = expiresAt;
    const block = Math.floor(slot / BLOCK_SLOTS);
    if (expiresAt < this.blocks[block]!) this.blocks[block] = expiresAt;
    for (const seen of this.seen) {
      if (expiresAt < seen.blocks[block]!) seen.blocks[block] = expiresAt;
      if (expiresAt < seen.earliest) seen.earliest = expiresAt;
    }
  }

  /**
   * The next selected slot, in turn, in which something is due; -1 if there is none. Its time is forgotten: the caller
   * notes the times of records that remain.
   */
  take(wallNow: number, choice: SlotChoice, asker = 0): number {
    const seen = this.seen[asker]!;
    if (choice.scope !== seen.scope) this.begin(seen, choice.scope);
    if (seen.earliest > wallNow) return -1;
    const first = Math.floor(this.cursor / BLOCK_SLOTS);
    // The first block is visited twice: from the cursor on, and at the end the part before the cursor.
    for (let step = 0; step <= BLOCK_COUNT; step += 1) {
      const block = (first + step) % BLOCK_COUNT;
      if (seen.blocks[block]! > wallNow) continue;
      const slot = this.findIn(seen, block, step === 0 ? this.cursor : block * BLOCK_SLOTS, wallNow, choice);
      if (slot < 0) continue;
      this.times[slot] = Infinity;
      this.cursor = (slot + 1) % SLOT_COUNT;
      return slot;
    }
    seen.earliest = lowest(seen.blocks);
    return -1;
  }

  /** The selection may have changed. */
  private begin(seen: Seen, scope: object): void {
    seen.scope = scope;
    seen.blocks.set(this.blocks);
    seen.earliest = lowest(seen.blocks);
  }

  /** The first due slot of the block from a slot on, or -1; then the time when the block is next due is recomputed. */
  private findIn(seen: Seen, block: number, from: number, wallNow: number, { has }: SlotChoice): number {
    let least = Infinity;
    let later = Infinity;
    const end = (block + 1) * BLOCK_SLOTS;
    for (let slot = from; slot < end; slot += 1) {
      const time = this.times[slot]!;
      if (time < least) least = time;
      if (time > wallNow) later = time < later ? time : later;
      else if (has(slot)) return slot;
    }
    if (from !== block * BLOCK_SLOTS) return -1;
    this.blocks[block] = least;
    seen.blocks[block] = later;
    return -1;
  }
}

function lowest(times: Float64Array): number {
  return times.reduce((least, time) => Math.min(least, time), Infinity);
}
