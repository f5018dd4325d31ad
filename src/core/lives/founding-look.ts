/**
 * Decides whether any node still lives in the life of the cluster that a founding would end. The age of the last note
 * in PostgreSQL cannot tell: if PostgreSQL was away, the living may not have noted themselves again yet, and its clock
 * may have been set. So the founder looks again and again, and goes ahead only when, by its own clock, the same note
 * has stood for longer than any living node would leave one standing. (R27)
 */
import { LIFE_FRESH_MS, LIFE_LOOK_GAP_MS_MAX } from './life-limits.ts';
import type { StandingLife } from './lives.ts';

export class FoundingLook {
  private noteSeen = '';
  private since = -Infinity;
  private lookedAt = -Infinity;

  /**
   * True if a founding may follow. `ownClusterId`: the last founding that this process began; if nobody has noted
   * anything in it, nobody lives in it, or this node would know.
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

  /** PostgreSQL did not answer: it may have been out of reach for the living as well. */
  failed(): void {
    this.lookedAt = -Infinity;
  }
}

/** True if the life in force belongs to that founding and nobody has noted anything in it. */
export function isUnlived(standing: StandingLife | null, clusterId: string): boolean {
  return standing?.clusterId === clusterId && standing.sign?.members.length === 0;
}
