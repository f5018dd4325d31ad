/**
 * Handles the loss of so many voters that no epoch can be chosen any more: an operator says which members are lost, and
 * the remaining ones begin another *life* of the cluster. PostgreSQL hands out lives one after the other, and accepts
 * nothing from an earlier one. So of two parts that cannot hear each other only one continues, and members that were
 * given up cannot finish any write in PostgreSQL. The remaining members do not know what the lost ones last chose and
 * acknowledged, so no slot has a complete owner then: each is first made whole from PostgreSQL. (DESIGN 3, PROTOCOL
 * R21, R27, R28)
 */
import type { Introductions } from '../membership/membership-plan.ts';
import type { Introduction } from '../membership/membership-message.ts';
import { nextLifeEpoch } from './life-epochs.ts';
import { COUNCIL_COUNT_MAX } from '../limits.ts';
import { inNextLife } from '../system-of-record/record-standing.ts';
import { forsake } from './recovery.ts';
import { isAlive, majorityOf } from '../membership/topology.ts';
import type { RecordStanding, Topology } from '../membership/topology.ts';
import type { Place } from '../membership/topology-change.ts';

/** A member that is up, with the disk that the cluster remembers. */
export interface Survivor {
  readonly id: number;
  readonly incarnation: number;
}

/** The next life, as PostgreSQL handed it out. */
export interface NextLife {
  readonly clusterId: string;
  readonly life: number;
  /** The counter above which all its versions start. */
  readonly floorCounter: number;
  /** The server that handed it out; null if there is no PostgreSQL. */
  readonly record: RecordStanding | null;
}

export function survivorsOf(
  topology: Topology,
  own: Introduction,
  introductions: Introductions,
  isPresent: (name: string) => boolean,
): Survivor[] {
  return topology.members.flatMap(({ id, name }) => {
    const said = name === own.name ? own : introductions.get(name);
    if (said === undefined || said.id !== id || (said !== own && !isPresent(name))) return [];
    return [{ id, incarnation: said.incarnation }];
  });
}

/** True if the remaining members can choose an epoch, so that nobody has to be given up for one. */
export function hasMajority({ council }: Topology, survivors: readonly Survivor[]): boolean {
  const votes = council.filter((id) => survivors.some((each) => each.id === id)).length;
  return votes >= majorityOf(council.length);
}

/**
 * The first topology of the next life. The remaining members are alive and vote, and take the place of the others,
 * which stay members and come back as learners. Its epoch is far above any that the lost members may have chosen
 * unseen, so that a member coming from there has missed epochs (R17).
 */
export function succeed(
  topology: Topology,
  survivors: readonly Survivor[],
  next: NextLife,
  place: Place,
): Topology {
  const members = topology.members.map((member) => {
    const survivor = survivors.find((each) => each.id === member.id);
    if (survivor === undefined) return { ...member, alive: false, standing: member.standing ?? 'healed' };
    return { ...member, alive: true, incarnation: survivor.incarnation };
  });
  const base: Topology = {
    ...topology,
    clusterId: next.clusterId,
    life: next.life,
    floorCounter: Math.max(topology.floorCounter, next.floorCounter),
    epoch: nextLifeEpoch(topology.epoch, next.life),
    members,
    council: survivors.slice(0, COUNCIL_COUNT_MAX).map((survivor) => survivor.id),
    ...(next.record === null ? {} : { record: inNextLife(topology.record, next.record) }),
  };
  // Members known to have been complete come first: a disk that is behind cannot make anything whole.
  const rows = base.rows.map((row) => {
    const isBest = (id: number): boolean => row.complete.includes(id) && isAlive(base, id);
    const best = row.owners.filter(isBest);
    return { ...row, owners: [...best, ...row.owners.filter((id) => !best.includes(id))] };
  });
  return { ...base, ...forsake({ ...base, rows }, () => true, place) };
}
