/** A topology right after its founding, with real placement: for rules that change it. */
import { placeSlots, rowsOf } from '../../src/core/placement/slot-table.ts';
import { foundTopology } from '../../src/core/membership/topology-change.ts';
import type { Place } from '../../src/core/membership/topology-change.ts';
import type { Topology } from '../../src/core/membership/topology.ts';

const hash32 = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
};
export const place: Place = (members, previous) =>
  rowsOf(placeSlots({ members, replicaCount: 3, previous, hash32 }));

/** With `count` members and three replicas. */
export function founded(count: number, healAfterMs = 0): Topology {
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  return foundTopology({
    clusterId: 'c',
    life: 1,
    members: names.map((name) => ({ name, address: name, zone: '', host: name, weight: 1, incarnation: 1 })),
    place,
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs,
    floorCounter: 1,
    loaded: true,
  });
}
