/** What has become of manual changes at this node, and which of them are waiting, for reports. */
import type { EditOutcome, OutsideEdit } from '../../core/system-of-record/outside-edits.ts';
import type { ByHandStatus } from '../status.ts';

/** Changes that could not be written during one round over all changes. */
interface Waiting {
  readonly count: number;
  readonly firstId: number;
  readonly since: number;
  readonly reason: string;
}

const NONE: Waiting = { count: 0, firstId: 0, since: 0, reason: '' };

export class OutsideTally {
  private readonly ended = { written: 0, overtaken: 0, refused: 0 };
  /** Changes of the round under way (`found`), and of the last completed one (`shown`). */
  private found = NONE;
  private shown = NONE;
  /** Why no changes are handled; '' if they are. */
  private obstacle = '';

  /** A change was handled, and its outcome is certain. */
  took({ id }: OutsideEdit, outcome: EditOutcome, now: number): void {
    if (outcome.kind === 'written' || outcome.kind === 'overtaken' || outcome.kind === 'refused')
      this.ended[outcome.kind] += 1;
    if (outcome.kind !== 'later') return;
    const { count, firstId, since, reason } = this.found;
    this.found =
      count === 0
        ? { count: 1, firstId: id, since: this.sinceOf(id, now), reason: outcome.why }
        : { count: count + 1, firstId, since, reason };
  }

  /** All changes were visited. */
  roundEnded(): void {
    this.shown = this.found;
    this.found = NONE;
    this.obstacle = '';
  }

  /** No change can be handled; those found so far will be visited again. */
  hindered(why: string): void {
    this.obstacle = why;
    this.found = NONE;
  }

  /** This node may not write: others handle the changes, and it does not know what became of those that waited. */
  stoodAside(): void {
    this.obstacle = '';
    this.found = NONE;
    this.shown = NONE;
  }

  status(now: number): ByHandStatus {
    const { count, since, reason } = this.shown;
    return {
      ...this.ended,
      waiting: count,
      waitingMs: count === 0 ? 0 : Math.round(now - since),
      reason: this.obstacle === '' ? reason : this.obstacle,
    };
  }

  private sinceOf(id: number, now: number): number {
    return this.shown.firstId === id ? this.shown.since : now;
  }
}
