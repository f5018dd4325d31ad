/**
 * Brings a complete slot draft back into balance with few moves: a place goes straight from a node that has
 * too many to one that has too few; where the spread forbids every straight hand-over, along the shortest
 * chain of hand-overs through other nodes. The same for first places, which move no data.
 *
 * Inside the band around its share (`low` to `high`) a node is left alone: small changes elsewhere move nothing.
 */
import { SLOT_COUNT } from './limits.ts';
import { NOBODY, type SlotDraft } from './slot-draft.ts';

/** Parts of one: the largest load is at most this much above the share. (DESIGN section 4) */
export const IMBALANCE_MAX = 0.05;
/** Nodes looked at in all searches for chains of one change: bounds its time, about a second at the most. */
const CHAIN_VISITS_MAX = 4000;
/** Shares are sums of fractions: a whole number may come out a hair beside. */
const SHARE_NOISE = 1e-6;

export interface Bounds {
  /** Below `low` a node is filled up to `floor`. */
  readonly low: Int32Array;
  readonly floor: Int32Array;
  readonly ceil: Int32Array;
  /** Above `high` a node gives away. */
  readonly high: Int32Array;
}

export function boundsOf(share: Float64Array): Bounds {
  const floor = Int32Array.from(share, (value) => Math.floor(value + SHARE_NOISE));
  const ceil = Int32Array.from(share, (value) => Math.ceil(value - SHARE_NOISE));
  return {
    low: Int32Array.from(share, (value, node) =>
      Math.min(floor[node]!, Math.ceil(value * (1 - IMBALANCE_MAX))),
    ),
    floor,
    ceil,
    high: Int32Array.from(share, (value, node) =>
      Math.max(ceil[node]!, Math.floor(value * (1 + IMBALANCE_MAX))),
    ),
  };
}

/** `prefers(slot, node)`: does the ring itself put the node there? Such slots are handed to it first. */
export function balancePlaces(
  draft: SlotDraft,
  bounds: Bounds,
  prefers: (slot: number, node: number) => boolean,
): void {
  const { load } = draft;
  for (let node = 0; node < draft.nodeCount; node++) {
    if (load[node]! >= bounds.low[node]!) continue;
    for (const keeps of [bounds.high, bounds.floor, bounds.low]) {
      takeStraight(draft, node, bounds.floor[node]!, keeps, prefers);
      takeStraight(draft, node, bounds.floor[node]!, keeps, undefined);
    }
  }
  level({
    draft,
    bounds,
    load,
    givers: (node, visit) => visitGivers(draft, node, visit),
    takers: (node, visit) => visitTakers(draft, node, visit),
    move: (place, from, to) => {
      if (draft.nodeAt[place] !== from || !draft.fits(draft.slotOfPlace(place), to, from)) return false;
      draft.replace(place, to);
      return true;
    },
  });
}

/** A node should be first in the part of its share that is one of `ownerCount`. */
export function balanceFirsts(draft: SlotDraft, share: Float64Array): void {
  const firstShare = share.map((places) => places / draft.ownerCount);
  level({
    draft,
    bounds: boundsOf(firstShare),
    load: draft.firstLoad,
    givers: (node, visit) => {
      const told = new Neighbours(draft.nodeCount, visit);
      for (const place of draft.placesOf[node]!) {
        if (draft.isFirst(place)) continue;
        if (told.tell(draft.nodeAt[draft.slotOfPlace(place) * draft.ownerCount]!, place)) return;
      }
    },
    takers: (node, visit) => {
      const told = new Neighbours(draft.nodeCount, visit);
      for (const first of draft.placesOf[node]!) {
        if (!draft.isFirst(first)) continue;
        for (let place = first + 1; place < first + draft.ownerCount; place++) {
          if (told.tell(draft.nodeAt[place]!, place)) return;
        }
      }
    },
    move: (place, from, to) => {
      const first = draft.slotOfPlace(place) * draft.ownerCount;
      if (draft.nodeAt[place] !== to || draft.nodeAt[first] !== from) return false;
      draft.makeFirst(place);
      return true;
    },
  });
}

/** Takes places from nodes that hold more than `keeps`, one pass over the slots, until `node` holds `wanted`. */
function takeStraight(
  draft: SlotDraft,
  node: number,
  wanted: number,
  keeps: Int32Array,
  prefers: ((slot: number, node: number) => boolean) | undefined,
): void {
  const { load, nodeAt, ownerCount } = draft;
  for (let slot = 0; slot < SLOT_COUNT && load[node]! < wanted; slot++) {
    if (prefers !== undefined && !prefers(slot, node)) continue;
    let best = NOBODY;
    let bestExcess = 0;
    for (let place = slot * ownerCount; place < (slot + 1) * ownerCount; place++) {
      const owner = nodeAt[place]!;
      if (owner === node) break;
      const excess = load[owner]! - keeps[owner]!;
      if (excess > bestExcess && draft.fits(slot, node, owner)) {
        best = place;
        bestExcess = excess;
      }
    }
    if (best !== NOBODY && !draft.holds(slot, node)) draft.replace(best, node);
  }
}

