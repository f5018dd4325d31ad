/**
 * The slot table: which nodes own each of the 16,384 slots. The next table is a pure function of the current one and
 * the future members: what may stay stays, the ring proposes the rest, and balance and spread move only what they must.
 * (DESIGN section 4)
 *
 * A ring without memory cannot have both balance and few moves: at 1,000 nodes, one joining node moved 2.1 times the
 * minimum. Hence the table is carried from epoch to epoch, and the ring is asked only where the table changes.
 */
import { SLOT_COUNT } from '../limits.ts';
import { makeRing, type Hash32, type Ring } from './ring.ts';
import { balancePlaces, boundsOf } from './slot-balance.ts';
import { NOBODY, SlotDraft } from './slot-draft.ts';
import { fillPlaces, ringChoice } from './slot-fill.ts';
import { ordering } from './slot-order.ts';
import { makeSpread } from './spread.ts';
import type { Member, SlotRow, Topology } from '../membership/topology.ts';

export type PlacementMember = Pick<Member, 'id' | 'name' | 'zone' | 'host' | 'weight'>;
/** Ids of the members that own a slot, the preferred coordinator first. Ids of former members may appear. */
export type OwnersOfSlot = (slot: number) => readonly number[];

export interface PlacementInput {
  /**
   * The members that may own slots; names and ids are unique, and order does not matter. A member of weight 0 owns as
   * little as possible.
   */
  readonly members: readonly PlacementMember[];
  readonly replicaCount: number;
  /** The current table, or null at the founding. */
  readonly previous: OwnersOfSlot | null;
  readonly hash32: Hash32;
}

export interface Placement {
  /** Distinct rows of member ids, ordered by the first slot of each. */
  readonly owners: number[][];
  /** Row number of each slot. */
  readonly slotRow: Uint16Array;
}

export function placeSlots(input: PlacementInput): Placement {
  const work = placing(input);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/**
 * The same in steps of a few to some tens of milliseconds each, so that a serving node can answer requests between two
 * of them.
 */
export function* placing(input: PlacementInput): Generator<undefined, Placement, void> {
  const members = candidates(input);
  const ownerCount = Math.min(input.replicaCount, members.length);
  if (ownerCount === 0) return { owners: [[]], slotRow: new Uint16Array(SLOT_COUNT) };
  const spread = makeSpread(members, ownerCount, SLOT_COUNT);
  const bounds = boundsOf(spread.share);
  const draft = new SlotDraft(members.length, ownerCount, spread.levels);
  const ring = ringOf(members, input.hash32);
  yield;
  if (input.previous !== null) keepOwners(draft, members, input.previous, spread.share);
  yield;
  fillPlaces(draft, ring, bounds, spread.share);
  yield;
  balancePlaces(draft, bounds, ringChoice(draft, ring));
  yield;
  const ordered = yield* ordering(draft, spread.share, input.previous !== null);
  yield;
  return rowsByContent(ordered, members);
}

/** The placement as topology rows in which every owner is complete, as at a founding. */
export function rowsOf(placement: Placement): Pick<Topology, 'rows' | 'slotRow'> {
  const rows = placement.owners.map((owners): SlotRow => ({ owners, complete: owners }));
  return { rows, slotRow: placement.slotRow };
}

/** The current table in the form that `placeSlots` takes. */
export function ownersOfSlotIn(topology: Pick<Topology, 'rows' | 'slotRow'>): OwnersOfSlot {
  return (slot) => topology.rows[topology.slotRow[slot]!]!.owners;
}

/** Slots with the same owners in the same order share a row. */
function rowsByContent(draft: SlotDraft, members: readonly PlacementMember[]): Placement {
  const rowByNodes = new Map<string, number>();
  const owners: number[][] = [];
  const slotRow = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const nodes = draft.textOf(slot);
    let row = rowByNodes.get(nodes);
    if (row === undefined) {
      row = owners.push(draft.ownersOf(slot).map((node) => members[node]!.id)) - 1;
      rowByNodes.set(nodes, row);
    }
    slotRow[slot] = row;
  }
  return { owners, slotRow };
}

/** Sorted by name, so that the order in which members are listed cannot change the table. */
function candidates({ members, replicaCount }: PlacementInput): PlacementMember[] {
  const weighty = members.filter((member) => member.weight > 0);
  const chosen = weighty.length >= Math.min(replicaCount, members.length) ? weighty : [...members];
  return chosen.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id));
}

function ringOf(members: readonly PlacementMember[], hash32: Hash32): Ring {
  const names = members.map((member) => member.name);
  const weights = members.map((member) => member.weight);
  return makeRing(names, weights, hash32);
}

/**
 * Keeps owners that are still members, in their order. Where they break the spread (because a third zone was added,
 * say), those that hold most relative to their share leave.
 */
function keepOwners(
  draft: SlotDraft,
  members: readonly PlacementMember[],
  previous: OwnersOfSlot,
  share: Float64Array,
): void {
  const nodeOfId = new Map(members.map((member, node) => [member.id, node]));
  const keptOf: number[][] = [];
  // The slots of one row share one list.
  const keptOfRow = new Map<readonly number[], number[]>();
  const load = new Float64Array(draft.nodeCount);
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const owners = previous(slot);
    let kept = keptOfRow.get(owners);
    if (kept === undefined) {
      const nodes = owners.map((id) => nodeOfId.get(id)).filter((node) => node !== undefined);
      keptOfRow.set(owners, (kept = [...new Set(nodes)]));
    }
    for (const node of kept) load[node]!++;
    keptOf.push(kept);
  }
  let lastLeft: readonly number[] = [];
  keptOf.forEach((kept, slot) => {
    if (addAll(draft, slot, kept)) return;
    // A node that left the previous slot keeps leaving while it holds more than its share: so runs of slots stay
    // together.
    const leaves = (node: number): boolean => lastLeft.includes(node) && load[node]! > share[node]!;
    const before = [...kept].sort(
      (a, b) => Number(leaves(a)) - Number(leaves(b)) || load[a]! / share[a]! - load[b]! / share[b]!,
    );
    for (const node of before) {
      const full = draft.takenCount(slot) === draft.ownerCount;
      if (!full && draft.fits(slot, node, NOBODY)) draft.add(slot, node);
      else load[node]!--;
    }
    lastLeft = kept.filter((node) => !draft.holds(slot, node));
    draft.rewrite(
      slot,
      kept.filter((node) => draft.holds(slot, node)),
    );
  });
}

/** Usually all owners may stay. If one does not fit, the slot is left empty, and false is returned. */
function addAll(draft: SlotDraft, slot: number, nodes: readonly number[]): boolean {
  if (nodes.length > draft.ownerCount) return false;
  for (const node of nodes) {
    if (!draft.fits(slot, node, NOBODY)) {
      draft.rewrite(slot, []);
      return false;
    }
    draft.add(slot, node);
  }
  return true;
}
