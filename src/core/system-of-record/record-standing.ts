/**
 * Which PostgreSQL server the cluster writes to, and whether it has everything that the owners hold. A failover shows
 * as a later timeline; the restore of a backup may show only in missing rows. Either leads to an epoch that begins a
 * *drive*: the first owner of each slot compares what it holds with PostgreSQL's rows, and commits every higher version
 * again. Nothing that the comparison needs may be dropped before all slots are done. (DESIGN 6, PROTOCOL R30)
 */
import { slotsOfRow } from '../placement/slot-index.ts';
import { liveOwners, retiring } from '../membership/topology.ts';
import type { RecordIdentity, RecordStanding, Topology } from '../membership/topology.ts';

/** The system identifier of a server that does not tell it; managed and distributed servers may not. */
export const SYSTEM_UNTOLD = 'unknown';

/** A server and the founding in force on it, as a connection found it or as it should be found. */
export interface SeenServer extends RecordIdentity {
  /** '' and 0 if there is no founding. */
  readonly clusterId: string;
  readonly life: number;
}

const ADOPTION_MARK = '#';

/**
 * A system identifier combined with the name of the adoption by which the database became the cluster's ('' if the
 * cluster was founded there). The name is stored in the database beside the founding, so that a copy of the server, or
 * another database on it, can be told apart.
 */
export function adoptedSystem(system: string, adoption: string): string {
  return adoption === '' ? system : `${system}${ADOPTION_MARK}${adoption}`;
}

/** Splits what `adoptedSystem` makes. */
export function partsOfSystem(told: string): { readonly system: string; readonly adoption: string } {
  const [system = '', adoption = ''] = told.split(ADOPTION_MARK);
  return { system, adoption };
}

/**
 * - known: may be used.
 * - failedOver: the same database on a later timeline.
 * - earlier: a former primary that a failover has left behind.
 * - other: another database.
 */
export type ServerVerdict = 'known' | 'failedOver' | 'earlier' | 'other';

export function judgeServer(known: RecordIdentity, seen: RecordIdentity): ServerVerdict {
  if (known.system !== seen.system && isOtherSystem(known.system, seen.system)) return 'other';
  if (seen.timeline < known.timeline) return 'earlier';
  return seen.timeline > known.timeline ? 'failedOver' : 'known';
}

function isOtherSystem(known: string, seen: string): boolean {
  const one = partsOfSystem(known);
  const other = partsOfSystem(seen);
  if (one.adoption !== other.adoption) return true;
  const isTold = one.system !== SYSTEM_UNTOLD && other.system !== SYSTEM_UNTOLD;
  return isTold && one.system !== other.system;
}

/**
 * Like `ServerVerdict`; in addition, for exactly the chosen server: unfounded, if it lacks this founding, and foreign,
 * if it belongs to another cluster.
 */
export type UseVerdict = ServerVerdict | 'unfounded' | 'foreign';

/**
 * Whether the connected server may be used. Its identity is not enough: a server that was emptied, or set back to
 * before the founding, still has the same identity, and so does another database on it. A later life needs no check
 * here: statements report by themselves that they are fenced. (R27)
 */
export function judgeUse(chosen: SeenServer, seen: SeenServer): UseVerdict {
  const verdict = judgeServer(chosen, seen);
  if (verdict !== 'known' || seen.life > chosen.life) return verdict;
  if (seen.life < chosen.life || seen.clusterId === '') return 'unfounded';
  return seen.clusterId === chosen.clusterId ? 'known' : 'foreign';
}

/** The same server with the same founding in force. */
export function isSameServer(one: SeenServer, other: SeenServer): boolean {
  const isOne = one.system === other.system && one.timeline === other.timeline;
  return isOne && one.clusterId === other.clusterId && one.life === other.life;
}

/**
 * Like `isSameServer`, but also true if the server received its name in between: a relative of PostgreSQL
 * (`postgres.compat`) is identified by a name that is drawn when its tables are created.
 */
export function isSameButNamed(now: SeenServer, before: SeenServer): boolean {
  const wasUnnamed = before.clusterId === '' && partsOfSystem(before.system).adoption === '';
  const unnamed = { ...now, system: partsOfSystem(now.system).system };
  return isSameServer(now, before) || (wasUnnamed && isSameServer(unnamed, before));
}

/** True if only an operator can make it the cluster's server. */
export function isForeign(chosen: SeenServer, seen: SeenServer): boolean {
  const verdict = judgeUse(chosen, seen);
  return verdict !== 'known' && verdict !== 'failedOver';
}

const TO_ACCEPT = 'or accept it: causeway cluster adopt-record';

/** For people: why the connected server is not used, and what to do about it; null if it is used. */
export function whyNotUsed(chosen: SeenServer, seen: SeenServer): string | null {
  const verdict = judgeUse(chosen, seen);
  const found = seen.clusterId === '' ? 'no founding of this cluster' : `life ${seen.life} of a cluster`;
  const instead = `: system ${seen.system}, timeline ${seen.timeline} instead of system ${chosen.system}, timeline ${chosen.timeline}`;
  switch (verdict) {
    case 'known':
      return null;
    case 'failedOver':
      return `PostgreSQL has failed over, and is used as soon as the cluster has taken note of that${instead}`;
    case 'earlier':
      return `a primary that a failover has left behind${instead}`;
    case 'other':
      return `another PostgreSQL than that of this cluster; point postgres.url at the right one, ${TO_ACCEPT}${instead}`;
    case 'foreign':
      return 'this database belongs to another cluster; point postgres.url at the right one';
    case 'unfounded':
      return `PostgreSQL holds ${found}, and this is life ${chosen.life}: it was emptied, or set back to before the founding. Put a backup from after the founding in its place, ${TO_ACCEPT}`;
  }
}

