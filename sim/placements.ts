/**
 * How the slots of a simulated cluster are shared out: as in a real one, but every seed founds one of a few clusters,
 * and what is a function of its members alone is worked out once.
 */
import { placeSlots, rowsOf } from '../src/core/slot-table.ts';
import type { Place, Placement } from '../src/core/topology-change.ts';
import { crc32Text } from '../src/wire/text-checksum.ts';

/** Foundings that are remembered: more kinds of clusters than a run has. */
const REMEMBERED_MAX = 64;

export const simHash32 = (text: string): number => crc32Text(text);

const founded = new Map<string, Placement>();

export function simPlaceOf(replicaCount: number): Place {
  return (members, previous) => {
    const work = (): Placement => rowsOf(placeSlots({ members, replicaCount, previous, hash32: simHash32 }));
    if (previous !== null) return work();
    const facts = members.map(({ id, name, zone, host, weight }) => [id, name, zone, host, weight]);
    const cluster = JSON.stringify([replicaCount, facts]);
    let placement = founded.get(cluster);
    if (placement === undefined) {
      if (founded.size >= REMEMBERED_MAX) founded.clear();
      placement = work();
      founded.set(cluster, placement);
    }
    return placement;
  };
}
