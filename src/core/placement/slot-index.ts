/**
 * A slot table seen by rows: which slots each row has, and which pairs of rows lead from one table to the next. An
 * epoch changes rows far more often than the table, and members look at it by rows, so both are computed once per
 * table, that is, per `slotRow`, which never changes and is shared by all topologies with the same table.
 */
import { SLOT_COUNT } from '../limits.ts';
import type { Topology } from '../membership/topology.ts';

export type SlotTable = Pick<Topology, 'rows' | 'slotRow'>;

/** The slots of each row, ascending; empty for a row without slots. */
export type SlotsByRow = readonly Uint16Array[];

/** Row numbers that some slots had before and after a change, with those slots in ascending order. */
export interface RowPair {
  readonly before: number;
  readonly after: number;
  readonly slots: Uint16Array;
}

const NO_SLOTS = new Uint16Array(0);
/** Up to this many pairs of rows an array of numbers is used; beyond that, a map. */
const PAIRS_MAX = 1_000_000;

const known = new WeakMap<Uint16Array, SlotsByRow>();
/** All members of a cluster go from one table to the next together, and a node asks more than once. */
let latest: {
  readonly from: Uint16Array;
  readonly to: Uint16Array;
  readonly pairs: readonly RowPair[];
} | null = null;

export function slotsOfRow(table: Pick<Topology, 'slotRow'>, row: number): Uint16Array {
  return slotsByRowOf(table)[row] ?? NO_SLOTS;
}

function slotsByRowOf({ slotRow }: Pick<Topology, 'slotRow'>): SlotsByRow {
  let slotsByRow = known.get(slotRow);
  if (slotsByRow === undefined) {
    slotsByRow = sorted(slotRow);
    known.set(slotRow, slotsByRow);
  }
  return slotsByRow;
}

/** The numbers of the rows that have slots, ordered by the first slot of each. */
export function rowsInOrder(table: Pick<Topology, 'slotRow'>): readonly number[] {
  const firsts = slotsByRowOf(table).flatMap((slots) => (slots.length === 0 ? [] : [slots[0]!]));
  return firsts.sort((a, b) => a - b).map((slot) => table.slotRow[slot]!);
}

/** Each pair of rows that some slot has: the one in `previous`, then the one in `next`. */
export function rowPairs(previous: SlotTable, next: SlotTable): readonly RowPair[] {
  const from = previous.slotRow;
  const to = next.slotRow;
  if (from === to) return unchanged(previous);
  if (latest === null || latest.from !== from || latest.to !== to)
    latest = { from, to, pairs: crossed(from, to) };
  return latest.pairs;
}

/** Counting sort: counts the slots of each row, then puts each slot in its place. */
function sorted(slotRow: Uint16Array): SlotsByRow {
  const counts: number[] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const row = slotRow[slot]!;
    while (counts.length <= row) counts.push(0);
    counts[row]! += 1;
  }
  const slotsByRow = counts.map((count) => new Uint16Array(count));
  counts.fill(0);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const row = slotRow[slot]!;
    slotsByRow[row]![counts[row]!] = slot;
    counts[row]! += 1;
  }
  return slotsByRow;
}

function unchanged(table: SlotTable): RowPair[] {
  const pairs: RowPair[] = [];
  for (let row = 0; row < table.rows.length; row += 1) {
    const slots = slotsOfRow(table, row);
    if (slots.length > 0) pairs.push({ before: row, after: row, slots });
  }
  return pairs;
}

function crossed(from: Uint16Array, to: Uint16Array): RowPair[] {
  const heads: { readonly before: number; readonly after: number }[] = [];
  const pairRow = new Uint16Array(SLOT_COUNT);
  const numberOf = numbering(highest(from) + 1, highest(to) + 1);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const before = from[slot]!;
    const after = to[slot]!;
    const number = numberOf(before, after, heads.length);
    if (number === heads.length) heads.push({ before, after });
    pairRow[slot] = number;
  }
  const slotsByPair = sorted(pairRow);
  return heads.map((head, number) => ({ ...head, slots: slotsByPair[number]! }));
}

/** Returns a function that gives the number of a pair; a new pair gets `fresh`. */
function numbering(height: number, width: number): (before: number, after: number, fresh: number) => number {
  if (height * width > PAIRS_MAX) {
    const numbers = new Map<number, number>();
    return (before, after, fresh) => {
      const pair = before * width + after;
      const number = numbers.get(pair);
      if (number === undefined) numbers.set(pair, fresh);
      return number ?? fresh;
    };
  }
  const numbers = new Int16Array(height * width).fill(-1);
  return (before, after, fresh) => {
    const pair = before * width + after;
    if (numbers[pair]! < 0) numbers[pair] = fresh;
    return numbers[pair]!;
  };
}

function highest(slotRow: Uint16Array): number {
  let row = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) if (slotRow[slot]! > row) row = slotRow[slot]!;
  return row;
}
