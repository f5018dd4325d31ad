/**
 * In which order the owners of each slot stand. Who they are is settled before (slot-table.ts), and no order copies
 * anything; but clients that route by slots are told a range for each run of slots with the same first owner. So first
 * places are dealt out in runs, as long as the sets of owners and a fair share for everybody allow: three owners of all
 * slots get three runs; where the sets lie scattered a run ends with the first slot that its owner does not own.
 *
 * Who stands second is first while the first one is gone, so second places are dealt out in the same way.
 */
import { SLOT_COUNT } from './limits.ts';
import { balanceFirsts } from './slot-balance.ts';
import { NOBODY } from './slot-draft.ts';
import type { SlotDraft } from './slot-draft.ts';

/**
 * Parts of one: the order that stands, or that the ring gives, stays where another one would have more than this part of
 * its runs. Clients live with a third more ranges better than with other first owners after each change of members; and
 * from some thirty nodes on, where next to each slot is a run, orders dealt out double the rows of the table for little.
 */
const RUNS_WORTH_CHANGING = 0.75;

/** The draft with the owners as they stand, or in another order where that has far fewer runs. */
export function inOrder(draft: SlotDraft, share: Float64Array): SlotDraft {
  balanceFirsts(draft, share);
  const dealt = dealtOut(draft);
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
  owners.deal(all, 0);
  const slotsByFirst: number[][] = Array.from({ length: draft.nodeCount }, () => []);
  for (const slot of all) slotsByFirst[owners.of(slot)[0]!]!.push(slot);
  for (const slots of slotsByFirst) owners.deal(slots, 1);
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
    slots.forEach((slot, at) => {
      const candidates = this.of(slot, position);
      // When the first owner of these slots is gone, whoever is first before them can go on.
      if (position > 0 && slot > 0 && slots[at - 1] !== slot - 1) node = this.of(slot - 1)[0]!;
      if (!candidates.includes(node) || room[node]! <= 0)
        node = longest(candidates, lengths.subarray(at * width), room, quota);
      candidates.copyWithin(1, 0, candidates.indexOf(node));
      candidates[0] = node;
      room[node]! -= 1;
    });
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