/** Told of each neighbour and the place that would change hands; true ends the visits. */
type Visit = (neighbour: number, place: number) => boolean;

interface Levelling {
  readonly draft: SlotDraft;
  readonly bounds: Bounds;
  readonly load: Int32Array;
  /** Nodes that could hand something to `node`. */
  readonly givers: (node: number, visit: Visit) => void;
  /** Nodes to which `node` could hand something. */
  readonly takers: (node: number, visit: Visit) => void;
  /** False where an earlier move of the same chain has made this one impossible. */
  readonly move: (place: number, from: number, to: number) => boolean;
}

/** Chains from those above their band, then to those below it. Ends at the latest with the budget of visits. */
function level(task: Levelling): void {
  const { draft, bounds, load } = task;
  const budget = { visits: CHAIN_VISITS_MAX + draft.nodeCount };
  for (let node = 0; node < draft.nodeCount; node++) {
    while (load[node]! > bounds.high[node]!) {
      const chain =
        findChain(draft.nodeCount, node, task.takers, (end) => load[end]! < bounds.ceil[end]!, budget) ??
        findChain(draft.nodeCount, node, task.takers, (end) => load[end]! < bounds.high[end]!, budget);
      if (chain === undefined || !hand(chain, (hop) => task.move(hop.place, hop.node, hop.next))) break;
    }
  }
  for (let node = 0; node < draft.nodeCount; node++) {
    if (load[node]! >= bounds.low[node]!) continue;
    while (load[node]! < bounds.floor[node]!) {
      const chain =
        findChain(draft.nodeCount, node, task.givers, (end) => load[end]! > bounds.floor[end]!, budget) ??
        findChain(draft.nodeCount, node, task.givers, (end) => load[end]! > bounds.low[end]!, budget);
      if (chain === undefined || !hand(chain, (hop) => task.move(hop.place, hop.next, hop.node))) break;
    }
  }
}

interface Hop {
  readonly node: number;
  readonly next: number;
  readonly place: number;
}

/** From the far end on, so that every step in between is itself a valid table. */
function hand(chain: readonly Hop[], move: (hop: Hop) => boolean): boolean {
  for (let at = chain.length - 1; at >= 0; at--) {
    if (!move(chain[at]!)) return false;
  }
  return true;
}

/** Breadth first: the fewest hops from `start` to a node for which `isEnd` holds. */
function findChain(
  nodeCount: number,
  start: number,
  neighbours: (node: number, visit: Visit) => void,
  isEnd: (node: number) => boolean,
  budget: { visits: number },
): Hop[] | undefined {
  const cameBy: (Hop | undefined)[] = new Array<Hop | undefined>(nodeCount);
  const seen = new Uint8Array(nodeCount);
  seen[start] = 1;
  const queue = [start];
  let end = NOBODY;
  for (let at = 0; at < queue.length && end === NOBODY && budget.visits > 0; at++) {
    const node = queue[at]!;
    budget.visits--;
    neighbours(node, (next, place) => {
      if (seen[next] === 1) return false;
      seen[next] = 1;
      cameBy[next] = { node, next, place };
      if (isEnd(next)) end = next;
      else queue.push(next);
      return end !== NOBODY;
    });
  }
  if (end === NOBODY) return undefined;
  const chain: Hop[] = [];
  for (let hop = cameBy[end]; hop !== undefined; hop = cameBy[hop.node]) chain.unshift(hop);
  return chain;
}

function visitTakers(draft: SlotDraft, node: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  for (const place of draft.placesOf[node]!) {
    const slot = draft.slotOfPlace(place);
    for (let taker = 0; taker < draft.nodeCount; taker++) {
      if (told.has(taker) || !draft.fits(slot, taker, node)) continue;
      if (told.tell(taker, place)) return;
    }
  }
}

function visitGivers(draft: SlotDraft, node: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  for (let place = 0; place < draft.nodeAt.length; place++) {
    const giver = draft.nodeAt[place]!;
    if (giver === node || told.has(giver) || !draft.fits(draft.slotOfPlace(place), node, giver)) continue;
    if (told.tell(giver, place)) return;
  }
}

/** The neighbours of one node: each is told of once, with the first place that is found for it. */
class Neighbours {
  private readonly told: Uint8Array;
  private readonly visit: Visit;
  /** All but the node itself. */
  private left: number;

  constructor(nodeCount: number, visit: Visit) {
    this.told = new Uint8Array(nodeCount);
    this.visit = visit;
    this.left = nodeCount - 1;
  }

  has(neighbour: number): boolean {
    return this.told[neighbour] === 1;
  }

  /** True where the visits are over: the visitor has what it sought, or nobody is left. */
  tell(neighbour: number, place: number): boolean {
    if (this.told[neighbour] === 1) return false;
    this.told[neighbour] = 1;
    this.left -= 1;
    return this.visit(neighbour, place) || this.left === 0;
  }
}
