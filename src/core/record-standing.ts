/**
 * Which PostgreSQL the cluster writes to, and whether it has everything that the owners hold. A failover shows in a later
 * timeline; a restore of a backup may show in nothing but rows that are gone. Either is an epoch, which begins a *drive*:
 * the first owner of each slot compares what it holds with what stands, and commits every higher version again. Nothing
 * that the comparison needs may be dropped before all slots are done. (DESIGN 6, PROTOCOL R30)
 */
import { slotsOfRow } from './slot-index.ts';
import { liveOwners, retiring } from './topology.ts';
import type { RecordIdentity, RecordStanding, Topology } from './topology.ts';

/** A system identifier where the server does not tell it: managed and distributed servers may not. */
export const SYSTEM_UNTOLD = 'unknown';

/** A server as a connection has found it. */
export interface SeenServer extends RecordIdentity {
  /** The founding in force there; '' and 0 where there is none, or where it was not asked for. */
  readonly clusterId: string;
  readonly life: number;
}

/**
 * known: to be used. failedOver: the same database on a later timeline. earlier: a primary that a failover has left behind.
 * other: another database.
 */
export type ServerVerdict = 'known' | 'failedOver' | 'earlier' | 'other';

export function judgeServer(known: RecordIdentity, seen: RecordIdentity): ServerVerdict {
  const isTold = known.system !== SYSTEM_UNTOLD && seen.system !== SYSTEM_UNTOLD;
  if (isTold && known.system !== seen.system) return 'other';
  if (seen.timeline < known.timeline) return 'earlier';
  return seen.timeline > known.timeline ? 'failedOver' : 'known';
}

/** Why a server takes nothing of this life of the cluster, and what there is to do; for people. (R27) */
export function whyFenced(topology: Topology | null, seen: SeenServer | null): string {
  const isNone = seen?.clusterId === '';
  const isEarlier = topology !== null && seen !== null && seen.life < topology.life;
  if (!isNone && !isEarlier) return 'PostgreSQL belongs to a later founding of the cluster';
  const found = isNone ? 'no founding of this cluster' : `life ${seen.life} of the cluster`;
  const ours = topology === null ? '' : `, and this is life ${topology.life}`;
  return `PostgreSQL holds ${found}${ours}: it was emptied, or set back to before the founding; nothing was written to it. Put a backup from after the founding in its place, or point postgres.url at the server that was in use`;
}

/** How a founding begins: on the very server that it was taken from, and which lacks nothing that was acknowledged since. */
export function foundedOn({ system, timeline }: RecordIdentity): RecordStanding {
  return { system, timeline, drive: 0, driven: true };
}

/** Every row that the owners hold is in PostgreSQL, as far as anybody knows: what only they have may be dropped. */
export function everythingDriven(topology: Topology): boolean {
  return topology.record?.driven ?? true;
}

/** Number of the drive; a comparison of an earlier one counts for nothing. */
export function driveOf(topology: Topology): number {
  return topology.record?.drive ?? 0;
}

export interface RecordFacts {
  /** What this node was last connected to; null: nothing yet. */
  readonly seen: SeenServer | null;
  /** The drive in which rows known to be committed were seen to be gone, or older; null: none. */
  readonly lostIn: number | null;
  /** The member has said, in this epoch, that all slots of which it is the first owner are driven. */
  readonly hasDriven: (id: number) => boolean;
}

/** The epoch that PostgreSQL calls for, or null. */
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

/** Nobody served for a while: what became of PostgreSQL meanwhile nobody knows. Part of another change. */
export function afterColdStart(topology: Topology): Topology {
  const { record } = topology;
  if (record === undefined) return topology;
  return { ...topology, record: { ...record, drive: record.drive + 1, driven: false } };
}

/** The rows there are of this very founding. */
function isOurs({ clusterId, life }: Topology, seen: SeenServer): boolean {
  return seen.clusterId === clusterId && seen.life === life;
}

function withRecord(topology: Topology, { system, timeline }: RecordIdentity, drive: number): Topology {
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
/** Asked for with every tick while a drive lasts, and the same as long as the topology is. */
const firstsOf = new WeakMap<Topology, ReadonlySet<number>>();

/** The first owner of every slot; `NOBODY`, who has driven nothing, where none lives. */
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
