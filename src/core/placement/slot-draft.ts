/**
 * A slot table under construction: which node stands at which place of which slot, how many places each node holds, and
 * whether a node may take a place without breaking the spread (spread.ts). Nodes are numbered from 0. Place number =
 * slot * ownerCount + position, where position 0 is the preferred coordinator.
 */
import { SLOT_COUNT } from '../limits.ts';
import type { SpreadLevel } from './spread.ts';

export const NOBODY = -1;
/** A node's list of places is sorted, instead of scanning all places, if it holds at most one in this many of them. */
const SORTED_PART_MAX = 32;

export class SlotDraft {
  readonly nodeCount: number;
  readonly ownerCount: number;
  /** Node at each place, or NOBODY. The taken places of a slot come first. */
  readonly nodeAt: Int16Array;
  /** Places held by each node. */
  readonly load: Int32Array;
  /** First places held by each node. */
  readonly firstLoad: Int32Array;
  /** The places of each node, and whether that list is ascending. */
  private readonly placesOf: number[][];
  private readonly isOrdered: boolean[];
  private readonly levels: readonly SpreadLevel[];
  /** Index of each place in its node's list. */
  private readonly listedAt: Int32Array;

  constructor(nodeCount: number, ownerCount: number, levels: readonly SpreadLevel[]) {
    this.nodeCount = nodeCount;
    this.ownerCount = ownerCount;
    this.levels = levels;
    this.nodeAt = new Int16Array(SLOT_COUNT * ownerCount).fill(NOBODY);
    this.listedAt = new Int32Array(SLOT_COUNT * ownerCount);
    this.load = new Int32Array(nodeCount);
    this.firstLoad = new Int32Array(nodeCount);
    this.placesOf = Array.from({ length: nodeCount }, () => []);
    this.isOrdered = this.placesOf.map(() => true);
  }

  /** A draft with the same nodes and rules, and all places free. */
  emptyCopy(): SlotDraft {
    return new SlotDraft(this.nodeCount, this.ownerCount, this.levels);
  }

  slotOfPlace(place: number): number {
    return Math.floor(place / this.ownerCount);
  }

  isFirst(place: number): boolean {
    return place % this.ownerCount === 0;
  }

  firstOf(slot: number): number {
    return this.nodeAt[slot * this.ownerCount]!;
  }

  holds(slot: number, node: number): boolean {
    return this.placeOf(slot, node) !== NOBODY;
  }

  /** The node's place among the owners of the slot; NOBODY if it has none. */
  placeOf(slot: number, node: number): number {
    const start = slot * this.ownerCount;
    for (let place = start; place < start + this.ownerCount; place++) {
      if (this.nodeAt[place] === node) return place;
    }
    return NOBODY;
  }

  /** True if all owners of `slot` except `leaving` (a node or NOBODY) are owners of `other` too. */
  isWithin(slot: number, other: number, leaving: number): boolean {
    const start = slot * this.ownerCount;
    for (let place = start; place < start + this.ownerCount; place++) {
      const owner = this.nodeAt[place]!;
      if (owner !== leaving && owner !== NOBODY && !this.holds(other, owner)) return false;
    }
    return true;
  }

  /** The places of the node in ascending order, so that the first suitable one is the start of a run. */
  placesInOrder(node: number): readonly number[] {
    const list = this.placesOf[node]!;
    if (this.isOrdered[node]!) return list;
    // Called for each link of each chain: scanning all places costs a tenth of sorting a good part of them.
    if (list.length * SORTED_PART_MAX > this.nodeAt.length) {
      let count = 0;
      for (let place = 0; place < this.nodeAt.length; place++)
        if (this.nodeAt[place] === node) list[count++] = place;
    } else list.sort((a, b) => a - b);
    list.forEach((place, at) => (this.listedAt[place] = at));
    this.isOrdered[node] = true;
    return list;
  }

  takenCount(slot: number): number {
    const start = slot * this.ownerCount;
    let count = 0;
    while (count < this.ownerCount && this.nodeAt[start + count] !== NOBODY) count++;
    return count;
  }

