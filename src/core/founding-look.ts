/**
 * Does anybody live in the life that a founding would put an end to? A note that is old says no: where PostgreSQL was away, the
 * living may not have noted themselves again yet, and its clock may have been set. So whoever would found looks again and again,
 * and goes by this: the same note has stood, by its own clock, for as long as one that lives leaves none standing. (R27)
 */
import { LIFE_FRESH_MS, LIFE_LOOK_GAP_MS_MAX } from './life-limits.ts';
import type { StandingLife } from './lives.ts';

export class FoundingLook {
  private noteSeen = '';
  private since = -Infinity;
  private lookedAt = -Infinity;

  /**
   * May a founding follow this? `ownClusterId`: of the last founding that this process has begun; where nobody has noted anything
   * in it nobody lives in it, or this node would know.
   */
  isClear(standing: StandingLife | null, ownClusterId: string, now: number): boolean {
    if (standing === null) return true;
    const isWatched = now - this.lookedAt <= LIFE_LOOK_GAP_MS_MAX;
    this.lookedAt = now;
    const { clusterId, life, sign } = standing;
    const note = `${clusterId}/${life}/${sign?.notedAt ?? ''}`;
    if (note !== this.noteSeen || !isWatched) this.since = now;
    this.noteSeen = note;
    if (isUnlived(standing, ownClusterId)) return true;
    return now - this.since > LIFE_FRESH_MS;
  }

  /** PostgreSQL did not answer: the living may not have reached it either. */
  failed(): void {
    this.lookedAt = -Infinity;
  }
}

/** The life in force is of that founding, and nobody has noted anything in it. */
export function isUnlived(standing: StandingLife | null, clusterId: string): boolean {
  return standing?.clusterId === clusterId && standing.sign?.members.length === 0;
}
