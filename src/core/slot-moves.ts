/**
 * How slots change hands while everybody goes on: a new table is set as the owners *to come*; of them, those who are
 * new begin to learn, a bounded number of slots at a time; when all who come are complete, the former owners finish
 * what they coordinate and are dropped. Each step is one epoch, and each can be the last for a while: whoever dies in
 * between leaves rows that say what is complete where. (DESIGN 3, PROTOCOL R15, R20, R21)
 */
import { MOVE_SLOTS_EACH_MIN, MOVE_SLOTS_MAX } from './copy-limits.ts';
import { SLOT_COUNT } from './limits.ts';
import { slotsOfRow } from './slot-index.ts';
import type { SlotTable } from './slot-index.ts';
import type { OwnersOfSlot } from './slot-table.ts';
import { isAlive, isForsaken, learners, liveOwners, recovererOf, retiring } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

/** Where each slot is headed: its owners to come, or those it has. */
export function destinations(table: SlotTable): OwnersOfSlot {
  return (slot) => {
    const row = table.rows[table.slotRow[slot]!]!;
    return row.coming ?? row.owners;
  };
}

/**
 * From now on the slots are headed for `to`. Learners that are no longer to come are dropped at once, for they hold no
 * lease; complete owners stay until those who come are complete. Of a row whose complete owners are all gone nobody is dropped,
 * and the order stays: should it be given up, what its learners have left over is all that there is, the first one's. (R28)
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

/** Free members begin to learn slots that wait for them; null where nothing can begin. */
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
  return rebuilt(topology, (_slot, number) => made[number]!);
}

/** Slots per member, by what it has to do with them while they change hands. */
export interface Moves {
  /** Slots that are headed for other owners than they have. */
  readonly slotCount: number;
  /** To come, and not begun. */
  readonly waiting: ReadonlyMap<number, number>;
  /** Live members that are copying, for whatever reason, or make given-up slots whole. */
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
  let slotCount = 0;
  let hasLeavings = false;
  topology.rows.forEach((row, index) => {
    const count = slotsOfRow(topology, index).length;
    if (count === 0) return;
    const add = (to: Map<number, number>, id: number): void => void to.set(id, (to.get(id) ?? 0) + count);
    // Where nobody lives who could be learned from, nothing can begin, and who learns there is not held up by it elsewhere.
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
 * Nothing is left to move where the owners are those who were to come, in whatever order. In a forsaken row the order says who
 * makes it whole, and it stays with who has begun: others have less left over. Complete owners that are no owners any more, for
 * their disks came back empty, stay on record where there are no others: only an operator gives them up. (R21, R28)
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
 * A new table, slot by slot: `next` is given the slot and the number of its row, and gives the same object for the same
 * row wherever it can. Slots whose rows say the same share one.
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
  // Mostly a row's slots all get the same next one: what the last of them got is looked at first.
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

/** Makes others of a table's rows by lists of ids: of equal lists the same object. */
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
