/**
 * Evens out who is first, and who is when somebody is gone: orders of owners, which move no data. In runs of slots, as
 * places are (slot-chains.ts).
 */
import { SLOT_COUNT } from './limits.ts';
import { boundsOf } from './slot-balance.ts';
import { level, Neighbours, type Bounds, type Visit } from './slot-chains.ts';
import type { SlotDraft } from './slot-draft.ts';

/** Parts of one: so much above or below its part a node may be first for. Less than of places, for it costs nothing. */
const FIRSTS_IMBALANCE_MAX = 0.02;
/**
 * Parts of what each is to be first for while one is gone, by which it may be above that: by steps, for where few own
 * slots together the last one cannot be met, and what is above it should not all lie with one.
 */
const SECONDS_IMBALANCES = [0.12, 0.06, 0.03, 0.015];

/** A node should be first for as much of all slots as it has of all shares: one of weight 0, which has none, for nothing. */
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
 * Whoever goes, those who stay are first for their parts: what each takes over of the slots of one that goes, which is
 * where it stands second, makes up with its own what it is to have then.
 */
export function balanceSeconds(draft: SlotDraft, share: Float64Array): void {
  if (draft.ownerCount < 3) return;
  const shareSum = share.reduce((sum, places) => sum + places, 0);
  const firstsOf: number[][] = Array.from({ length: draft.nodeCount }, () => []);
  for (let first = 0; first < draft.nodeAt.length; first += draft.ownerCount)
    firstsOf[draft.nodeAt[first]!]!.push(first);
  const load = new Int32Array(draft.nodeCount);
  // Single slots are not worth a look.
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

/** How often one that is first for `firsts` slots, and for `after` of them when another one is gone, may be second to that one. */
function mostSeconds(firsts: number, after: number, over: number): number {
  return Math.ceil(Math.max(0, after - firsts)) + Math.floor(after * over);
}

/** Who takes over little is not too empty: it may own nothing together with the one that is gone. */
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

/** `firsts`: the first places of one node; `load`: how often each of the others stands second behind it. */
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

/** Those who stand from `position` on in the slots of which a first place is among `places`. */
function visitBehind(draft: SlotDraft, places: readonly number[], position: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  const { nodeAt, ownerCount } = draft;
  // Walked through for each link of each chain: no list of its own is made for that.
  for (const first of places) {
    if (first % ownerCount !== 0) continue;
    for (let place = first + position; place < first + ownerCount; place++) {
      const node = nodeAt[place]!;
      if (!told.has(node) && told.tell(node, first / ownerCount)) return;
    }
  }
}
