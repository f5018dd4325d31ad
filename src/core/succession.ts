/**
 * What is left to do where so many voters are gone for good that no epoch can be chosen any more: an operator says who is
 * lost, and those who are left begin another *life* of the cluster. PostgreSQL hands lives out, one after the other,
 * and takes nothing from an earlier one; so of two parts that cannot hear each other only one goes on, and who is given
 * up can finish no write that stands there. What the lost ones chose and acknowledged last is not known to those who
 * are left: no slot has a complete owner then, each is made whole from PostgreSQL first. (DESIGN 3, PROTOCOL R21, R27, R28)
 */
import type { Introductions } from './membership-plan.ts';
import type { Introduction } from './membership-message.ts';
import { nextLifeEpoch } from './life-epochs.ts';
import { COUNCIL_COUNT_MAX } from './limits.ts';
import { inNextLife } from './record-standing.ts';
import { forsake } from './recovery.ts';
import { isAlive, majorityOf } from './topology.ts';
import type { RecordStanding, Topology } from './topology.ts';
import type { Place } from './topology-change.ts';

/** A member that is up, with the disk that the cluster remembers. */
export interface Survivor {
  readonly id: number;
  readonly incarnation: number;
}

/** The life that follows, as PostgreSQL gave it out. */
export interface NextLife {
  readonly clusterId: string;
  readonly life: number;
  /** Counter above which all its versions start. */
  readonly floorCounter: number;
  /** The server that gave it out; null: there is none. */
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

/** Can those who are left choose an epoch? Then nobody has to be given up for one. */
export function hasMajority({ council }: Topology, survivors: readonly Survivor[]): boolean {
  const votes = council.filter((id) => survivors.some((each) => each.id === id)).length;
  return votes >= majorityOf(council.length);
}

/**
 * The first topology of the next life: those who are left are alive and vote, and take the place of the others, who stay
 * members and come back as learners. Its epoch lies far above all that the lost ones may have chosen without anybody's knowledge: whoever
 * comes from there has missed epochs (R17).
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
  // Who had everything, as far as is known, is asked before who had not: a disk that is behind makes nothing whole.
  const rows = base.rows.map((row) => {
    const isBest = (id: number): boolean => row.complete.includes(id) && isAlive(base, id);
    const best = row.owners.filter(isBest);
    return { ...row, owners: [...best, ...row.owners.filter((id) => !best.includes(id))] };
  });
  return { ...base, ...forsake({ ...base, rows }, () => true, place) };
}
