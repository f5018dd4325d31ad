/** Examines slot tables: clusters, what each member holds, what moves, and whether owners are spread. */
import { SLOT_COUNT } from '../../src/core/limits.ts';
import { placeSlots, type Placement, type PlacementMember } from '../../src/core/placement/slot-table.ts';
import { hash32 } from './hash32.ts';

export function member(id: number, parts: Partial<PlacementMember> = {}): PlacementMember {
  return { id, name: `node-${id}`, zone: 'z', host: `host-${id}`, weight: 1, ...parts };
}

export function cluster(count: number, zoneCount: number, weightOf = (_id: number) => 1): PlacementMember[] {
  const parts = (id: number) => ({ zone: `zone-${id % zoneCount}`, weight: weightOf(id) });
  return Array.from({ length: count }, (_, at) => member(at + 1, parts(at + 1)));
}

export function ownersIn(placement: Placement): (slot: number) => readonly number[] {
  return (slot) => placement.owners[placement.slotRow[slot]!]!;
}

export function place(
  members: readonly PlacementMember[],
  previous: Placement | null,
  replicaCount = 3,
): Placement {
  return placeSlots({ members, replicaCount, previous: previous && ownersIn(previous), hash32 });
}

export interface Counts {
  readonly places: Map<number, number>;
  readonly firsts: Map<number, number>;
}

export function countsOf(placement: Placement): Counts {
  const places = new Map<number, number>();
  const firsts = new Map<number, number>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const owners = ownersIn(placement)(slot);
    firsts.set(owners[0]!, (firsts.get(owners[0]!) ?? 0) + 1);
    for (const id of owners) places.set(id, (places.get(id) ?? 0) + 1);
  }
  return { places, firsts };
}

/** The number of places that a node must copy: owners of a slot that were not owners before. */
export function movesBetween(before: Placement, after: Placement): number {
  let moves = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const had = ownersIn(before)(slot);
    for (const id of ownersIn(after)(slot)) if (!had.includes(id)) moves++;
  }
  return moves;
}

/** Describes the first slot whose owners violate the spread; undefined if there is none. */
export function spreadFault(members: readonly PlacementMember[], placement: Placement, replicaCount: number) {
  const byId = new Map(members.map((one) => [one.id, one]));
  const hostName = (one: PlacementMember) => `${one.zone}/${one.host}`;
  const ownerCount = Math.min(replicaCount, members.length);
  const zonesNeeded = Math.min(ownerCount, new Set(members.map((one) => one.zone)).size);
  const hostsNeeded = Math.min(ownerCount, new Set(members.map(hostName)).size);
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const owners = ownersIn(placement)(slot).map((id) => byId.get(id));
    if (owners.some((one) => one === undefined)) return `slot ${slot}: an owner that is no member`;
    const known = owners as PlacementMember[];
    if (known.length !== ownerCount) return `slot ${slot}: ${known.length} owners`;
    if (new Set(known).size !== ownerCount) return `slot ${slot}: an owner twice`;
    if (new Set(known.map((one) => one.zone)).size < zonesNeeded) return `slot ${slot}: a zone twice`;
    if (new Set(known.map(hostName)).size < hostsNeeded) return `slot ${slot}: a host twice`;
  }
  return undefined;
}

/** The largest load relative to its limit: 1.05 of the share, or its next whole number. */
export function largestLoad(counts: ReadonlyMap<number, number>, shareOf: (id: number) => number): number {
  let largest = 0;
  for (const [id, count] of counts) {
    const share = shareOf(id);
    largest = Math.max(largest, count / Math.max(Math.ceil(share - 1e-6), share * 1.05));
  }
  return largest;
}

export function shareByWeight(
  members: readonly PlacementMember[],
  placesPerSlot: number,
): (id: number) => number {
  const sum = members.reduce((total, one) => total + one.weight, 0);
  const weightOf = new Map(members.map((one) => [one.id, one.weight]));
  return (id) => (SLOT_COUNT * placesPerSlot * weightOf.get(id)!) / sum;
}
