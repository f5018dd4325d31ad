/**
 * How the owners of one slot must be spread, and which share of all places each node should hold. Owners must be in
 * different zones, then on different hosts, as far as there are enough of these; within that, shares follow weights.
 *
 * Both constraints have the same form, so they are two *levels* over the same nodes: at each level, a slot may have at
 * most `capacity` owners in one domain, and at most `repeatsMax` owners in domains that already have one. The smallest
 * capacity that leaves room for all owners spreads them as evenly as the cluster allows.
 */

export interface SpreadNode {
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
}

export interface SpreadLevel {
  /** Domain number of each node. */
  readonly domainOf: Int32Array;
  readonly capacity: number;
  readonly repeatsMax: number;
}

export interface Spread {
  readonly levels: readonly SpreadLevel[];
  /**
   * How many of the `slotCount * ownerCount` places each node should hold: a fraction, the average that its weight
   * gives it.
   */
  readonly share: Float64Array;
}

/** One zone, host or node as a domain for sharing out; bounds are in owners per slot. */
interface Domain {
  readonly parts: readonly Domain[];
  /** Index of the node if the domain is a single node, or -1. */
  readonly node: number;
  readonly weight: number;
  readonly low: number;
  readonly high: number;
}

/** Bisection steps of the search for the water level: beyond the precision of a double. */
const HALVINGS = 80;

/** Node numbers grouped by host, and hosts by zone. */
type Groups = readonly (readonly (readonly number[])[])[];

/** `ownerCount` must not exceed the number of nodes. */
export function makeSpread(nodes: readonly SpreadNode[], ownerCount: number, slotCount: number): Spread {
  const groups = groupsOf(nodes);
  const zoneCapacity = leastThatFits(ownerCount, (capacity) =>
    sumOf(groups, (hosts) =>
      Math.min(
        capacity,
        sumOf(hosts, (host) => host.length),
      ),
    ),
  );
  const hostCapacity = leastThatFits(ownerCount, (capacity) =>
    sumOf(groups, (hosts) =>
      Math.min(
        zoneCapacity,
        sumOf(hosts, (host) => Math.min(capacity, host.length)),
      ),
    ),
  );
  const hostCount = sumOf(groups, (hosts) => hosts.length);
  const hostsReached = sumOf(groups, (hosts) => Math.min(zoneCapacity, hosts.length));
  const zoneLow = groups.length <= ownerCount ? 1 : 0;
  const hostLow = hostCount <= ownerCount && hostsReached === hostCount ? 1 : 0;
  const tree = groups.map((hosts) =>
    domainOfParts(
      hosts.map((host) =>
        domainOfParts(
          host.map((node) => leaf(node, nodes)),
          hostLow,
          hostCapacity,
        ),
      ),
      zoneLow,
      zoneCapacity,
    ),
  );
  const share = new Float64Array(nodes.length);
  shareOut(tree, ownerCount, share);
  const zones = groups.map((hosts) => hosts.flat());
  const level = (
    domains: readonly (readonly number[])[],
    capacity: number,
    reached: number,
  ): SpreadLevel => ({
    domainOf: numbered(domains, nodes.length),
    capacity,
    repeatsMax: ownerCount - Math.min(ownerCount, reached),
  });
  return {
    levels: [level(zones, zoneCapacity, zones.length), level(groups.flat(), hostCapacity, hostsReached)],
    share: share.map((places) => places * slotCount),
  };
}

function groupsOf(nodes: readonly SpreadNode[]): Groups {
  const zones = new Map<string, Map<string, number[]>>();
  for (let node = 0; node < nodes.length; node++) {
    const { zone, host } = nodes[node]!;
    const hosts = entryOf(zones, zone, () => new Map<string, number[]>());
    entryOf(hosts, host, (): number[] => []).push(node);
  }
  return [...zones.values()].map((hosts) => [...hosts.values()]);
}

/**
 * Water filling: each part takes `level * weight` within its bounds, where the level is such that all parts together
 * take `total`; then each domain distributes what it took in the same way.
 */
function shareOut(parts: readonly Domain[], total: number, share: Float64Array): void {
  let low = 0;
  let high = 1;
  const taken = (level: number): number => sumOf(parts, (part) => takenBy(part, level));
  while (taken(high) < total && high < 1e15) high *= 2;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (taken(middle) < total) low = middle;
    else high = middle;
  }
  for (const part of parts) {
    const own = takenBy(part, high);
    if (part.node >= 0) share[part.node] = own;
    else shareOut(part.parts, own, share);
  }
}

function takenBy(part: Domain, level: number): number {
  const wanted = part.node >= 0 ? level * part.weight : sumOf(part.parts, (inner) => takenBy(inner, level));
  return Math.min(part.high, Math.max(part.low, wanted));
}

function leaf(node: number, nodes: readonly SpreadNode[]): Domain {
  return { parts: [], node, weight: nodes[node]!.weight, low: 0, high: 1 };
}

function domainOfParts(parts: readonly Domain[], low: number, capacity: number): Domain {
  const lowest = Math.max(
    low,
    sumOf(parts, (part) => part.low),
  );
  const highest = Math.min(
    capacity,
    sumOf(parts, (part) => part.high),
  );
  return { parts, node: -1, weight: 0, low: Math.min(lowest, highest), high: highest };
}

/** The smallest capacity for which `room` has places for all owners. */
function leastThatFits(ownerCount: number, room: (capacity: number) => number): number {
  let capacity = 1;
  while (capacity < ownerCount && room(capacity) < ownerCount) capacity++;
  return capacity;
}

function numbered(groups: readonly (readonly number[])[], nodeCount: number): Int32Array {
  const domainOf = new Int32Array(nodeCount);
  groups.forEach((group, domain) => {
    for (const node of group) domainOf[node] = domain;
  });
  return domainOf;
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function sumOf<T>(items: readonly T[], measure: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += measure(item);
  return sum;
}
