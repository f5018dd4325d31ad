/** What has become of changes by hand at this node, and what of them waits, for whoever asks. */
import type { EditOutcome, OutsideEdit } from '../core/outside-edits.ts';
import type { ByHandStatus } from './status-parts.ts';

/** Changes that could not be written in one round over all of them. */
interface Waiting {
  readonly count: number;
  readonly firstId: number;
  readonly since: number;
  readonly reason: string;
}

const NONE: Waiting = { count: 0, firstId: 0, since: 0, reason: '' };

export class OutsideTally {
  private readonly ended = { written: 0, overtaken: 0, refused: 0 };
  /** Of the round under way, and of the last one that came to its end. */
  private found = NONE;
  private shown = NONE;
  /** Why nothing is looked at; '': it is. */
  private obstacle = '';

  /** The change was looked at, and what became of it is certain. */
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

  /** All of them were looked at. */
  roundEnded(): void {
    this.shown = this.found;
    this.found = NONE;
    this.obstacle = '';
  }

  /** None can be looked at; what was found so far is looked at anew. */
  hindered(why: string): void {
    this.obstacle = why;
    this.found = NONE;
  }

  /** It may not write: others look after them, and what has become of those that waited is not known here. */
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
