/**
 * In which order the owners of each slot stand. Who they are is settled before (slot-table.ts), and no order copies
 * anything; but clients that route by slots are told a range for each run of slots with the same first owner. So first
 * places are dealt out in runs, as long as the sets of owners and a fair share for everybody allow: three owners of all
 * slots get three runs; where the sets lie scattered a run ends with the first slot that its owner does not own.
 *
 * Who stands second is first while the first one is gone, so second places are dealt out in the same way.
 */
import { SLOT_COUNT } from './limits.ts';
import { balanceFirsts, balanceSeconds } from './slot-firsts.ts';
import { NOBODY } from './slot-draft.ts';
import type { SlotDraft } from './slot-draft.ts';

/** The order in force stays as long as it has at most so many runs for each node... */
const RUNS_PER_NODE_FEW = 16;
/**
 * ...and where another one would have more than this part of its runs. Clients live with some more ranges better than
 * with other first owners after each change of members; and among many nodes, in a table from before sets of owners lay
 * in runs, orders dealt out double its rows for little.
 */
const RUNS_WORTH_CHANGING = 0.75;
/** Parts of one: whom no candidate with room can follow goes on by so much beyond its room, and the rest is levelled. */
const ROOM_EXCEEDED_MAX = 0.02;

/** The draft with the owners as they stand, or in another order where that has far fewer runs. */
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

/** Runs of slots with the same first owner. */
function runCount({ nodeAt, ownerCount }: SlotDraft): number {
  let runs = 1;
  for (let place = ownerCount; place < nodeAt.length; place += ownerCount) {
    if (nodeAt[place] !== nodeAt[place - ownerCount]) runs += 1;
  }
  return runs;
}

/** Follows from who owns what alone: the same again until that changes. */
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

/** The owners of each slot, in the order of their numbers but for the places that are dealt out. */
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

  /** From the place `position` on. */
  of(slot: number, position = 0): Int16Array {
    return this.nodeAt.subarray(slot * this.ownerCount + position, (slot + 1) * this.ownerCount);
  }

  /**
   * Gives the place `position` of each of the slots, which ascend, to an owner that stands at none before it. One goes
   * on as long as it owns the slots and has room; then follows who can go on longest, and of equals who lacks most.
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
      // When the first owner of these slots is gone, whoever is first before them can go on.
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
   * Of the slots that two own together each is first for one half: with two owners the second is no choice, so whoever is
   * gone, another one takes over half of what it shares with it.
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

  /** Half of the slots that two own together, for each of them. */
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

  /** In how many of the slots, from each on, each candidate for the place is an owner without a gap. */
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

  /** What each would get if every slot gave all its candidates an equal part: so it can be met, whatever the spread. */
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
