/**
 * The consistent-hashing ring: every node has many points on a circle of 32-bit numbers, more of them the higher its
 * weight, and a slot meets nodes in clockwise order. The ring only proposes; the slot table enforces balance and spread
 * (slot-table.ts). (Karger et al. 1997; virtual nodes as in Dynamo, SOSP 2007)
 */

/** A 32-bit hash of a text, passed in so that this module stays pure: xxHash32 in a running node. */
export type Hash32 = (text: string) => number;

/**
 * Points of a node of average weight. Slots are placed on the ring in numerical order, so more points mean more ranges
 * to tell clients; fewer points mean that the other nodes take over a node's slots less evenly. (decision 53)
 */
export const POINTS_PER_NODE = 64;
/** Bounds the ring's memory and time however heavy a node is. */
export const POINTS_PER_NODE_MAX = 1024;
/** Positions on the circle. */
export const CIRCLE = 2 ** 32;

export interface Ring {
  /** Positions on the circle, ascending. */
  readonly points: Uint32Array;
  /** Index of the node at each point. */
  readonly nodeAt: Uint16Array;
}

/**
 * Nodes are hashed by name, so that a node that returns under a new id keeps its points. The circle is divided into
 * equal parts, and each node has one point in each part: so every part has the nodes in an order of its own, and shares
 * are more even than with points anywhere. `names` and `weights` are parallel; where two points coincide, the lower
 * index goes first.
 */
export function makeRing(names: readonly string[], weights: readonly number[], hash32: Hash32): Ring {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  const weightMean = weightSum > 0 ? weightSum / weights.length : 1;
  const keys: number[] = [];
  for (let node = 0; node < names.length; node++) {
    const proportional = Math.round((POINTS_PER_NODE * weights[node]!) / weightMean);
    const count = Math.min(POINTS_PER_NODE_MAX, Math.max(1, proportional));
    for (let point = 0; point < count; point++) {
      // One number that sorts by point, then by node: 32 + 16 bits are exact in a double.
      const within = hash32(`${names[node]!}#${point}`) >>> 0;
      const position = Math.floor((point * CIRCLE + within) / count);
      keys.push(position * 65536 + node);
    }
  }
  const sorted = Float64Array.from(keys).sort();
  const points = new Uint32Array(sorted.length);
  const nodeAt = new Uint16Array(sorted.length);
  for (let at = 0; at < sorted.length; at++) {
    points[at] = Math.floor(sorted[at]! / 65536);
    nodeAt[at] = sorted[at]! % 65536;
  }
  return { points, nodeAt };
}

/** Index of the first point at or clockwise after `position`, wrapping around. */
export function firstPointFrom(ring: Ring, position: number): number {
  let low = 0;
  let high = ring.points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring.points[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low === ring.points.length ? 0 : low;
}

/**
 * Visits the nodes clockwise from `position`, each as often as it has points there, until `visit` returns true or
 * `pointsMax` points have been passed. Returns true if `visit` ended it.
 */
export function walkRing(
  ring: Ring,
  position: number,
  pointsMax: number,
  visit: (node: number) => boolean,
): boolean {
  const size = ring.nodeAt.length;
  let at = firstPointFrom(ring, position);
  for (let passed = Math.min(size, pointsMax); passed > 0; passed--) {
    if (visit(ring.nodeAt[at]!)) return true;
    at = at + 1 === size ? 0 : at + 1;
  }
  return false;
}
