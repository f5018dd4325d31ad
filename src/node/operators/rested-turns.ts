/**
 * Work of an operator's order that takes a whole turn of the event loop, a good part of a second where the cluster is
 * large: one piece at a time, and then a rest in which the node does everything else. Many such orders at once would
 * otherwise take it its lease.
 */
import { PLAN_REST_FACTOR } from '../../core/copying/copy-limits.ts';
import type { Clock } from '../../ports/clock.ts';

export class RestedTurns {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly later: (run: () => void) => void;
  private readonly waiting: (() => void)[] = [];
  /** Monotonic ms. */
  private restedAt = 0;

  /** `later` runs the function on one of the next ticks. */
  constructor(clock: Pick<Clock, 'now'>, later: (run: () => void) => void) {
    this.clock = clock;
    this.later = later;
  }

  /** Runs at once if nothing was run a moment ago. As many may wait as there may be orders. */
  begin(run: () => void): void {
    this.waiting.push(run);
    if (this.waiting.length === 1) this.look();
  }

  private look(): void {
    const { clock, later, waiting } = this;
    const began = clock.now();
    if (began < this.restedAt) return later(() => this.look());
    waiting[0]!();
    const ended = clock.now();
    this.restedAt = ended + PLAN_REST_FACTOR * (ended - began);
    waiting.shift();
    if (waiting.length > 0) later(() => this.look());
  }
}
