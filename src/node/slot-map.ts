/** Who serves which slots, for clients that route by them: ranges of slots with their live owners. (DESIGN 4) */
import { oncePer } from '../base/once-per.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import { liveOwners, memberById } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { SlotMap } from './api.ts';

/** A topology never changes: asked for again, the map is the same object. */
export const slotMapOf: (topology: Topology) => SlotMap = oncePer(mapOf);

function mapOf(topology: Topology): SlotMap {
  const owners = topology.rows.map((row) =>
    liveOwners(topology, row).map((id) => memberById(topology, id)!.name),
  );
  const ranges: { from: number; to: number; owners: readonly string[] }[] = [];
  let last = -1;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const row = topology.slotRow[slot]!;
    if (row === last) ranges.at(-1)!.to = slot;
    // Of slots without a live owner there is nothing to tell.
    else if (owners[row]!.length > 0) ranges.push({ from: slot, to: slot, owners: owners[row]! });
    last = owners[row]!.length > 0 ? row : -1;
  }
  const members = topology.members.map(({ name, alive }) => ({ name, alive }));
  return { epoch: topology.epoch, members, ranges };
}
