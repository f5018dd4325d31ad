/**
 * Which life of the cluster is in force by PostgreSQL's word, and whether anybody lives in it. Whoever has the disk of a member
 * notes there every few seconds that it is up, and where it is reached: so that blank disks found nothing beside it, though
 * they have never heard of it, and that who is of an earlier life finds those it belongs to. Ages are by PostgreSQL's
 * clock alone. (PROTOCOL R27, decision 35)
 */
import { LIFE_FRESH_MS, LIFE_SIGN_AFTER_MS, LIVING_TOLD_MAX } from './life-limits.ts';
import type { LifeName } from './membership-message.ts';
import { judgeServer } from './record-standing.ts';
import type { SeenServer } from './record-standing.ts';
import { sameLife } from './register.ts';
import { memberByName } from './topology.ts';
import type { Topology } from './topology.ts';

export interface LivingMember {
  readonly name: string;
  readonly address: string;
}

/** What was noted last in a life; nobody is named where it has just begun, and nobody has noted anything yet. */
export interface LifeSign {
  readonly members: readonly LivingMember[];
  /** Below 0 where PostgreSQL's clock was set back since, or its servers' clocks differ. */
  readonly ageMs: number;
  /** When, by PostgreSQL's clock: by this one note is told from another, and by nothing else of it. */
  readonly notedAt: number;
}

/** The life in force. */
export interface StandingLife extends LifeName {
  /** Names of the lives that it came of, the last ones: each founding notes which it replaced. */
  readonly lineage: readonly string[];
  /** Null where it is not told. */
  readonly sign: LifeSign | null;
}

/**
 * over: PostgreSQL takes nothing of that life any more, for one that came of it is in force. foreign: a later one that did not come
 * of it: the database is another cluster's, which `judgeUse` cannot tell, or the disk is of a life that was forgotten.
 * Statements are fenced by either.
 */
export type LifeVerdict = 'goesOn' | 'over' | 'foreign';

export function judgeLife(own: LifeName, standing: StandingLife | null): LifeVerdict {
  if (standing === null || standing.life <= own.life) return 'goesOn';
  return standing.lineage.includes(own.clusterId) ? 'over' : 'foreign';
}

/**
 * Is what stands in a database that is claimed of this cluster, in whatever life? Only then the lives noted there are ones of which
 * the claimed life came, too.
 */
export function isOfThisCluster(
  { clusterId }: Pick<LifeName, 'clusterId'>,
  claimed: LifeName,
  ancestors: readonly LifeName[],
): boolean {
  return clusterId !== '' && [claimed, ...ancestors].some((each) => each.clusterId === clusterId);
}

/** Why a process ends where the life in force is foreign; for people. */
export function whyForeign(own: LifeName, { life }: LifeName): string {
  return (
    `PostgreSQL holds life ${life} of a cluster, which did not come of life ${own.life}, to which this node belongs. If postgres.url ` +
    "leads to another cluster's database, point it at this one's. If it leads to the right one, this data directory is from " +
    'long before: give the node an empty one'
  );
}

/**
 * A server that is not used holds a later life: one that has failed over and that nobody of this life may take into use, or one to
 * which the cluster may have moved in that life. It can be used to ask: nothing of this life can be written there. While rows are still
 * to be loaded, another's are not read: not even where it is asked for a moment. Null: there is none.
 */
export function laterServer({ record, life, loaded }: Topology, seen: SeenServer | null): SeenServer | null {
  if (record === undefined || seen === null || seen.life <= life) return null;
  const verdict = judgeServer(record, seen);
  return verdict === 'earlier' || (verdict === 'other' && !loaded) ? null : seen;
}

/** The server that was asked is not the one of this node's life: what is in force there may be another cluster's, and none of its business. */
export function isElsewhere({ record }: Topology, seen: SeenServer | null): boolean {
  return record !== undefined && seen !== null && judgeServer(record, seen) === 'other';
}

/** Who has the disk of a member and was up a moment ago; null: nobody is known to be. A life that has just begun is lived in. */
export function livingIn(standing: StandingLife | null): readonly LivingMember[] | null {
  const sign = standing?.sign ?? null;
  return sign === null || Math.abs(sign.ageMs) > LIFE_FRESH_MS ? null : sign.members;
}

/** Is it time that somebody of this life notes that he is up? One of many members is enough. */
export function wantsSign(own: LifeName, standing: StandingLife | null): boolean {
  if (standing === null || !sameLife(own, standing)) return false;
  const { sign } = standing;
  // A note from what is to come would seem new until then.
  return sign === null || sign.members.length === 0 || Math.abs(sign.ageMs) >= LIFE_SIGN_AFTER_MS;
}

/** What this member notes: itself, and as many others that it hears as are told. */
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

/** Why nobody lets in a process that does not ask to join, and what there is to do; '': it is a member, or asks. */
export function whyOutside(topology: Topology, name: string, joins: boolean): string {
  if (joins || memberByName(topology, name) !== undefined) return '';
  return (
    `the members of life ${topology.life} do not know this node: it was replaced, told to leave, or they went on without having ` +
    `heard of it. ${TO_COME_BACK}`
  );
}

/** As that, of a process that the living say nothing to. */
export function whyNotLetIn(life: number, living: readonly LivingMember[]): string {
  return (
    `these are up in life ${life} of the cluster, which is in force, and have not let this node in: ${livingText(living)}. Either it ` +
    `does not reach them, or they do not know it any more (it was replaced, or told to leave). ${TO_COME_BACK}`
  );
}

/** For people: what a process waits for whose life is over. */
export function whyOver(own: LifeName, later: LifeName): string {
  return (
    `by PostgreSQL's word life ${later.life} of the cluster is in force, and this node is of life ${own.life}: it looks for those who ` +
    'are up there. Where PostgreSQL was set back since to this life, start the node anew'
  );
}

/** For people: who is up, by what was noted. */
export function livingText(members: readonly LivingMember[]): string {
  return members.map(({ name, address }) => `${name} (${address})`).join(', ');
}

/** Why an operator does not go on here; null: by this nothing stands against it. */
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
