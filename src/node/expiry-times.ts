/**
 * When the first record of each slot expires, at the earliest: so that nobody looks for expired records where there
 * are none, and a cluster that uses no expiry is never walked. A time too early costs one look at its slot.
 */
import { SLOT_COUNT } from '../core/limits.ts';

/** Slots that are looked at together: only where the earliest of them is due each is looked at. */
const BLOCK_SLOTS = 128;
const BLOCK_COUNT = SLOT_COUNT / BLOCK_SLOTS;

/** Which slots are asked for. */
export interface SlotChoice {
  /** Answers alike for one slot as long as `scope` is the same object. */
  readonly has: (slot: number) => boolean;
  readonly scope: object;
}

/** What is known for one who asks: it leaves out slots that were due and not chosen in this scope. */
class Seen {
  scope: object | null = null;
  /** No slot that may be chosen is due before this: in each block, and anywhere. */
  readonly blocks = new Float64Array(BLOCK_COUNT).fill(Infinity);
  earliest = Infinity;
}

export class ExpiryTimes {
  /** Wall ms per slot. */
  private readonly times = new Float64Array(SLOT_COUNT).fill(Infinity);
  /** No slot of the block is due before this, whoever asks. */
  private readonly blocks = new Float64Array(BLOCK_COUNT).fill(Infinity);
  private readonly seen: readonly Seen[];
  private cursor = 0;

  /** `askerCount`: how many ask, each for a choice of its own. */
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
   * The next chosen slot in turn in which something is due, or -1. Its time is forgotten: whoever takes it notes what
   * stays behind.
   */
  take(wallNow: number, choice: SlotChoice, asker = 0): number {
    const seen = this.seen[asker]!;
    if (choice.scope !== seen.scope) this.begin(seen, choice.scope);
    if (seen.earliest > wallNow) return -1;
    const first = Math.floor(this.cursor / BLOCK_SLOTS);
    // The first block twice: from the cursor on, and at the end the part before it.
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

  /** Other slots may be chosen than before. */
  private begin(seen: Seen, scope: object): void {
    seen.scope = scope;
    seen.blocks.set(this.blocks);
    seen.earliest = lowest(seen.blocks);
  }

  /** The first that is due from a slot of the block to its end, or -1: when the block is due next is then known anew. */
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
