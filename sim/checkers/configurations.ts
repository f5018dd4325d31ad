/**
 * The points that a search for a linearization can be at: the state of the key, which of the open operations have taken
 * effect, and how many indefinite calls were spent to get there.
 */

export interface Configuration {
  readonly state: number;
  /** A bit for each open operation, by its slot: whether it has taken effect; 31 bits per word. */
  readonly placed: readonly number[];
  /** Pairs (group, count) of the indefinite calls that took effect, in ascending order of groups. */
  readonly spent: readonly number[];
}

const WORD_BITS = 31;

export function wordsFor(slotCount: number): number {
  return Math.max(1, Math.ceil(slotCount / WORD_BITS));
}

export function isPlaced(placed: readonly number[], slot: number): boolean {
  return (placed[(slot / WORD_BITS) | 0]! & (1 << (slot % WORD_BITS))) !== 0;
}

export function withPlaced(placed: readonly number[], slot: number): number[] {
  const words = placed.slice();
  words[(slot / WORD_BITS) | 0]! |= 1 << (slot % WORD_BITS);
  return words;
}

export function withoutPlaced(placed: readonly number[], slot: number): number[] {
  const words = placed.slice();
  words[(slot / WORD_BITS) | 0]! &= ~(1 << (slot % WORD_BITS));
  return words;
}

export function countSpent(spent: readonly number[], group: number): number {
  for (let index = 0; index < spent.length; index += 2) {
    if (spent[index] === group) return spent[index + 1]!;
  }
  return 0;
}

export function countAllSpent(spent: readonly number[]): number {
  let count = 0;
  for (let index = 1; index < spent.length; index += 2) count += spent[index]!;
  return count;
}

export function withSpent(spent: readonly number[], group: number): number[] {
  const pairs = spent.slice();
  let index = 0;
  while (index < pairs.length && pairs[index]! < group) index += 2;
  if (pairs[index] === group) pairs[index + 1]! += 1;
  else pairs.splice(index, 0, group, 1);
  return pairs;
}

export function withoutSpent(spent: readonly number[], group: number): readonly number[] {
  for (let index = 0; index < spent.length; index += 2) {
    if (spent[index] === group) return [...spent.slice(0, index), ...spent.slice(index + 2)];
  }
  return spent;
}

/** Up to this many, a linear scan is faster than a table; mostly there are one or two. */
const WALKED_MAX = 8;
/** Size of a new table; a power of two. */
const TABLE_SIZE_MIN = 64;

/**
 * A set without dominated configurations: of two that differ only in what was spent, the one that spent no less is
 * useless. Configurations that differ in nothing else are found through a hash table of its own, because the key of a
 * Map would have to be a string, or a number that hashes as slowly as one.
 */
export class ConfigurationSet {
  size = 0;
  private readonly hashes: number[] = [];
  private readonly groups: Configuration[][] = [];
  /** Hash table with linear probing: the index of a group plus one, or 0 if free. Null while there are few groups. */
  private table: Int32Array | null = null;

  /** Returns false if the set already has one that is at least as good. */
  add(added: Configuration): boolean {
    const hash = hashOf(added);
    const place = this.placeOf(added, hash);
    if (place < 0) {
      this.hashes.push(hash);
      this.groups.push([added]);
      this.size += 1;
      this.enter();
      return true;
    }
    const group = this.groups[place]!;
    for (const other of group) if (spentNoMore(other.spent, added.spent)) return false;
    const kept = group.filter((other) => !spentNoMore(added.spent, other.spent));
    this.size += kept.length + 1 - group.length;
    kept.push(added);
    this.groups[place] = kept;
    return true;
  }

  *[Symbol.iterator](): Iterator<Configuration> {
    for (const group of this.groups) yield* group;
  }

  private placeOf(wanted: Configuration, hash: number): number {
    const { hashes, groups, table } = this;
    if (table === null) {
      for (let place = 0; place < hashes.length; place += 1)
        if (hashes[place] === hash && isAlike(groups[place]![0]!, wanted)) return place;
      return -1;
    }
    const mask = table.length - 1;
    for (let at = hash & mask; table[at] !== 0; at = (at + 1) & mask) {
      const place = table[at]! - 1;
      if (hashes[place] === hash && isAlike(groups[place]![0]!, wanted)) return place;
    }
    return -1;
  }

  /** Enters the last group into the table. */
  private enter(): void {
    const count = this.hashes.length;
    if (count <= WALKED_MAX) return;
    if (this.table !== null && count * 2 <= this.table.length)
      return enterInto(this.table, this.hashes, count);
    const table = new Int32Array(this.table === null ? TABLE_SIZE_MIN : this.table.length * 2);
    for (let each = 1; each <= count; each += 1) enterInto(table, this.hashes, each);
    this.table = table;
  }
}

function enterInto(table: Int32Array, hashes: readonly number[], count: number): void {
  const mask = table.length - 1;
  let at = hashes[count - 1]! & mask;
  while (table[at] !== 0) at = (at + 1) & mask;
  table[at] = count;
}

function hashOf({ state, placed }: Configuration): number {
  let hash = state;
  for (let word = 0; word < placed.length; word += 1) {
    hash = Math.imul(hash ^ placed[word]!, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Equal in everything but what was spent. */
function isAlike(a: Configuration, b: Configuration): boolean {
  if (a.state !== b.state) return false;
  if (a.placed === b.placed) return true;
  for (let word = 0; word < a.placed.length; word += 1) if (a.placed[word] !== b.placed[word]) return false;
  return true;
}

function spentNoMore(a: readonly number[], b: readonly number[]): boolean {
  for (let index = 0; index < a.length; index += 2) {
    if (a[index + 1]! > countSpent(b, a[index]!)) return false;
  }
  return true;
}
