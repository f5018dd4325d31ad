/**
 * Evens out which owners are first, and which are first while another is down. Only the order of owners changes, so no
 * data moves. Works in runs of slots, as placement does (slot-chains.ts).
 */
import { SLOT_COUNT } from '../limits.ts';
import { boundsOf } from './slot-balance.ts';
import { level, Neighbours, type Bounds, type Visit } from './slot-chains.ts';
import type { SlotDraft } from './slot-draft.ts';

/**
 * Fraction by which a node may be first for more or fewer slots than its part. Smaller than for places, because it
 * costs nothing.
 */
const FIRSTS_IMBALANCE_MAX = 0.02;
/**
 * Fractions by which a node may exceed the slots it should be first for while another node is down. Applied step by
 * step: where few nodes share slots the last one cannot be met, and the excess should not all fall on one node.
 */
const SECONDS_IMBALANCES = [0.12, 0.06, 0.03, 0.015];

/**
 * A node should be first for the same fraction of the slots as it has of all shares; a node of weight 0, which has no
 * share, for none.
 */
export function balanceFirsts(draft: SlotDraft, share: Float64Array): void {
  const shareSum = share.reduce((sum, places) => sum + places, 0);
  const firstShare = share.map((places) => (shareSum === 0 ? 0 : (places * SLOT_COUNT) / shareSum));
  level({
    draft,
    bounds: boundsOf(firstShare, FIRSTS_IMBALANCE_MAX),
    load: draft.firstLoad,
    givers: (node, visit) => {
      const told = new Neighbours(draft.nodeCount, visit);
      for (const place of draft.placesInOrder(node)) {
        if (draft.isFirst(place)) continue;
        const slot = draft.slotOfPlace(place);
        if (told.tell(draft.firstOf(slot), slot)) return;
      }
    },
    takers: (node, visit) => visitBehind(draft, draft.placesInOrder(node), 1, visit),
    canMove: (slot, from, to) => draft.firstOf(slot) === from && draft.holds(slot, to),
    move: (slot, _from, to) => draft.makeFirst(draft.placeOf(slot, to)),
  });
}

/**
 * Whichever node is down, the others should be first for their parts: the slots that a node takes over from it, those
 * in which it is second, should together with its own make up the part it should then have.
 */
export function balanceSeconds(draft: SlotDraft, share: Float64Array): void {
  if (draft.ownerCount < 3) return;
  const shareSum = share.reduce((sum, places) => sum + places, 0);
  const firstsOf: number[][] = Array.from({ length: draft.nodeCount }, () => []);
  for (let first = 0; first < draft.nodeAt.length; first += draft.ownerCount)
    firstsOf[draft.nodeAt[first]!]!.push(first);
  const load = new Int32Array(draft.nodeCount);
  // Imbalances of less than one slot are not worth a search.
  const steps = SECONDS_IMBALANCES.filter((over) => (SLOT_COUNT / draft.nodeCount) * over >= 1);
  firstsOf.forEach((firsts, gone) => {
    load.fill(0);
    for (const first of firsts) load[draft.nodeAt[first + 1]!]! += 1;
    const after = (node: number): number => (SLOT_COUNT * share[node]!) / (shareSum - share[gone]!);
    const most = (node: number, over: number): number =>
      mostSeconds(draft.firstLoad[node]!, after(node), over);
    for (const over of steps) {
      if (load.some((count, node) => count > most(node, over)))
        levelSeconds(draft, firsts, load, boundsOfSeconds(draft, after, over));
    }
  });
}

/**
 * How often a node that is first for `firsts` slots, and should be first for `after` slots when another node is down,
 * may be second to that node.
 */
function mostSeconds(firsts: number, after: number, over: number): number {
  return Math.ceil(Math.max(0, after - firsts)) + Math.floor(after * over);
}

/** There is no lower bound: a node may share no slots with the one that is down. */
function boundsOfSeconds(
  { firstLoad, nodeCount }: SlotDraft,
  after: (node: number) => number,
  over: number,
): Bounds {
  const none = new Int32Array(nodeCount);
  const ceil = firstLoad.map((firsts, node) => mostSeconds(firsts, after(node), 0));
  const high = firstLoad.map((firsts, node) => mostSeconds(firsts, after(node), over));
  return { low: none, floor: none, ceil, high };
}

/** `firsts`: the first places of one node. `load`: how often each other node is second to it. */
function levelSeconds(draft: SlotDraft, firsts: readonly number[], load: Int32Array, bounds: Bounds): void {
  const { nodeAt, ownerCount } = draft;
  const gone = nodeAt[firsts[0]!]!;
  level({
    draft,
    bounds,
    load,
    givers: () => undefined,
    takers: (node, visit) => {
      const slots = firsts.filter((first) => nodeAt[first + 1] === node);
      visitBehind(draft, slots, 2, visit);
    },
    canMove: (slot, from, to) => {
      const first = slot * ownerCount;
      return nodeAt[first] === gone && nodeAt[first + 1] === from && draft.holds(slot, to);
    },
    move: (slot, from, to) => {
      draft.swap(slot * ownerCount + 1, draft.placeOf(slot, to));
      load[from]! -= 1;
      load[to]! += 1;
    },
  });
}

/** Visits the owners from `position` on, in the slots whose first place is among `places`. */
function visitBehind(draft: SlotDraft, places: readonly number[], position: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  const { nodeAt, ownerCount } = draft;
  // Runs for each link of each chain, so it does not build a list.
  for (const first of places) {
    if (first % ownerCount !== 0) continue;
    for (let place = first + position; place < first + ownerCount; place++) {
      const node = nodeAt[place]!;
      if (!told.has(node) && told.tell(node, first / ownerCount)) return;
    }
  }
}
