/**
 * The order of the owners of each slot. Which nodes own it is decided before (slot-table.ts), and an order moves no
 * data. But clients that route by slot are told one range per run of slots with the same first owner. So first places
 * are dealt out in runs, as long as the sets of owners and fair shares allow: three owners of all slots get three runs;
 * where the sets are scattered, a run ends at the first slot that its owner does not own.
 *
 * The second owner becomes first while the first is down, so second places are dealt out in the same way.
 */
import { SLOT_COUNT } from '../limits.ts';
import { balanceFirsts, balanceSeconds } from './slot-firsts.ts';
import { NOBODY } from './slot-draft.ts';
import type { SlotDraft } from './slot-draft.ts';

/** The current order is kept while it has at most this many runs per node... */
const RUNS_PER_NODE_FEW = 16;
/**
 * ...and unless another order would have fewer than this fraction of its runs. Clients cope better with some more
 * ranges than with new first owners after each change of members. And with many nodes, in a table from before sets of
 * owners came in runs, dealing orders out again gains little.
 */
const RUNS_WORTH_CHANGING = 0.75;
/**
 * If no candidate has room, the current one goes on by this fraction beyond its room, and the rest is levelled
 * afterwards.
 */
const ROOM_EXCEEDED_MAX = 0.02;

/** The draft with the owners in their present order or, if it has far fewer runs, in another. */
export function* ordering(
  draft: SlotDraft,
  share: Float64Array,
  stands: boolean,
): Generator<undefined, SlotDraft, void> {
  balanceFirsts(draft, share);
  yield;
  const runs = runCount(draft);
  const ordered = stands && runs <= RUNS_PER_NODE_FEW * draft.nodeCount ? draft : yield* fewer(draft, share);
  balanceSeconds(ordered, share);
  return ordered;
}

function* fewer(draft: SlotDraft, share: Float64Array): Generator<undefined, SlotDraft, void> {
  const dealt = dealtOut(draft);
  yield;
  balanceFirsts(dealt, share);
  return runCount(dealt) < RUNS_WORTH_CHANGING * runCount(draft) ? dealt : draft;
}

/** Counts runs of slots with the same first owner. */
function runCount({ nodeAt, ownerCount }: SlotDraft): number {
  let runs = 1;
  for (let place = ownerCount; place < nodeAt.length; place += ownerCount) {
    if (nodeAt[place] !== nodeAt[place - ownerCount]) runs += 1;
  }
  return runs;
}

/** Depends only on who owns what, so the result stays the same until that changes. */
function dealtOut(draft: SlotDraft): SlotDraft {
  const owners = new Owners(draft);
  const all = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  if (draft.ownerCount === 2) owners.dealPairs(all);
  else owners.deal(all, 0);
  const slotsByFirst: number[][] = Array.from({ length: draft.nodeCount }, () => []);
  for (const slot of all) slotsByFirst[owners.of(slot)[0]!]!.push(slot);
  if (draft.ownerCount > 2) for (const slots of slotsByFirst) owners.deal(slots, 1);
  const dealt = draft.emptyCopy();
  for (const slot of all) dealt.rewrite(slot, Array.from(owners.of(slot)));
  return dealt;
}

/** The owners of each slot, ordered by number except for the places already dealt out. */
class Owners {
  private readonly nodeCount: number;
  private readonly ownerCount: number;
  private readonly nodeAt: Int16Array;

