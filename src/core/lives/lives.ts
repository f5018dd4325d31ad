/**
 * Which life of the cluster is in force according to PostgreSQL, and whether anybody lives in it. Every process with a
 * member's disk notes there every few seconds that it is up and where it can be reached. So blank nodes that have never
 * heard of it do not found a cluster beside it, and a node from an earlier life finds the members it belongs to. Ages
 * are measured by PostgreSQL's clock alone. (PROTOCOL R27, decision 35)
 */
import { LIFE_FRESH_MS, LIFE_SIGN_AFTER_MS, LIVING_TOLD_MAX } from './life-limits.ts';
import type { LifeName } from '../membership/membership-message.ts';
import { judgeServer } from '../system-of-record/record-standing.ts';
import type { SeenServer } from '../system-of-record/record-standing.ts';
import { sameLife } from '../membership/register.ts';
import { memberByName } from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';

export interface LivingMember {
  readonly name: string;
  readonly address: string;
}

/** The latest note of a life. It names nobody if the life has just begun and nobody has noted anything yet. */
export interface LifeSign {
  readonly members: readonly LivingMember[];
  /** Negative if PostgreSQL's clock was set back since, or the clocks of its servers differ. */
  readonly ageMs: number;
  /** Time of the note by PostgreSQL's clock; nothing else distinguishes one note from the next. */
  readonly notedAt: number;
}

/** The life in force. */
export interface StandingLife extends LifeName {
  /** Names of the last lives that preceded it: each founding notes which life it replaced. */
  readonly lineage: readonly string[];
  /** Null if unknown. */
  readonly sign: LifeSign | null;
}

/**
 * - over: a life that descends from this one is in force, and PostgreSQL accepts nothing of this life any more.
 * - foreign: a later life that does not descend from this one is in force. Either the database belongs to another
 *   cluster, which `judgeUse` cannot tell, or the disk is from a life that was forgotten.
 *
 * Either way PostgreSQL fences this life's statements.
 */
export type LifeVerdict = 'goesOn' | 'over' | 'foreign';

export function judgeLife(own: LifeName, standing: StandingLife | null): LifeVerdict {
  if (standing === null || standing.life <= own.life) return 'goesOn';
  return standing.lineage.includes(own.clusterId) ? 'over' : 'foreign';
}

/**
 * True if a claimed database holds this cluster, in whatever life. Only then do the lives noted there count as
 * ancestors of the claimed life.
 */
export function isOfThisCluster(
  { clusterId }: Pick<LifeName, 'clusterId'>,
  claimed: LifeName,
  ancestors: readonly LifeName[],
): boolean {
  return clusterId !== '' && [claimed, ...ancestors].some((each) => each.clusterId === clusterId);
}

/** For people: why a process ends when the life in force is foreign. */
export function whyForeign(own: LifeName, { life }: LifeName): string {
  return (
    `PostgreSQL holds life ${life} of a cluster, which did not come of life ${own.life}, to which this node belongs. If postgres.url ` +
    "leads to another cluster's database, point it at this one's. If it leads to the right one, this data directory is from " +
    'long before: give the node an empty one'
  );
}

/**
 * The server that holds a later life, if this life does not use it: a server that has failed over and that nobody in
 * this life can adopt, or one to which the cluster may have moved in that life. It may be queried, because nothing of
 * this life can be written there. While rows are still to be loaded, another server is not queried, not even for a
 * moment. Null if there is none.
 */
export function laterServer({ record, life, loaded }: Topology, seen: SeenServer | null): SeenServer | null {
  if (record === undefined || seen === null || seen.life <= life) return null;
  const verdict = judgeServer(record, seen);
  return verdict === 'earlier' || (verdict === 'other' && !loaded) ? null : seen;
}

/**
 * True if the server asked is not the one of this node's life: the life in force there may belong to another cluster,
 * and does not concern this node.
 */
export function isElsewhere({ record }: Topology, seen: SeenServer | null): boolean {
  return record !== undefined && seen !== null && judgeServer(record, seen) === 'other';
}

/**
 * Processes with a member's disk that were up a moment ago; null if none is known to be. A life that has just begun
 * counts as lived in.
 */
export function livingIn(standing: StandingLife | null): readonly LivingMember[] | null {
  const sign = standing?.sign ?? null;
  return sign === null || Math.abs(sign.ageMs) > LIFE_FRESH_MS ? null : sign.members;
}

/** True if it is time for some member of this life to note that it is up. One of many members is enough. */
export function wantsSign(own: LifeName, standing: StandingLife | null): boolean {
  if (standing === null || !sameLife(own, standing)) return false;
  const { sign } = standing;
  // A note with a time in the future would seem fresh until that time.
  return sign === null || sign.members.length === 0 || Math.abs(sign.ageMs) >= LIFE_SIGN_AFTER_MS;
}

/** What this member notes: itself and other members that it hears, up to the limit. */
export function livingHere(
  own: LivingMember,
  { members }: Topology,
  isHeard: (name: string) => boolean,
): LivingMember[] {
  const others = members
    .filter(({ name, alive }) => name !== own.name && alive && isHeard(name))
    .map(({ name, address }) => ({ name, address }));
  return [own, ...others].slice(0, LIVING_TOLD_MAX);
}

const TO_COME_BACK =
  'To make it a member again set node.join to the address of one of them and start it anew; otherwise stop it';

/** Why no member admits a process that does not ask to join, and what to do about it; '' if it is a member, or asks. */
export function whyOutside(topology: Topology, name: string, joins: boolean): string {
  if (joins || memberByName(topology, name) !== undefined) return '';
  return (
    `the members of life ${topology.life} do not know this node: it was replaced, told to leave, or they went on without having ` +
    `heard of it. ${TO_COME_BACK}`
  );
}

/** The same for a process to which the living members say nothing. */
export function whyNotLetIn(life: number, living: readonly LivingMember[]): string {
  return (
    `these are up in life ${life} of the cluster, which is in force, and have not let this node in: ${livingText(living)}. Either it ` +
    `does not reach them, or they do not know it any more (it was replaced, or told to leave). ${TO_COME_BACK}`
  );
}

/** For people: what a process waits for when its life is over. */
export function whyOver(own: LifeName, later: LifeName): string {
  return (
    `by PostgreSQL's word life ${later.life} of the cluster is in force, and this node is of life ${own.life}: it looks for those who ` +
    'are up there. Where PostgreSQL was set back since to this life, start the node anew'
  );
}

/** For people: which members are up, according to the note. */
export function livingText(members: readonly LivingMember[]): string {
  return members.map(({ name, address }) => `${name} (${address})`).join(', ');
}

/** Why an operator cannot continue with this life here; null if the note does not forbid it. */
export function whyLifeGoesOn(own: LifeName, standing: StandingLife | null): string | null {
  const verdict = judgeLife(own, standing);
  if (standing === null || verdict === 'goesOn') return null;
  if (verdict === 'foreign') return whyForeign(own, standing);
  const living = livingIn(standing) ?? [];
  if (living.length === 0) return null;
  return (
    `life ${standing.life} of the cluster is in force, and these are up in it: ${livingText(living)}. ` +
    'This node joins them by itself; go on there, or stop those first'
  );
}
