/**
 * Who serves which slots, for clients that route by slot: ranges of slots with their live owners, and the addresses of
 * these. (DESIGN 4)
 */
import { oncePer } from '../../base/once-per.ts';
import type { DoorAddresses } from './door-address.ts';
import type { DoorBook } from './door-book.ts';
import { SLOT_COUNT } from '../limits.ts';
import { liveOwners, memberById } from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';

export interface SlotMap {
  readonly epoch: number;
  /** With the addresses at which clients reach them, as host:port; '' if unknown. */
  readonly members: readonly MemberDoors[];
  /** Ascending; slots without a live owner are in no range. */
  readonly ranges: readonly {
    readonly from: number;
    readonly to: number;
    /** Names of live, complete owners; the first one takes conditional writes, unless it is giving the slots up. */
    readonly owners: readonly string[];
  }[];
}

export interface MemberDoors extends DoorAddresses {
  readonly name: string;
  readonly alive: boolean;
  readonly grpc: string;
}

const made = new WeakMap<DoorBook, { readonly version: number; readonly map: SlotMap }>();

/** Returns the same object while neither the epoch nor the addresses change. */
export function slotMapOf(topology: Topology, doors: DoorBook): SlotMap {
  const known = made.get(doors);
  const ranges = rangesOf(topology);
  if (known?.version === doors.version && known.map.ranges === ranges) return known.map;
  const members = topology.members.map(({ name, alive, address: grpc }) => ({
    ...{ name, alive, grpc },
    ...doors.of(name),
  }));
  const map = { epoch: topology.epoch, members, ranges };
  made.set(doors, { version: doors.version, map });
  return map;
}

/** Cached by topology, which never changes: the same topology gives the same object. */
const rangesOf = oncePer((topology: Topology): SlotMap['ranges'] => {
  const owners = topology.rows.map((row) =>
    liveOwners(topology, row).map((id) => memberById(topology, id)!.name),
  );
  const ranges: { from: number; to: number; owners: readonly string[] }[] = [];
  let last = -1;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const row = topology.slotRow[slot]!;
    if (row === last) ranges.at(-1)!.to = slot;
    // Slots without a live owner are left out.
    else if (owners[row]!.length > 0) ranges.push({ from: slot, to: slot, owners: owners[row]! });
    last = owners[row]!.length > 0 ? row : -1;
  }
  return ranges;
});
