/**
 * Handles the loss of all complete owners of a slot: an operator gives them up. The slot then has no complete owner on
 * record. Its first living owner makes it whole from PostgreSQL and its own leftovers, taking the higher version of
 * each key, and an epoch makes it complete like any learner. Until then nobody serves the slot. Nothing here happens
 * without an operator. (DESIGN 3, PROTOCOL R21, R28)
 */
import { slotsOfRow } from '../placement/slot-index.ts';
import type { SlotTable } from '../placement/slot-index.ts';
import { destinations, rebuilt } from '../placement/slot-moves.ts';
import type { Place } from '../membership/topology-change.ts';
import { isAlive, isForsaken, memberById, placeable } from '../membership/topology.ts';
import type { SlotRow, Topology } from '../membership/topology.ts';

export interface Loss {
  /** Slots whose last complete owners are all gone and have not been given up, ascending. */
  readonly slots: readonly number[];
  /**
   * Their last complete owners, with the number of slots each: any one that returns with its disk brings its slots
   * back.
   */
  readonly holders: readonly Holder[];
  /** Slots that were given up and have not been made whole yet. */
  readonly recovering: number;
}

export interface Holder {
  readonly id: number;
  /** '' if no member has the id any more: its disk came back empty, or it left. */
  readonly name: string;
  readonly slots: number;
}

export function lossOf(topology: Topology): Loss {
  const slots: number[] = [];
  const counts = new Map<number, number>();
  let recovering = 0;
  topology.rows.forEach((row, number) => {
    const own = slotsOfRow(topology, number);
    if (!isLost(topology, row)) {
      if (isForsaken(row)) recovering += own.length;
      return;
    }
    slots.push(...own);
    for (const id of row.complete) counts.set(id, (counts.get(id) ?? 0) + own.length);
  });
  const holders = [...counts].map(([id, count]) => {
    return { id, name: memberById(topology, id)?.name ?? '', slots: count };
  });
  return {
    slots: slots.sort((a, b) => a - b),
    holders: holders.sort((a, b) => b.slots - a.slots || a.id - b.id),
    recovering,
  };
}

/**
 * Gives up the last complete owners of all lost slots. `slotCount` is the number that the operator was shown. Returns
 * null if the number has changed, or nothing is lost. A slot without any live owner is given to live members and stays
 * with them: if it were shared out again at once, its destination would be the dead, and fewer members would hold it
 * than a write needs.
 */
export function giveUp(topology: Topology, slotCount: number, place: Place): Topology | null {
  if (slotCount === 0 || lossOf(topology).slots.length !== slotCount) return null;
  if (!placeable(topology).some((member) => member.alive)) return null;
  const table = forsake(topology, (row) => isLost(topology, row), place);
  return { ...topology, epoch: topology.epoch + 1, ...table };
}

/**
 * Removes the complete owners of these rows from the record: a living owner, or the member that is given the slot,
 * makes them whole.
 */
export function forsake(topology: Topology, isGone: (row: SlotRow) => boolean, place: Place): SlotTable {
  const living = placeable(topology).filter((member) => member.alive);
  const heirs = place(living, destinations(topology));
  const gone = topology.rows.map(isGone);
  return rebuilt(topology, (slot, number): SlotRow => {
    const row = topology.rows[number]!;
    if (!gone[number]!) return row;
    if (row.owners.some((id) => isAlive(topology, id))) return { ...row, complete: [] };
    const coming = heirs.rows[heirs.slotRow[slot]!]!.owners;
    const owners = [...row.owners, ...coming.filter((id) => !row.owners.includes(id))];
    return { owners, complete: [], coming };
  });
}

/** A slot that was given up is lost again if nobody is left who could make it whole. */
function isLost(topology: Topology, row: SlotRow): boolean {
  if (isForsaken(row)) return !row.owners.some((id) => isAlive(topology, id));
  return !row.complete.some((id) => isAlive(topology, id));
}
