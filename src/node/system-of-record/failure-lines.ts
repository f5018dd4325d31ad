/**
 * Bounds the lines that a log takes of a failure that comes again and again: a different one is told at once, the same
 * one after a while, with the number of those that were left out.
 */
import type { Clock } from '../../ports/clock.ts';

/** Milliseconds after which the same failure is told again. */
const SAME_FAILURE_MS = 10_000;

export class FailureLines {
  private readonly clock: Pick<Clock, 'now'>;
  private last = '';
  private toldAt = -Infinity;
  private leftOut = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock;
  }

  /** Returns null if this one is left out, otherwise how many were since the last line. */
  next(failure: string): number | null {
    const now = this.clock.now();
    if (failure === this.last && now - this.toldAt < SAME_FAILURE_MS) {
      this.leftOut += 1;
      return null;
    }
    const { leftOut } = this;
    this.last = failure;
    this.toldAt = now;
    this.leftOut = 0;
    return leftOut;
  }
}
