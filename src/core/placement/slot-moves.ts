/**
 * How slots change hands while the cluster serves. A new table names the owners *to come*. The new ones among them
 * learn, a bounded number of slots at a time; when all owners to come are complete, the former owners finish what they
 * coordinate and are dropped. Each step is one epoch, and the process can stop after any step: if a member dies in
 * between, the rows still say what is complete where. (DESIGN 3, PROTOCOL R15, R20, R21)
 */
import { MOVE_SLOTS_EACH_MIN, MOVE_SLOTS_MAX } from '../copying/copy-limits.ts';
import { SLOT_COUNT } from '../limits.ts';
import { slotsOfRow } from './slot-index.ts';
import type { SlotTable } from './slot-index.ts';
import type { OwnersOfSlot } from './slot-table.ts';
import { isAlive, isForsaken, learners, liveOwners, recovererOf, retiring } from '../membership/topology.ts';
import type { SlotRow, Topology } from '../membership/topology.ts';

/** The destination of each slot: its owners to come or, if it has none, its present owners. */
export function destinations(table: SlotTable): OwnersOfSlot {
  return (slot) => {
    const row = table.rows[table.slotRow[slot]!]!;
    return row.coming ?? row.owners;
  };
}

/**
 * Sets `to` as the destination of all slots. Learners that are no longer to come are dropped at once, because they hold
 * no lease; complete owners stay until the owners to come are complete. In a row without a live complete owner nobody
 * is dropped, and the order stays: if the row is given up, the leftovers of its learners are all there is, those of the
 * first one above all. (R28)
 */
export function headFor(topology: Topology, to: OwnersOfSlot): SlotTable {
  const made = rowsMadeOf(topology, (row, coming) => {
    const stays = (id: number): boolean => row.complete.includes(id) || coming.includes(id);
    const isTaught = liveOwners(topology, row).length > 0;
    const owners = isTaught ? row.owners.filter(stays) : row.owners;
    const headed = { owners, complete: row.complete, coming };
    return isTaught ? settled(headed) : headed;
  });
  return rebuilt(topology, (slot, number) => made(number, to(slot)));
}

/** Starts learning at members that are free to learn the slots waiting for them; null if nothing can start. */
export function beginMoves(topology: Topology): SlotTable | null {
  const { waiting, learning } = movesOf(topology);
  const toCome = [...waiting.keys()].filter((id) => isAlive(topology, id));
  const free = toCome.filter((id) => !learning.has(id));
  if (free.length === 0) return null;
  const isFull = topology.rows.map((row) => liveOwners(topology, row).length >= topology.replicaCount);
  const learnerCount = new Set([...toCome, ...learning.keys()]).size;
  const share = Math.floor(MOVE_SLOTS_MAX / learnerCount);
  const spare = new Map(free.map((id) => [id, Math.max(MOVE_SLOTS_EACH_MIN, share)]));
  const room = new Map(free.map((id) => [id, MOVE_SLOTS_MAX]));
  const mayBegin = topology.rows.map((row) => {
    if (row.coming === undefined || liveOwners(topology, row).length === 0) return [];
    return row.coming.filter((id) => !row.owners.includes(id) && room.has(id));
  });
  const made = rowsMadeOf(topology, (row, fresh) => settled({ ...row, owners: [...row.owners, ...fresh] }));
  let begun = false;
  const table = rebuilt(topology, (_slot, number) => {
    if (mayBegin[number]!.length === 0) return topology.rows[number]!;
    const all = mayBegin[number]!;
    const limits = isFull[number]! ? [room, spare] : [room];
    const hasRoom = (id: number): boolean => limits.every((left) => left.get(id)! > 0);
    const fresh = all.every(hasRoom) ? all : all.filter(hasRoom);
    if (fresh.length === 0) return topology.rows[number]!;
    begun = true;
    for (const left of limits) for (const id of fresh) left.set(id, left.get(id)! - 1);
    return made(number, fresh);
  });
  return begun ? table : null;
}

/**
 * Drops former owners of rows whose owners to come are all complete: those for which `mayGo` is true, and those that
 * cannot answer any more.
 */
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
  return rebuilt(topology, (_slot, number) => made[number]!);
}