  constructor({ nodeCount, ownerCount, nodeAt }: SlotDraft) {
    this.nodeCount = nodeCount;
    this.ownerCount = ownerCount;
    this.nodeAt = nodeAt.slice();
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) this.of(slot).sort();
  }

  /** The owners from place `position` on. */
  of(slot: number, position = 0): Int16Array {
    return this.nodeAt.subarray(slot * this.ownerCount + position, (slot + 1) * this.ownerCount);
  }

  /**
   * Gives the place `position` of each of the ascending slots to an owner that has no earlier place in it. An owner
   * continues while it owns the slots and has room; then the candidate that can continue longest follows, and among
   * equals the one that has received least of its quota.
   */
  deal(slots: readonly number[], position: number): void {
    const width = this.ownerCount - position;
    const lengths = this.lengths(slots, position);
    const quota = this.quotas(slots, position);
    const room = quota.slice();
    let node = NOBODY;
    let roomMin = 0;
    slots.forEach((slot, at) => {
      const candidates = this.of(slot, position);
      // At a gap, continue with the first owner of the slot before: it is first on both sides while the first owner of
      // these slots is down.
      if (position > 0 && slot > 0 && slots[at - 1] !== slot - 1) node = this.of(slot - 1)[0]!;
      if (!candidates.includes(node) || room[node]! <= roomMin) {
        node = longest(candidates, lengths.subarray(at * width), room, quota);
        const isFull = room[node]! <= 0;
        roomMin = isFull ? room[node]! - Math.ceil(quota[node]! * ROOM_EXCEEDED_MAX) : 0;
      }
      candidates.copyWithin(1, 0, candidates.indexOf(node));
      candidates[0] = node;
      room[node]! -= 1;
    });
  }

  /**
   * With two owners there is no choice of the second. So of the slots that two nodes own together, each is first for
   * half: whichever node is down, each other node takes over half of what it shares with it.
   */
  dealPairs(slots: readonly number[]): void {
    const { nodeCount } = this;
    const lengths = this.lengths(slots, 0);
    const room = this.halves(slots);
    let node = NOBODY;
    slots.forEach((slot, at) => {
      const pair = this.of(slot);
      const [a, b] = [pair[0]!, pair[1]!];
      const roomOfA = room[a * nodeCount + b]!;
      const roomOfB = room[b * nodeCount + a]!;
      const goesOn = (node === a && roomOfA > 0) || (node === b && roomOfB > 0);
      if (!goesOn) {
        const isLonger = lengths[at * 2]! >= lengths[at * 2 + 1]!;
        node = roomOfB <= 0 || (isLonger && roomOfA > 0) ? a : b;
      }
      const other = node === a ? b : a;
      room[node * nodeCount + other]! -= 1;
      pair.set([node, other]);
    });
  }

  /** For each pair of nodes, half the number of slots that they own together. */
  private halves(slots: readonly number[]): Int32Array {
    const { nodeCount } = this;
    const counts = new Int32Array(nodeCount * nodeCount);
    for (const slot of slots) {
      const [a, b] = this.of(slot);
      counts[a! * nodeCount + b!]! += 1;
      counts[b! * nodeCount + a!]! += 1;
    }
    return counts.map((count) => Math.ceil(count / 2));
  }

  /** For how many consecutive slots, from each slot on, each candidate for the place is an owner. */
  private lengths(slots: readonly number[], position: number): Uint16Array {
    const width = this.ownerCount - position;
    const lengths = new Uint16Array(slots.length * width);
    const lengthOf = new Uint16Array(this.nodeCount);
    const seenAt = new Int32Array(this.nodeCount);
    for (let at = slots.length - 1; at >= 0; at -= 1) {
      this.of(slots[at]!, position).forEach((node, index) => {
        lengthOf[node] = seenAt[node] === at + 1 ? lengthOf[node]! + 1 : 1;
        seenAt[node] = at;
        lengths[at * width + index] = lengthOf[node]!;
      });
    }
    return lengths;
  }

  /**
   * What each node would get if every slot were divided equally among its candidates; such quotas can always be met,
   * whatever the spread.
   */
  private quotas(slots: readonly number[], position: number): Int32Array {
    const width = this.ownerCount - position;
    const count = new Int32Array(this.nodeCount);
    for (const slot of slots) for (const node of this.of(slot, position)) count[node]! += 1;
    return count.map((owned) => Math.ceil(owned / width));
  }
}

function longest(candidates: Int16Array, lengths: Uint16Array, room: Int32Array, quota: Int32Array): number {
  let best = NOBODY;
  let bestLength = -1;
  let bestLack = 0;
  candidates.forEach((node, index) => {
    const length = Math.min(lengths[index]!, Math.max(0, room[node]!));
    const lack = room[node]! / quota[node]!;
    if (length < bestLength || (length === bestLength && lack <= bestLack)) return;
    best = node;
    bestLength = length;
    bestLack = lack;
  });
  return best;
}
