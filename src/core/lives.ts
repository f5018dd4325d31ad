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
import type { Topology } from './topology.ts';

export interface LivingMember {
  readonly name: string;
  readonly address: string;
}

/** What was noted last in a life; nobody is named where it has just begun, and nobody has noted anything yet. */
export interface LifeSign {
  readonly members: readonly LivingMember[];
  readonly ageMs: number;
}

/** The life in force; `sign`: null where it is not told. */
export interface StandingLife extends LifeName {
  readonly sign: LifeSign | null;
}

/** PostgreSQL takes nothing of that life any more. Null: it holds no founding. */
export function isLifeOver(own: LifeName, standing: StandingLife | null): standing is StandingLife {
  return standing !== null && standing.life > own.life;
}

/**
 * What a server tells that is not used, as one that has failed over and that nobody of this life may take into use: the founding
 * that stands there. Null: it is no server of this cluster's, or there is none.
 */
export function lifeAt({ record }: Topology, seen: SeenServer | null): StandingLife | null {
  if (record === undefined || seen === null || seen.clusterId === '') return null;
  const verdict = judgeServer(record, seen);
  if (verdict !== 'known' && verdict !== 'failedOver') return null;
  return { clusterId: seen.clusterId, life: seen.life, sign: null };
}

/** Who has the disk of a member and was up a moment ago; null: nobody is known to be. A life that has just begun is lived in. */
export function livingIn(standing: StandingLife | null): readonly LivingMember[] | null {
  const sign = standing?.sign ?? null;
  return sign === null || sign.ageMs > LIFE_FRESH_MS ? null : sign.members;
}

/** Is it time that somebody of this life notes that he is up? One of many members is enough. */
export function wantsSign(own: LifeName, standing: StandingLife | null): boolean {
  if (standing === null || !sameLife(own, standing)) return false;
  const { sign } = standing;
  return sign === null || sign.members.length === 0 || sign.ageMs >= LIFE_SIGN_AFTER_MS;
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

/** For people: who is up, by what was noted. */
export function livingText(members: readonly LivingMember[]): string {
  return members.map(({ name, address }) => `${name} (${address})`).join(', ');
}

/** Why an operator does not go on here; null: by this nothing stands against it. */
export function whyLifeGoesOn(own: LifeName, standing: StandingLife | null): string | null {
  const living = livingIn(standing) ?? [];
  if (!isLifeOver(own, standing) || living.length === 0) return null;
  return (
    `life ${standing.life} of the cluster is in force, and these are up in it: ${livingText(living)}. ` +
    'This node joins them by itself; go on there, or stop those first'
  );
}