/** Slots per member, by its role while they change hands. */
export interface Moves {
  /** Slots whose destination differs from their present owners. */
  readonly slotCount: number;
  /** Future owners that have not started to learn. */
  readonly waiting: ReadonlyMap<number, number>;
  /** Live members that are copying, for whatever reason, or making given-up slots whole. */
  readonly learning: ReadonlyMap<number, number>;
  /** Live complete owners that are asked to finish and to say so. */
  readonly retiring: ReadonlyMap<number, number>;
  /** Some owners can be dropped without being asked. */
  readonly hasLeavings: boolean;
}

const known = new WeakMap<readonly SlotRow[], { readonly topology: Topology; readonly moves: Moves }>();

/** Computed once per topology, because it is asked for on every tick. */
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
  let slotCount = 0;
  let hasLeavings = false;
  topology.rows.forEach((row, index) => {
    const count = slotsOfRow(topology, index).length;
    if (count === 0) return;
    const add = (to: Map<number, number>, id: number): void => void to.set(id, (to.get(id) ?? 0) + count);
    // Where no live owner could teach, nothing can start; and a learner there must not be kept from learning elsewhere.
    const isTaught = liveOwners(topology, row).length > 0;
    const recoverer = recovererOf(topology, row);
    for (const id of learners(topology, row)) if (isTaught || id === recoverer) add(learning, id);
    if (row.coming === undefined) return;
    slotCount += count;
    for (const id of row.coming) if (isTaught && !row.owners.includes(id)) add(waiting, id);
    for (const id of retiring(topology, row)) {
      if (isAlive(topology, id) && row.complete.includes(id)) add(leaving, id);
      else hasLeavings = true;
    }
  });
  return { slotCount, waiting, learning, retiring: leaving, hasLeavings };
}

/**
 * Finishes a row whose owners are those that were to come, in whatever order. In a forsaken row the order decides who
 * makes it whole, which must stay the member that has started: others have fewer leftovers. Complete owners whose disks
 * came back empty are no owners any more, but stay on record if there are no others: only an operator gives them up.
 * (R21, R28)
 */
export function settled(row: SlotRow): SlotRow {
  const { owners, complete, coming } = row;
  if (coming === undefined || isForsaken(row)) return row;
  const isThere = coming.length === owners.length && coming.every((id) => owners.includes(id));
  if (!isThere) return row;
  const left = coming.filter((id) => complete.includes(id));
  return { owners: coming, complete: left.length > 0 ? left : complete };
}

/**
 * Builds a new table slot by slot. `next` is given the slot and its row number, and should return the same object for
 * the same row where it can. Slots whose rows have equal content share one row.
 */
export function rebuilt(table: SlotTable, next: (slot: number, number: number) => SlotRow): SlotTable {
  const rows: SlotRow[] = [];
  const numberOf = new Map<SlotRow, number>();
  const byContent = new Map<string, number>();
  const numberOfRow = (row: SlotRow): number => {
    let number = numberOf.get(row);
    if (number === undefined) {
      const content = `${row.owners.join()};${row.complete.join()};${row.coming?.join() ?? ''}`;
      number = byContent.get(content) ?? rows.push(row) - 1;
      byContent.set(content, number);
      numberOf.set(row, number);
    }
    return number;
  };
  const slotRow = new Uint16Array(SLOT_COUNT);
  // The slots of a row usually all get the same next row, so the last result for the row is tried first.
  const lastMade = new Array<SlotRow | undefined>(table.rows.length).fill(undefined);
  const lastNumber = new Uint16Array(table.rows.length);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const before = table.slotRow[slot]!;
    const row = next(slot, before);
    if (row !== lastMade[before]) {
      lastMade[before] = row;
      lastNumber[before] = numberOfRow(row);
    }
    slotRow[slot] = lastNumber[before]!;
  }
  return { rows, slotRow };
}

/** Creates rows from lists of ids, with the same object for equal lists. */
function rowsMadeOf(
  table: SlotTable,
  make: (row: SlotRow, ids: readonly number[]) => SlotRow,
): (number: number, ids: readonly number[]) => SlotRow {
  const made: { readonly ids: readonly number[]; readonly row: SlotRow }[][] = table.rows.map(() => []);
  return (number, ids) => {
    const known = made[number]!;
    for (const each of known) if (areEqual(each.ids, ids)) return each.row;
    const row = make(table.rows[number]!, ids);
    known.push({ ids, row });
    return row;
  };
}

function areEqual(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
