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

/** A node should be first in the part of its share that is one of `ownerCount`. */
export function balanceFirsts(draft: SlotDraft, share: Float64Array): void {
  const firstShare = share.map((places) => places / draft.ownerCount);
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
    takers: (node, visit) => {
      const slots = draft.placesInOrder(node).filter((place) => draft.isFirst(place));
      visitBehind(draft, slots, 1, visit);
    },
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
  for (let gone = 0; gone < draft.nodeCount; gone++) {
    const then = share.map((places) => (SLOT_COUNT * places) / (shareSum - share[gone]!));
    for (const over of SECONDS_IMBALANCES) levelSeconds(draft, gone, boundsOfSeconds(draft, then, over));
  }
}

function levelSeconds(draft: SlotDraft, gone: number, bounds: Bounds): void {
  const { nodeAt, ownerCount, nodeCount } = draft;
  const firsts = draft.placesInOrder(gone).filter((place) => draft.isFirst(place));
  const load = new Int32Array(nodeCount);
  for (const first of firsts) load[nodeAt[first + 1]!]! += 1;
  const secondOf = (slot: number): number => nodeAt[slot * ownerCount + 1]!;
  level({
    draft,
    bounds,
    load,
    givers: () => undefined,
    takers: (node, visit) => {
      visitBehind(
        draft,
        firsts.filter((first) => nodeAt[first + 1] === node),
        2,
        visit,
      );
    },
    canMove: (slot, from, to) =>
      draft.firstOf(slot) === gone && secondOf(slot) === from && draft.holds(slot, to),
    move: (slot, from, to) => {
      draft.swap(slot * ownerCount + 1, draft.placeOf(slot, to));
      load[from]! -= 1;
      load[to]! += 1;
    },
  });
}

/** Those who stand from `position` on in the slots whose first places are given. */
function visitBehind(draft: SlotDraft, firsts: readonly number[], position: number, visit: Visit): void {
  const told = new Neighbours(draft.nodeCount, visit);
  for (const first of firsts) {
    const slot = draft.slotOfPlace(first);
    for (let place = first + position; place < first + draft.ownerCount; place++)
      if (told.tell(draft.nodeAt[place]!, slot)) return;
  }
}

/** Who takes over little is not too empty: others may own nothing together with the one that is gone. */
function boundsOfSeconds({ firstLoad, nodeCount }: SlotDraft, then: Float64Array, over: number): Bounds {
  const target = then.map((firsts, node) => Math.max(0, firsts - firstLoad[node]!));
  const none = new Int32Array(nodeCount);
  const ceil = Int32Array.from(target, Math.ceil);
  const high = ceil.map((count, node) => count + Math.floor(then[node]! * over));
  return { low: none, floor: none, ceil, high };
}