/** Why a process ends: PostgreSQL accepts nothing of its life any more. (R27) */
export const WHY_FENCED =
  'PostgreSQL belongs to a later founding of the cluster, or was emptied under its connections';

/** The server that the topology names, with the founding that must be found on it; undefined if it names none. */
export function serverOf({ record, clusterId, life }: Topology): SeenServer | undefined {
  return record === undefined
    ? undefined
    : { system: record.system, timeline: record.timeline, clusterId, life };
}

/** The state at a founding: on the server that the life was taken from, which has everything acknowledged since. */
export function foundedOn({ system, timeline }: RecordIdentity): RecordStanding {
  return { system, timeline, drive: 0, driven: true };
}

/**
 * True if, as far as anybody knows, PostgreSQL has every row that the owners hold, so that what only they hold may be
 * dropped.
 */
export function everythingDriven(topology: Topology): boolean {
  return topology.record?.driven ?? true;
}

/** Number of the drive. Results of an earlier drive do not count. */
export function driveOf(topology: Topology): number {
  return topology.record?.drive ?? 0;
}

export interface RecordFacts {
  /** The server that this node was last connected to; null if none yet. */
  readonly seen: SeenServer | null;
  /** The drive in which committed rows were seen to be missing or older; null if none. */
  readonly lostIn: number | null;
  /** The member has said in this epoch that all slots of which it is the first owner are driven. */
  readonly hasDriven: (id: number) => boolean;
}

/** The next epoch that the state of PostgreSQL requires, or null. */
export function nextRecord(topology: Topology, facts: RecordFacts): Topology | null {
  const { record } = topology;
  const { seen } = facts;
  if (seen !== null && isOurs(topology, seen)) {
    const isLater = record === undefined || judgeServer(record, seen) === 'failedOver';
    if (isLater) return withRecord(topology, seen, driveOf(topology) + 1);
  }
  if (record === undefined) return null;
  if (facts.lostIn === record.drive) return withRecord(topology, record, record.drive + 1);
  return !record.driven && isDrivenBy(topology, facts.hasDriven) ? driven(topology, record) : null;
}

/**
 * Begins a new drive as part of another change: nobody served for a while, so it is unknown what happened to PostgreSQL
 * meanwhile; or PostgreSQL may lack what is served now.
 */
export function driveAnew(topology: Topology): Topology {
  const { record } = topology;
  if (record === undefined) return topology;
  return { ...topology, record: { ...record, drive: record.drive + 1, driven: false } };
}

/** True if the server holds exactly this founding. */
export function isOurs({ clusterId, life }: Topology, seen: SeenServer): boolean {
  return seen.clusterId === clusterId && seen.life === life;
}

/**
 * A server that has failed over, with this very founding, while no epoch can be chosen to name it: the next life may be
 * taken from it. Null if the server seen is the one in use, or a different one. (R27, R30)
 */
export function promotedServer(topology: Topology, seen: SeenServer | null): SeenServer | null {
  const { record } = topology;
  if (record === undefined || seen === null || !isOurs(topology, seen)) return null;
  return judgeServer(record, seen) === 'failedOver' ? seen : null;
}

/**
 * The server from which a new life was taken. If it is not the server of the previous life, it may lack what was
 * committed there.
 */
export function inNextLife(before: RecordStanding | undefined, from: RecordStanding): RecordStanding {
  if (before === undefined || judgeServer(before, from) === 'known') return before ?? from;
  return { ...from, drive: before.drive + 1, driven: false };
}

/** Begins a drive on this server. */
export function withRecord(
  topology: Topology,
  { system, timeline }: RecordIdentity,
  drive: number,
): Topology {
  const record = { system, timeline, drive, driven: false };
  return { ...topology, epoch: topology.epoch + 1, record };
}

function driven(topology: Topology, record: RecordStanding): Topology {
  return { ...topology, epoch: topology.epoch + 1, record: { ...record, driven: true } };
}

function isDrivenBy(topology: Topology, hasDriven: (id: number) => boolean): boolean {
  let firsts = firstsOf.get(topology);
  if (firsts === undefined) firstsOf.set(topology, (firsts = findFirsts(topology)));
  for (const id of firsts) if (!hasDriven(id)) return false;
  return true;
}

const NOBODY = 0;
/** Cached by topology, because it is asked for on every tick while a drive lasts. */
const firstsOf = new WeakMap<Topology, ReadonlySet<number>>();

/** The first owner of every slot; `NOBODY`, who never reports a drive as done, for a slot without a live owner. */
function findFirsts(topology: Topology): Set<number> {
  const firsts = new Set<number>();
  topology.rows.forEach((row, number) => {
    if (slotsOfRow(topology, number).length === 0) return;
    const owners = liveOwners(topology, row);
    const leaving = retiring(topology, row);
    firsts.add(owners.find((id) => !leaving.includes(id)) ?? owners[0] ?? NOBODY);
  });
  return firsts;
}
