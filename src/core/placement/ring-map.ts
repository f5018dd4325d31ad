/**
 * Who holds which slots and who will hold them, for people: all holders of each row and their state, including those
 * that are down. Clients that route by slot are told less (slot-map.ts).
 */
import { oncePer } from '../../base/once-per.ts';
import { slotsOfRow } from './slot-index.ts';
import { isAlive } from '../membership/topology.ts';
import type { SlotRow, Standing, Topology } from '../membership/topology.ts';

/**
 * - serving: alive, and holds everything.
 * - retiring: the same, until the owners to come are complete.
 * - learning: alive, and still copying.
 * - down: not alive, whatever is on its disk.
 * - waiting: will own the slots, but has not started to copy them.
 */
export type HolderState = 'serving' | 'retiring' | 'learning' | 'down' | 'waiting';

interface RingHolder {
  /** Index in `members`. */
  readonly member: number;
  readonly state: HolderState;
}

export interface RingMap {
  readonly epoch: number;
  readonly replicaCount: number;
  /** Ordered by id. */
  readonly members: readonly {
    readonly id: number;
    readonly name: string;
    readonly alive: boolean;
    readonly standing: 'in' | Standing;
    readonly zone: string;
    readonly host: string;
  }[];
  /** Rows that have slots; holders in order of preference, future owners last. */
  readonly rows: readonly { readonly holders: readonly RingHolder[]; readonly slotCount: number }[];
  /** Index in `rows` for each slot. */
  readonly slotRow: Uint16Array;
}

/** Cached by topology, which never changes: the same topology gives the same object. */
export const ringMapOf: (topology: Topology) => RingMap = oncePer(mapOf);

function mapOf(topology: Topology): RingMap {
  const members = [...topology.members].sort((a, b) => a.id - b.id);
  const placeOfId = new Map(members.map(({ id }, place) => [id, place]));
  const placeOfRow = new Uint16Array(topology.rows.length);
  const rows: RingMap['rows'][number][] = [];
  topology.rows.forEach((row, number) => {
    const slotCount = slotsOfRow(topology, number).length;
    if (slotCount === 0) return;
    placeOfRow[number] = rows.push({ holders: holdersOf(topology, row, placeOfId), slotCount }) - 1;
  });
  return {
    epoch: topology.epoch,
    replicaCount: topology.replicaCount,
    members: members.map(({ id, name, alive, standing = 'in' as const, zone, host }) => {
      return { id, name, alive, standing, zone, host };
    }),
    rows,
    slotRow: topology.slotRow.map((number) => placeOfRow[number]!),
  };
}

function holdersOf(
  topology: Topology,
  row: SlotRow,
  placeOfId: ReadonlyMap<number, number>,
): readonly RingHolder[] {
  const stateOf = (id: number): HolderState => {
    if (!isAlive(topology, id)) return 'down';
    if (!row.complete.includes(id)) return 'learning';
    return row.coming?.includes(id) === false ? 'retiring' : 'serving';
  };
  const toCome = (row.coming ?? []).filter((id) => !row.owners.includes(id));
  const holders = [
    ...row.owners.map((id) => ({ id, state: stateOf(id) })),
    ...toCome.map((id) => ({ id, state: isAlive(topology, id) ? ('waiting' as const) : ('down' as const) })),
  ];
  // There is nothing to report about an owner that is no longer a member.
  return holders
    .filter(({ id }) => placeOfId.has(id))
    .map(({ id, state }) => ({ member: placeOfId.get(id)!, state }));
}
