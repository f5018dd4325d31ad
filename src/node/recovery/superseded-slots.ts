/**
 * Slots of which this disk holds records from before they were given up and made whole without it. What was lost then
 * was reported as lost, and the cluster went on below it. So if such a slot is given up once more and made whole here,
 * PostgreSQL's row wins even if it is lower, and so does its absence. That ends once the slot was copied, or made whole
 * here, or nothing is left of it; and records written meanwhile count. It is noted on disk, because the process may be
 * another one by then. (PROTOCOL R28)
 */
import { isForsaken } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { rowPairs } from '../../core/placement/slot-index.ts';
import { LIFE_SEEN_KEY, encodeCounters, supersededKey } from '../../wire/store-codec.ts';
import type { StoreWriter } from '../store/store-writer.ts';

/** What the store holds of it. */
export interface SupersededFound {
  /** The latest life of the cluster for which this disk has been examined; 0 if none. */
  readonly lifeSeen: number;
  /** An empty key stands for the slot itself. */
  readonly keys: readonly { readonly slot: number; readonly key: string }[];
}

const NOTED = new Uint8Array(1);

export class SupersededSlots {
  private readonly writer: Pick<StoreWriter, 'putEntry'>;
  private lifeSeen: number;
  /** Per slot, the keys written since. */
  private readonly slots = new Map<number, Set<string>>();

  constructor(writer: Pick<StoreWriter, 'putEntry'>, found: SupersededFound = { lifeSeen: 0, keys: [] }) {
    this.writer = writer;
    this.lifeSeen = found.lifeSeen;
    for (const { slot, key } of found.keys) {
      const written = this.slots.get(slot) ?? new Set<string>();
      if (key !== '') written.add(key);
      this.slots.set(slot, written);
    }
  }

  has(slot: number): boolean {
    return this.slots.has(slot);
  }

  /** True if what is held of the key is from before. */
  hasKey(slot: number, key: string): boolean {
    return this.slots.get(slot)?.has(key) === false;
  }

  /** Call before the record is written. */
  noteWritten(slot: number, key: string): void {
    const written = this.slots.get(slot);
    if (written === undefined || written.has(key)) return;
    written.add(key);
    this.writer.putEntry(supersededKey(slot, key), NOTED);
  }

  /** Nothing held of the slot is from before: an owner or PostgreSQL has confirmed it, or all of it is gone. */
  drop(slot: number): void {
    const written = this.slots.get(slot);
    if (written === undefined) return;
    this.slots.delete(slot);
    for (const key of ['', ...written]) this.writer.putEntry(supersededKey(slot, key), null);
  }

  /** Call before anything acts in the new epoch. `lifeFirst`: this disk's first life. */
  onTopology(
    next: Topology,
    previous: Topology | null,
    { selfId, lifeFirst, holds }: { selfId: number; lifeFirst: number; holds: (slot: number) => boolean },
  ): void {
    // A new life gives up all slots.
    const isLater = next.life > (this.lifeSeen === 0 ? lifeFirst : this.lifeSeen);
    for (const pair of rowPairs(previous ?? next, next)) {
      const after = next.rows[pair.after]!;
      const wasGivenUp = previous !== null && isForsaken(previous.rows[pair.before]!);
      if ((!isLater && !wasGivenUp) || isForsaken(after) || after.complete.includes(selfId)) continue;
      for (const slot of pair.slots) if (holds(slot)) this.note(slot);
    }
    if (next.life === this.lifeSeen) return;
    this.lifeSeen = next.life;
    this.writer.putEntry(LIFE_SEEN_KEY, encodeCounters(next.life));
  }

  private note(slot: number): void {
    if (this.slots.has(slot)) return;
    this.slots.set(slot, new Set());
    this.writer.putEntry(supersededKey(slot, ''), NOTED);
  }
}
