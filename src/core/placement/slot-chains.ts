/**
 * Levels loads where no direct hand-over is possible, along the shortest chain of hand-overs through other nodes. A
 * chain applied to one slot is applied to the following slots too, for as long as each of its nodes can hand over and
 * some node still has too many or too few. So it cuts runs of slots with the same owners once, instead of once per
 * slot.
 */
import { SLOT_COUNT } from '../limits.ts';
import { NOBODY, type SlotDraft } from './slot-draft.ts';

/** Nodes visited by all chain searches of one change: bounds its time to about a second. */
const CHAIN_VISITS_MAX = 4000;

export interface Bounds {
  /** A node below `low` is filled up to `floor`. */
  readonly low: Int32Array;
  readonly floor: Int32Array;
  readonly ceil: Int32Array;
  /** A node above `high` gives away. */
  readonly high: Int32Array;
}

/** Called with each neighbour and a slot that could change hands; returning true ends the visits. */
export type Visit = (neighbour: number, slot: number) => boolean;

export interface Levelling {
  readonly draft: SlotDraft;
  readonly bounds: Bounds;
  readonly load: Int32Array;
  /** Visits nodes that could hand something to `node`. */
  readonly givers: (node: number, visit: Visit) => void;
  /** Visits nodes to which `node` could hand something. */
  readonly takers: (node: number, visit: Visit) => void;
  readonly canMove: (slot: number, from: number, to: number) => boolean;
  readonly move: (slot: number, from: number, to: number) => void;
}

/**
 * Builds chains from nodes above their band, then to nodes below it. Ends at the latest when the budget of visits is
 * used up.
 */
export function level(task: Levelling): void {
  const { bounds, load } = task;
  const { high, ceil, floor, low } = bounds;
  const budget = { visits: CHAIN_VISITS_MAX + task.draft.nodeCount };
  for (let node = 0; node < load.length; node++) {
    const isTooFull = (): boolean => load[node]! > high[node]!;
    while (isTooFull()) {
      const isDone =
        handAlong(task, node, 'takers', isTooFull, (end) => load[end]! < ceil[end]!, budget) ||
        handAlong(task, node, 'takers', isTooFull, (end) => load[end]! < high[end]!, budget);
      if (!isDone) break;
    }
  }
  for (let node = 0; node < load.length; node++) {
    if (load[node]! >= low[node]!) continue;
    const isTooEmpty = (): boolean => load[node]! < floor[node]!;
    while (isTooEmpty()) {
      const isDone =
        handAlong(task, node, 'givers', isTooEmpty, (end) => load[end]! > floor[end]!, budget) ||
        handAlong(task, node, 'givers', isTooEmpty, (end) => load[end]! > low[end]!, budget);
      if (!isDone) break;
    }
  }
}

interface Hop {
  readonly node: number;
  readonly next: number;
  readonly slot: number;
}

/** Applies the chain to as many slots as wanted, or as it allows. Returns false if there is none. */
function handAlong(
  task: Levelling,
  start: number,
  neighbours: 'givers' | 'takers',
  isWanted: () => boolean,
  isEnd: (node: number) => boolean,
  budget: { visits: number },
): boolean {
  const chain = findChain(task.draft.nodeCount, start, task[neighbours], isEnd, budget);
  if (chain === undefined) return false;
  const end = chain.at(-1)!.next;
  const isReversed = neighbours === 'givers';
  const from = (hop: Hop): number => (isReversed ? hop.next : hop.node);
  const to = (hop: Hop): number => (isReversed ? hop.node : hop.next);
  let behind = 0;
  const can = (hop: Hop): boolean =>
    hop.slot + behind < SLOT_COUNT && task.canMove(hop.slot + behind, from(hop), to(hop));
  while (isWanted() && isEnd(end) && chain.every(can)) {
    // Starting at the far end keeps the table valid after every step.
    for (const hop of chain.toReversed()) {
      if (!can(hop)) return behind > 0;
      task.move(hop.slot + behind, from(hop), to(hop));
    }
    behind += 1;
  }
  return behind > 0;
}

/** Breadth-first search: the fewest hops from `start` to a node for which `isEnd` is true. */
function findChain(
  nodeCount: number,
  start: number,
  neighbours: (node: number, visit: Visit) => void,
  isEnd: (node: number) => boolean,
  budget: { visits: number },
): Hop[] | undefined {
  const cameBy: (Hop | undefined)[] = new Array<Hop | undefined>(nodeCount);
  const seen = new Uint8Array(nodeCount);
  seen[start] = 1;
  const queue = [start];
  let end = NOBODY;
  for (let at = 0; at < queue.length && end === NOBODY && budget.visits > 0; at++) {
    const node = queue[at]!;
    budget.visits--;
    neighbours(node, (next, slot) => {
      if (seen[next] === 1) return false;
      seen[next] = 1;
      cameBy[next] = { node, next, slot };
      if (isEnd(next)) end = next;
      else queue.push(next);
      return end !== NOBODY;
    });
  }
  if (end === NOBODY) return undefined;
  const chain: Hop[] = [];
  for (let hop = cameBy[end]; hop !== undefined; hop = cameBy[hop.node]) chain.unshift(hop);
  return chain;
}

/** Reports the neighbours of one node: each once, with the first slot found for it. */
export class Neighbours {
  private readonly told: Uint8Array;
  private readonly visit: Visit;
  /** Neighbours not reported yet; all nodes but the node itself. */
  private left: number;

  constructor(nodeCount: number, visit: Visit) {
    this.told = new Uint8Array(nodeCount);
    this.visit = visit;
    this.left = nodeCount - 1;
  }

  has(neighbour: number): boolean {
    return this.told[neighbour] === 1;
  }

  /** Returns true if the visits are over: the visitor has found what it sought, or no neighbour is left. */
  tell(neighbour: number, slot: number): boolean {
    if (this.told[neighbour] === 1) return false;
    this.told[neighbour] = 1;
    this.left -= 1;
    return this.visit(neighbour, slot) || this.left === 0;
  }
}
