/**
 * Adopting another PostgreSQL on purpose: a backup restored into a new server, an empty server, or the same one set
 * back to before the founding. Only an operator can order this, at a node that sees that server itself. The database is
 * *claimed* first: it receives this founding and the name of the adoption, which distinguishes it from every other
 * database. Then an epoch names it, and a drive commits to it what the owners hold. A node that still talks to the
 * previous server is recognised by the missing name, and what that server tells it does not count. (PROTOCOL R30)
 */
import type { Mutations } from '../mutations.ts';
import { isOurs, judgeUse, serverOf, withRecord } from './record-standing.ts';
import type { SeenServer } from './record-standing.ts';
import { lossOf } from '../lives/recovery.ts';
import type { RecordIdentity, Topology } from '../membership/topology.ts';

/**
 * - inUse: there is nothing to adopt.
 * - ready: the database is empty, or holds this very founding.
 * - earlier: the database is from an earlier life, or has no founding: only a person can tell whether it is this
 *   cluster's.
 * - refused: it can never be adopted.
 */
export type AdoptionVerdict =
  { readonly kind: 'inUse' | 'ready' | 'earlier' } | { readonly kind: 'refused'; readonly why: string };

/**
 * Rows of another cluster must not be taken for this one's: no owner here holds them, and a scrubber would bring them
 * in. In a backup of this cluster, every row is either held here or was deleted since under the floor of its slot.
 * (R23)
 */
export function judgeAdoption(topology: Topology, seen: SeenServer, hasRows: boolean): AdoptionVerdict {
  const refused = (why: string): AdoptionVerdict => ({ kind: 'refused', why });
  const chosen = serverOf(topology);
  if (chosen === undefined) return refused('the cluster has not taken note of any PostgreSQL yet');
  const use = judgeUse(chosen, seen);
  if (isOurs(topology, seen)) return { kind: use === 'known' || use === 'failedOver' ? 'inUse' : 'ready' };
  if (seen.life > topology.life) return refused('it belongs to a later founding, or to another cluster');
  if (seen.clusterId !== '' && seen.life === topology.life) return refused('it belongs to another cluster');
  return { kind: seen.clusterId === '' && !hasRows ? 'ready' : 'earlier' };
}

/** For people: what only the previous server has and no owner holds; null if nothing. */
export function lossByAdoption(topology: Topology): string | null {
  const { recovering } = lossOf(topology);
  if (!topology.loaded) return 'rows from before the founding that no node has loaded yet';
  return recovering === 0 ? null : `rows of ${recovering} slots that were given up and are not whole yet`;
}

/** A database that was claimed for this founding and will be named by an epoch. */
export interface ClaimedServer extends RecordIdentity {
  readonly clusterId: string;
}

export function isAdopted({ record }: Topology, { system }: RecordIdentity): boolean {
  return record?.system === system;
}

/**
 * The epoch that names the claimed server; null if one already does, or it is too late. `seen`: the server this node is
 * connected to; about a server that it does not see itself, a node cannot decide.
 */
export function adoptServer(
  topology: Topology,
  claimed: ClaimedServer,
  seen: SeenServer | null,
  mutations: Mutations,
): Topology | null {
  const { record } = topology;
  if (record === undefined || topology.clusterId !== claimed.clusterId || isAdopted(topology, claimed))
    return null;
  if (seen?.system !== claimed.system || seen.timeline !== claimed.timeline) return null;
  const next = withRecord(topology, claimed, record.drive + 1);
  return mutations.adoptUndriven === true ? { ...next, record: { ...next.record!, driven: true } } : next;
}
