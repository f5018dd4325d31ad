/**
 * What is left to do where all who held a slot completely are gone for good: an operator gives them up. Their slots then
 * have no complete owner on record; the first living owner of each makes it whole from PostgreSQL and from what it has
 * left over, the higher version of each key, and is made complete by an epoch like any learner. Until then nobody serves
 * the slot. Nothing here happens by itself. (DESIGN 3, PROTOCOL R21, R28)
 */
import { slotsOfRow } from './slot-index.ts';
import type { SlotTable } from './slot-index.ts';
import { destinations, rebuilt } from './slot-moves.ts';
import type { Place } from './topology-change.ts';
import { isAlive, isForsaken, memberById, placeable } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

export interface Loss {
  /** Slots whose last complete owners are all gone, ascending; an operator has not given them up. */
  readonly slots: readonly number[];
  /** Their last complete owners, by the number of slots: any one that returns with its disk brings its slots back. */
  readonly holders: readonly Holder[];
  /** Slots that were given up and that nobody has made whole yet. */
  readonly recovering: number;
}

export interface Holder {
  readonly id: number;
  /** '' where no member has the id any more: its disk came back empty, or it left. */
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
 * The last complete owners of all lost slots are given up. `slotCount` is what the operator was shown: null where it is
 * another by now, and where nothing is lost. A slot of which no owner at all lives is given to living members, and stays
 * with them: shared out anew at once it would be headed for the dead, and fewer would hold it than a write needs.
 */
export function giveUp(topology: Topology, slotCount: number, place: Place): Topology | null {
  if (slotCount === 0 || lossOf(topology).slots.length !== slotCount) return null;
  if (!placeable(topology).some((member) => member.alive)) return null;
  const table = forsake(topology, (row) => isLost(topology, row), place);
  return { ...topology, epoch: topology.epoch + 1, ...table };
}

/** These rows have no complete owner any more: a living owner, or who is given the slot, makes them whole. */
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

/** Given up, it is lost again when nobody is left who could make it whole. */
function isLost(topology: Topology, row: SlotRow): boolean {
  if (isForsaken(row)) return !row.owners.some((id) => isAlive(topology, id));
  return !row.complete.some((id) => isAlive(topology, id));
}
