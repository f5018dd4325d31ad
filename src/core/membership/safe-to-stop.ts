/**
 * What stopping one member now would cost, for whoever restarts nodes one after another and must know when the next may
 * go. Stopping never loses anything; this tells whether someone would have to wait, or whether fewer copies of
 * something would remain than the cluster needs.
 */
import type { Phase } from './phases.ts';
import { everythingDriven } from '../system-of-record/record-standing.ts';
import { slotsOfRow } from '../placement/slot-index.ts';
import { isAlive, isForsaken, majorityOf, memberById, ownersNeeded } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

export interface StopFacts {
  /** Null if this process knows of no cluster yet. */
  readonly topology: Topology | null;
  readonly selfId: number;
  readonly phase: Phase;
  readonly leaseHeld: boolean;
  /** True if this member can reach that one now. */
  readonly isLinked: (id: number) => boolean;
  /** Records on this disk that PostgreSQL lacks. */
  readonly spooled: number;
  /** Names of the other members that are about to stop, or were allowed to. (stop-book.ts) */
  readonly stopping: readonly string[];
}

const ON_ITS_WAY: ReadonlySet<Phase> = new Set(['founding', 'entering', 'learning']);

/** The reasons against stopping, for people; empty if there are none. */
export function costsOfStopping(facts: StopFacts): string[] {
  const { topology, phase, leaseHeld, spooled } = facts;
  if (phase === 'starting' || phase === 'left') return [];
  if (phase === 'stopping') return ['it is stopping already'];
  const costs = facts.stopping.map((name) => `${name} is about to stop`);
  if (ON_ITS_WAY.has(phase)) costs.push(`it is ${phase}: the cluster waits for the replica that it will be`);
  if (topology === null) return costs;
  if (!leaseHeld && phase === 'serving')
    costs.push('it holds no lease: what it knows of the others may be old');
  costs.push(...costsOfSlots(facts, topology), ...costsOfVotes(facts, topology));
  costs.push(...costsOfRecord(facts, topology));
  if (spooled > 0) costs.push(`${spooled} records on its disk wait for PostgreSQL`);
  return costs;
}

function costsOfSlots({ selfId, isLinked }: StopFacts, topology: Topology): string[] {
  let unserved = 0;
  let moving = 0;
  let thin = 0;
  let recovering = 0;
  const missing = new Set<number>();
  const isThere = (id: number): boolean => isAlive(topology, id) && isLinked(id);
  topology.rows.forEach((row, index) => {
    const { coming = [] } = row;
    if (!row.owners.includes(selfId) && !coming.includes(selfId)) return;
    const count = slotsOfRow(topology, index).length;
    if (count === 0) return;
    if (isForsaken(row)) recovering += count;
    else if (row.coming !== undefined) moving += count;
    if (!row.complete.includes(selfId)) return;
    const others = row.complete.filter((id) => id !== selfId && isThere(id));
    if (others.length < ownersNeeded(topology)) unserved += count;
    const absent = absentOwners(row, selfId, isThere);
    if (absent.length > 0) thin += count;
    for (const id of absent) missing.add(id);
  });
  const costs: string[] = [];
  if (unserved > 0) costs.push(`${slots(unserved)} would have too few owners for a write`);
  if (thin > 0) costs.push(`${slots(thin)} lack a copy already (${namesOf(topology, missing)})`);
  if (moving > 0) costs.push(`${slots(moving)} are on their way from it or to it`);
  if (recovering > 0) costs.push(`${slots(recovering)} are being made whole again`);
  return costs;
}

/** Other owners of the row that do not have everything, or cannot be reached. */
function absentOwners(row: SlotRow, selfId: number, isThere: (id: number) => boolean): number[] {
  return row.owners.filter((id) => id !== selfId && (!row.complete.includes(id) || !isThere(id)));
}

function costsOfVotes({ selfId, isLinked }: StopFacts, topology: Topology): string[] {
  const { council } = topology;
  if (!council.includes(selfId)) return [];
  const left = council.filter((id) => id !== selfId && isAlive(topology, id) && isLinked(id)).length;
  const needed = majorityOf(council.length);
  if (left >= needed) return [];
  return [`without it ${left} of ${council.length} votes are left, and ${needed} are needed`];
}

/** After a failover or a restore, only the owners may have what was acknowledged. (R30) */
function costsOfRecord({ selfId }: StopFacts, topology: Topology): string[] {
  const holdsSome = topology.rows.some(
    (row, index) => row.complete.includes(selfId) && slotsOfRow(topology, index).length > 0,
  );
  if (everythingDriven(topology) || !holdsSome) return [];
  return ['PostgreSQL may lack what it holds: that is being compared'];
}

function namesOf(topology: Topology, ids: ReadonlySet<number>): string {
  const shown = [...ids].slice(0, 3).map((id) => memberById(topology, id)?.name ?? String(id));
  return ids.size > shown.length
    ? `${shown.join(', ')} and ${ids.size - shown.length} more`
    : shown.join(', ');
}

function slots(count: number): string {
  return count === 1 ? '1 slot' : `${count} slots`;
}