  /** True if `node` may join the owners of the slot once `leaving` (a node or NOBODY) has left. */
  fits(slot: number, node: number, leaving: number): boolean {
    if (this.holds(slot, node)) return false;
    for (const level of this.levels) {
      if (!this.fitsLevel(level, slot, node, leaving)) return false;
    }
    return true;
  }

  /** Gives the next free place of the slot to the node. */
  add(slot: number, node: number): void {
    this.set(slot * this.ownerCount + this.takenCount(slot), node);
  }

  /** Gives one place to another node. */
  replace(place: number, node: number): void {
    this.unlist(place);
    this.set(place, node);
  }

  /** Empties the slot and gives its places to `nodes`, in that order. */
  rewrite(slot: number, nodes: readonly number[]): void {
    const start = slot * this.ownerCount;
    for (let place = start; place < start + this.ownerCount; place++) {
      if (this.nodeAt[place] === NOBODY) continue;
      this.unlist(place);
      this.nodeAt[place] = NOBODY;
    }
    nodes.forEach((node, position) => this.set(start + position, node));
  }

  /** Makes the owner at `place` the first of its slot; the previous first owner takes its place. */
  makeFirst(place: number): void {
    this.swap(place, this.slotOfPlace(place) * this.ownerCount);
  }

  /** Exchanges the owners of two taken places of one slot. */
  swap(place: number, other: number): void {
    const node = this.nodeAt[place]!;
    const otherNode = this.nodeAt[other]!;
    this.unlist(place);
    this.unlist(other);
    this.set(place, otherNode);
    this.set(other, node);
  }

  ownersOf(slot: number): number[] {
    const start = slot * this.ownerCount;
    return Array.from(this.nodeAt.subarray(start, start + this.takenCount(slot)));
  }

  /** The owners as a text of one character each: equal texts mean the same owners in the same order. */
  textOf(slot: number): string {
    const start = slot * this.ownerCount;
    let text = '';
    for (let place = start; place < start + this.ownerCount && this.nodeAt[place] !== NOBODY; place++) {
      text += String.fromCharCode(this.nodeAt[place]!);
    }
    return text;
  }

  private fitsLevel(level: SpreadLevel, slot: number, node: number, leaving: number): boolean {
    const { domainOf, capacity, repeatsMax } = level;
    const start = slot * this.ownerCount;
    const end = start + this.ownerCount;
    let same = 0;
    let repeats = 0;
    for (let place = start; place < end; place++) {
      const owner = this.nodeAt[place]!;
      if (owner === NOBODY || owner === leaving) continue;
      if (domainOf[owner] === domainOf[node]) same++;
      if (repeatsMax > 0 && this.isRepeated(domainOf, start, place, leaving)) repeats++;
    }
    return same === 0 || (same < capacity && repeats < repeatsMax);
  }

  /** True if an earlier owner of the slot is in the same domain as the one at `place`. */
  private isRepeated(domainOf: Int32Array, start: number, place: number, leaving: number): boolean {
    const domain = domainOf[this.nodeAt[place]!];
    for (let earlier = start; earlier < place; earlier++) {
      const owner = this.nodeAt[earlier]!;
      if (owner !== NOBODY && owner !== leaving && domainOf[owner] === domain) return true;
    }
    return false;
  }

  private set(place: number, node: number): void {
    const list = this.placesOf[node]!;
    this.nodeAt[place] = node;
    this.listedAt[place] = list.length;
    if (list.length > 0 && list.at(-1)! > place) this.isOrdered[node] = false;
    list.push(place);
    this.load[node]!++;
    if (this.isFirst(place)) this.firstLoad[node]!++;
  }

  private unlist(place: number): void {
    const node = this.nodeAt[place]!;
    const list = this.placesOf[node]!;
    const last = list.pop()!;
    const at = this.listedAt[place]!;
    if (last !== place) {
      list[at] = last;
      this.listedAt[last] = at;
      this.isOrdered[node] = false;
    }
    this.load[node]!--;
    if (this.isFirst(place)) this.firstLoad[node]!--;
  }
}
