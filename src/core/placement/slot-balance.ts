/**
 * Rebalances a complete slot draft with few moves. A place goes directly from a node with too many to a node with too
 * few; where the spread forbids every direct hand-over, it goes along the shortest chain of hand-overs through other
 * nodes (slot-chains.ts). Both take runs of slots, starting at an edge.
 *
 * A node whose load is within the band around its share (`low` to `high`) is left alone, so that small changes
 * elsewhere move nothing.
 */
import { SLOT_COUNT } from '../limits.ts';
import { level, Neighbours, type Bounds, type Visit } from './slot-chains.ts';
import { NOBODY, type SlotDraft } from './slot-draft.ts';

/** Fraction by which the largest load may exceed the share. (DESIGN section 4) */
const IMBALANCE_MAX = 0.05;
/** Weight of giving a slot the same owners as a neighbour: more than any excess. */
const JOINS = 2 * SLOT_COUNT;
/** Shares are sums of fractions: a whole number may be slightly off. */
const SHARE_NOISE = 1e-6;

export function boundsOf(share: Float64Array, imbalance = IMBALANCE_MAX): Bounds {
  const floor = Int32Array.from(share, (value) => Math.floor(value + SHARE_NOISE));
  const ceil = Int32Array.from(share, (value) => Math.ceil(value - SHARE_NOISE));
  return {
    low: Int32Array.from(share, (value, node) => Math.min(floor[node]!, Math.ceil(value * (1 - imbalance)))),
    floor,
    ceil,
    high: Int32Array.from(share, (value, node) => Math.max(ceil[node]!, Math.floor(value * (1 + imbalance)))),
  };
}

/**
 * `prefers(slot, node)`: whether the ring itself would choose the node. A node that holds little takes such slots
 * first, so that its slots spread over those of all others; a node that holds more first extends the runs it has.
 */
export function balancePlaces(
  draft: SlotDraft,
  bounds: Bounds,
  prefers: (slot: number, node: number) => boolean,
): void {
  const { load } = draft;
  for (let node = 0; node < draft.nodeCount; node++) {
    if (load[node]! >= bounds.low[node]!) continue;
    const taking = new Taking(draft, node, bounds.floor[node]!);
    const holdsLittle = load[node]! < bounds.floor[node]! / 2;
    for (const keeps of [bounds.high, bounds.floor, bounds.low]) {
      if (holdsLittle) taking.take(keeps, (slot) => prefers(slot, node));
      taking.grow(keeps);
      taking.take(keeps, (slot) => prefers(slot, node));
      taking.take(keeps, () => true);
    }
  }
  level({
    draft,
    bounds,
    load,
    givers: (node, visit) => visitGivers(draft, node, visit),
    takers: (node, visit) => visitTakers(draft, node, visit),
    canMove: (slot, from, to) => draft.holds(slot, from) && draft.fits(slot, to, from),
    move: (slot, from, to) => draft.replace(draft.placeOf(slot, from), to),
  });
}

/** One node with too few places takes places directly from nodes with too many, in runs of slots. */
class Taking {
  private readonly draft: SlotDraft;
  private readonly node: number;
  private readonly wanted: number;

  constructor(draft: SlotDraft, node: number, wanted: number) {
    this.draft = draft;
    this.node = node;
    this.wanted = wanted;
  }

  /** Takes slots for which `may` is true, from slot 0 on, from nodes that hold more than `keeps`. */
  take(keeps: Int32Array, may: (slot: number) => boolean): void {
    for (let slot = 0; slot < SLOT_COUNT && this.lacks(); slot++) if (may(slot)) this.takeOne(slot, keeps);
  }

  /** Takes slots next to those the node holds: forwards, then backwards. */
  grow(keeps: Int32Array): void {
    const { draft, node } = this;
    this.take(keeps, (slot) => slot > 0 && draft.holds(slot - 1, node));
    for (let slot = SLOT_COUNT - 2; slot >= 0 && this.lacks(); slot--)
      if (draft.holds(slot + 1, node)) this.takeOne(slot, keeps);
  }

  private lacks(): boolean {
    return this.draft.load[this.node]! < this.wanted;
  }

  /**
   * Takes the slot from the owner whose leaving gives it the same owners as a neighbour, or else from the owner that
   * exceeds its `keeps` by most.
   */
  private takeOne(slot: number, keeps: Int32Array): void {
    const { draft, node } = this;
    if (draft.holds(slot, node)) return;
    const start = slot * draft.ownerCount;
    let best = NOBODY;
    let bestWorth = 0;
    for (let place = start; place < start + draft.ownerCount; place++) {
      const owner = draft.nodeAt[place]!;
      const excess = draft.load[owner]! - keeps[owner]!;
      if (excess <= 0 || !draft.fits(slot, node, owner)) continue;
      const worth = excess + (this.joins(slot, owner) ? JOINS : 0);
      if (worth <= bestWorth) continue;
      best = place;
      bestWorth = worth;
    }
    if (best !== NOBODY) draft.replace(best, node);
  }

  /** True if the slot would then have the same owners as a neighbour. */
  private joins(slot: number, leaving: number): boolean {
    const { draft, node } = this;
    const isLike = (other: number): boolean =>
      other >= 0 && other < SLOT_COUNT && draft.holds(other, node) && draft.isWithin(slot, other, leaving);
    return isLike(slot - 1) || isLike(slot + 1);
  }
}

function visitTakers(draft: SlotDraft, node: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  for (const place of draft.placesInOrder(node)) {
    const slot = draft.slotOfPlace(place);
    for (let taker = 0; taker < draft.nodeCount; taker++) {
      if (told.has(taker) || !draft.fits(slot, taker, node)) continue;
      if (told.tell(taker, slot)) return;
    }
  }
}

function visitGivers(draft: SlotDraft, node: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  for (let place = 0; place < draft.nodeAt.length; place++) {
    const giver = draft.nodeAt[place]!;
    const slot = draft.slotOfPlace(place);
    if (giver === node || told.has(giver) || !draft.fits(slot, node, giver)) continue;
    if (told.tell(giver, slot)) return;
  }
}
