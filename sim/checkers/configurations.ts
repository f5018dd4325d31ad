/**
 * The places where a search for a linearization can stand: the key's state, which of the open operations have
 * already taken effect, and how many indefinite calls were spent to get here.
 */

export interface Configuration {
  readonly state: number;
  /** Bits of the open operations, by slot, that have taken effect; 31 to a word. */
  readonly placed: readonly number[];
  /** Pairs (group, count) of indefinite calls that took effect, ascending by group. */
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

/** Up to so many keys a walk over all of them is faster than a map; mostly there are one or two. */
const WALKED_MAX = 8;

/** Of two configurations that differ only in what was spent, the one that spent no less is of no use. */
export class ConfigurationSet {
  size = 0;
  private readonly keys: (number | string)[] = [];
  private readonly groups: Configuration[][] = [];
  /** Where each key stands, once there are many. */
  private places: Map<number | string, number> | null = null;

  /** False where one at least as good is there. */
  add(added: Configuration): boolean {
    const key = keyOf(added);
    const place = this.placeOf(key);
    if (place < 0) {
      this.places?.set(key, this.keys.length);
      this.keys.push(key);
      this.groups.push([added]);
      this.size += 1;
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

  private placeOf(key: number | string): number {
    const { keys } = this;
    if (keys.length > WALKED_MAX) {
      this.places ??= new Map(keys.map((each, place) => [each, place]));
      return this.places.get(key) ?? -1;
    }
    for (let place = 0; place < keys.length; place += 1) if (keys[place] === key) return place;
    return -1;
  }
}

/** A number where it fits, because it hashes several times faster than a text. */
function keyOf(configuration: Configuration): number | string {
  const { state, placed } = configuration;
  return placed.length === 1 ? state * 2 ** WORD_BITS + placed[0]! : `${state}:${placed.join(':')}`;
}

function spentNoMore(a: readonly number[], b: readonly number[]): boolean {
  for (let index = 0; index < a.length; index += 2) {
    if (a[index + 1]! > countSpent(b, a[index]!)) return false;
  }
  return true;
}
