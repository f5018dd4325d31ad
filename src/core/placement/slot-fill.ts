/**
 * Fills the free places of a slot draft. Slots are placed on the ring in numerical order, so all slots between two
 * points of the ring are offered to the same nodes; and places that a departure leaves free go to owners of a
 * neighbouring slot while these have room. So neighbouring slots mostly have the same owners. (decision 53)
 */
import { SLOT_COUNT } from '../limits.ts';
import { CIRCLE, firstPointFrom, walkRing, type Ring } from './ring.ts';
import type { Bounds } from './slot-chains.ts';
import { NOBODY, type SlotDraft } from './slot-draft.ts';

/** Distance on the ring from one slot to the next. */
const SLOT_SPAN = CIRCLE / SLOT_COUNT;
/** Points of the ring visited for one place before the least loaded node is taken instead. */
const WALK_POINTS_MAX = 1000;
/**
 * How far a node may be ahead of the overall progress, as a fraction of what is still free, before the ring skips it.
 */
const LEAD_MAX = 0.03;
/**
 * How far a node goes beyond its room when no node has any left, as a fraction of its share, before another one does.
 */
const OVER_MAX = 0.01;

/** Assigns every free place. */
export function fillPlaces(draft: SlotDraft, ring: Ring, bounds: Bounds, share: Float64Array): void {
  new Filling(draft, ring, bounds, share).fill();
}

/** The owners that the ring alone would choose, computed on first use. */
export function ringChoice(draft: SlotDraft, ring: Ring): (slot: number, node: number) => boolean {
  let alone: SlotDraft | undefined;
  const choose = (): SlotDraft => {
    const chosen = draft.emptyCopy();
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      let missing = draft.ownerCount;
      walkRing(ring, slot * SLOT_SPAN, WALK_POINTS_MAX, (node) => {
        if (!chosen.fits(slot, node, NOBODY)) return false;
        chosen.add(slot, node);
        return --missing === 0;
      });
    }
    return chosen;
  };
  return (slot, node) => (alone ??= choose()).holds(slot, node);
}

class Filling {
  private readonly draft: SlotDraft;
  private readonly ring: Ring;
  private readonly bounds: Bounds;
  private readonly share: Float64Array;
  /** Each node's room, and the number of free places, before anything was filled. */
  private readonly room: Int32Array;
  private readonly freeCount: number;
  private filledCount = 0;
  /** The load up to which each node continues as the last resort. */
  private readonly overMax: Int32Array;

  constructor(draft: SlotDraft, ring: Ring, bounds: Bounds, share: Float64Array) {
    this.draft = draft;
    this.ring = ring;
    this.bounds = bounds;
    this.share = share;
    this.room = bounds.ceil.map((ceil, node) => Math.max(0, ceil - draft.load[node]!));
    this.overMax = new Int32Array(draft.nodeCount);
    this.freeCount = draft.nodeAt.length - draft.load.reduce((sum, load) => sum + load, 0);
  }

  fill(): void {
    if (this.freeCount === 0) return;
    const { draft } = this;
    const ends = this.endsOfRuns();
    let lastPoint = NOBODY;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (!this.lacks(slot)) continue;
      const point = firstPointFrom(this.ring, slot * SLOT_SPAN);
      const isEmpty = draft.takenCount(slot) === 0;
      if (slot > 0 && (!isEmpty || point === lastPoint)) this.takeFrom(slot, slot - 1);
      if (!isEmpty && ends[slot] !== NOBODY) this.takeFrom(slot, ends[slot]!);
      this.askRing(slot, (node) => this.hasRoom(node) && !this.leads(node));
      this.askRing(slot, (node) => this.hasRoom(node));
      while (this.lacks(slot)) this.add(slot, this.lastResort(slot));
      lastPoint = point;
    }
  }

  /**
   * For each slot with free places: the complete slot behind the run of incomplete slots with the same owners, or
   * NOBODY.
   */
  private endsOfRuns(): Int32Array {
    const { draft } = this;
    const ends = new Int32Array(SLOT_COUNT).fill(NOBODY);
    for (let slot = SLOT_COUNT - 2; slot >= 0; slot--) {
      if (!this.lacks(slot)) continue;
      const next = slot + 1;
      if (!this.lacks(next)) ends[slot] = next;
      else if (draft.takenCount(slot) === draft.takenCount(next) && draft.isWithin(slot, next, NOBODY))
        ends[slot] = ends[next]!;
    }
    return ends;
  }

  /** Adds the owners of the other slot, if this slot then has the same owners. */
  private takeFrom(slot: number, other: number): void {
    const { draft } = this;
    if (!this.lacks(slot) || !draft.isWithin(slot, other, NOBODY)) return;
    const start = other * draft.ownerCount;
    for (let place = start; place < start + draft.ownerCount && this.lacks(slot); place++) {
      const node = draft.nodeAt[place]!;
      if (node !== NOBODY && this.hasRoom(node) && draft.fits(slot, node, NOBODY)) this.add(slot, node);
    }
  }

  /** Gives places to nodes for which `may` is true, clockwise from the slot. */
  private askRing(slot: number, may: (node: number) => boolean): void {
    const { draft } = this;
    if (!this.lacks(slot)) return;
    const pointsMax = WALK_POINTS_MAX * (draft.ownerCount - draft.takenCount(slot));
    walkRing(this.ring, slot * SLOT_SPAN, pointsMax, (node) => {
      if (!may(node) || !draft.fits(slot, node, NOBODY)) return false;
      this.add(slot, node);
      return !this.lacks(slot);
    });
  }

  /**
   * No suitable node has room: the node that took the previous slot as the last resort goes on for a while, then the
   * least loaded.
   */
  private lastResort(slot: number): number {
    const { draft } = this;
    for (const node of slot > 0 ? draft.ownersOf(slot - 1) : [])
      if (draft.load[node]! < this.overMax[node]! && draft.fits(slot, node, NOBODY)) return node;
    const node = leastLoaded(draft, slot, this.share);
    this.overMax[node] = draft.load[node]! + Math.ceil(this.share[node]! * OVER_MAX);
    return node;
  }

  private lacks(slot: number): boolean {
    return this.draft.takenCount(slot) < this.draft.ownerCount;
  }

  private hasRoom(node: number): boolean {
    return this.draft.load[node]! < this.bounds.ceil[node]!;
  }

  /**
   * True if the node has less of its room left than there is of all free places: the last slots must find room at
   * different nodes too.
   */
  private leads(node: number): boolean {
    const left = this.bounds.ceil[node]! - this.draft.load[node]!;
    const freeLeft = 1 - this.filledCount / this.freeCount;
    return left / this.room[node]! < freeLeft * (1 - LEAD_MAX);
  }

  private add(slot: number, node: number): void {
    this.draft.add(slot, node);
    this.filledCount += 1;
  }
}

/** The least loaded of the nodes that fit or, if the spread leaves none, of all nodes that are not owners yet. */
function leastLoaded(draft: SlotDraft, slot: number, share: Float64Array): number {
  let best = NOBODY;
  let bestFits = false;
  for (let node = 0; node < draft.nodeCount; node++) {
    if (draft.holds(slot, node)) continue;
    const fits = draft.fits(slot, node, NOBODY);
    const lighter =
      best === NOBODY ||
      draft.load[node]! * share[best]! < draft.load[best]! * share[node]! ||
      (fits && !bestFits);
    if (!lighter || (bestFits && !fits)) continue;
    best = node;
    bestFits = fits;
  }
  return best;
}
