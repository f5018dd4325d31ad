/**
 * How slots change hands while everybody goes on: a new table is set as the owners *to come*; of them, those who are
 * new begin to learn, a bounded number of slots at a time; when all who come are complete, the former owners finish
 * what they coordinate and are dropped. Each step is one epoch, and each can be the last for a while: whoever dies in
 * between leaves rows that say what is complete where. (DESIGN 3, PROTOCOL R15, R20, R21)
 */
import { MOVE_SLOTS_MAX, SLOT_COUNT } from './limits.ts';
import type { OwnersOfSlot } from './slot-table.ts';
import { isAlive, learners, liveOwners, retiring } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

export type SlotTable = Pick<Topology, 'rows' | 'slotRow'>;

/** Where each slot is headed: its owners to come, or those it has. */
export function destinations(table: SlotTable): OwnersOfSlot {
  return (slot) => {
    const row = table.rows[table.slotRow[slot]!]!;
    return row.coming ?? row.owners;
  };
}

/**
 * From now on the slots are headed for `to`. Learners that are no longer to come are dropped at once, for they hold no
 * lease; complete owners stay until those who come are complete.
 */
export function headFor(table: SlotTable, to: OwnersOfSlot): SlotTable {
  const made = new Map<string, SlotRow>();
  return rebuilt(table, (slot, row) => {
    const coming = to(slot);
    const key = `${table.slotRow[slot]!}>${coming.join(',')}`;
    let next = made.get(key);
    if (next === undefined) {
      const owners = row.owners.filter((id) => row.complete.includes(id) || coming.includes(id));
      next = settled({ owners, complete: row.complete, coming });
      made.set(key, next);
    }
    return next;
  });
}

/** Free members begin to learn slots that wait for them; null where nothing can begin. */
export function beginMoves(topology: Topology): SlotTable | null {
  const { waiting, learning } = movesOf(topology);
  const room = new Map<number, number>();
  for (const id of waiting.keys()) {
    if (isAlive(topology, id) && !learning.has(id)) room.set(id, MOVE_SLOTS_MAX);
  }
  if (room.size === 0) return null;
  let begun = false;
  const table = rebuilt(topology, (_slot, row) => {
    if (row.coming === undefined || liveOwners(topology, row).length === 0) return row;
    const fresh = row.coming.filter((id) => !row.owners.includes(id) && (room.get(id) ?? 0) > 0);
    if (fresh.length === 0) return row;
    begun = true;
    for (const id of fresh) room.set(id, room.get(id)! - 1);
    return settled({ ...row, owners: [...row.owners, ...fresh] });
  });
  return begun ? table : null;
}

/** Former owners go where all who come are complete: those that `mayGo`, and those that can say nothing any more. */
export function dropRetired(topology: Topology, mayGo: (id: number) => boolean): SlotTable | null {
  let dropped = false;
  const made = topology.rows.map((row): SlotRow => {
    const going = retiring(topology, row).filter(
      (id) => !isAlive(topology, id) || !row.complete.includes(id) || mayGo(id),
    );
    if (going.length === 0) return row;
    dropped = true;
    const stays = (id: number): boolean => !going.includes(id);
    return settled({ ...row, owners: row.owners.filter(stays), complete: row.complete.filter(stays) });
  });
  if (!dropped) return null;
  return rebuilt(topology, (slot) => made[topology.slotRow[slot]!]!);
}

/** Slots per member, by what it has to do with them while they change hands. */
export interface Moves {
  /** Slots that are headed for other owners than they have. */
  readonly slotCount: number;
  /** To come, and not begun. */
  readonly waiting: ReadonlyMap<number, number>;
  /** Live members that are copying, for whatever reason. */
  readonly learning: ReadonlyMap<number, number>;
  /** Live complete owners that are asked to finish and say so. */
  readonly retiring: ReadonlyMap<number, number>;
  /** Something may be dropped without anybody's word. */
  readonly hasLeavings: boolean;
}

const known = new WeakMap<readonly SlotRow[], { readonly topology: Topology; readonly moves: Moves }>();

/** Worked out once for each topology: it is asked for with every tick. */
export function movesOf(topology: Topology): Moves {
  const standing = known.get(topology.rows);
  if (standing?.topology === topology) return standing.moves;
  const moves = countMoves(topology);
  known.set(topology.rows, { topology, moves });
  return moves;
}

function countMoves(topology: Topology): Moves {
  const waiting = new Map<number, number>();
  const learning = new Map<number, number>();
  const leaving = new Map<number, number>();
  const counts = new Uint32Array(topology.rows.length);
  const { slotRow } = topology;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) counts[slotRow[slot]!]! += 1;
  let slotCount = 0;
  let hasLeavings = false;
  topology.rows.forEach((row, index) => {
    const count = counts[index]!;
    if (count === 0) return;
    const add = (to: Map<number, number>, id: number): void => void to.set(id, (to.get(id) ?? 0) + count);
    for (const id of learners(topology, row)) add(learning, id);
    if (row.coming === undefined) return;
    slotCount += count;
    // Where nobody lives who could be learned from, nothing can begin.
    const isTaught = liveOwners(topology, row).length > 0;
    for (const id of row.coming) if (isTaught && !row.owners.includes(id)) add(waiting, id);
    for (const id of retiring(topology, row)) {
      if (isAlive(topology, id) && row.complete.includes(id)) add(leaving, id);
      else hasLeavings = true;
    }
  });
  return { slotCount, waiting, learning, retiring: leaving, hasLeavings };
}

/** Nothing is left to move where the owners are those who were to come, in whatever order. */
function settled(row: SlotRow): SlotRow {
  const { owners, complete, coming } = row;
  if (coming === undefined) return row;
  const isThere = coming.length === owners.length && coming.every((id) => owners.includes(id));
  if (!isThere) return row;
  return { owners: coming, complete: coming.filter((id) => complete.includes(id)) };
}

/** A new table, slot by slot; slots whose rows say the same share one. */
function rebuilt(table: SlotTable, next: (slot: number, row: SlotRow) => SlotRow): SlotTable {
  const rows: SlotRow[] = [];
  const numberOf = new Map<SlotRow, number>();
  const byContent = new Map<string, number>();
  const slotRow = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const row = next(slot, table.rows[table.slotRow[slot]!]!);
    let number = numberOf.get(row);
    if (number === undefined) {
      const content = `${row.owners.join()};${row.complete.join()};${row.coming?.join() ?? ''}`;
      number = byContent.get(content) ?? rows.push(row) - 1;
      byContent.set(content, number);
      numberOf.set(row, number);
    }
    slotRow[slot] = number;
  }
  return { rows, slotRow };
}
