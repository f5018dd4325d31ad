/**
 * Bounds the lines that a log takes of one thing in a second; those left out are counted, and the count is told with the
 * next line that could be.
 */
import type { Clock } from '../ports/clock.ts';

const SECOND_MS = 1_000;

export class LineRate {
  private readonly perSecondMax: number;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly onLeftOut: (count: number) => void;
  private secondFrom = -Infinity;
  private lines = 0;
  private leftOut = 0;

  constructor(perSecondMax: number, clock: Pick<Clock, 'now'>, onLeftOut: (count: number) => void) {
    this.perSecondMax = perSecondMax;
    this.clock = clock;
    this.onLeftOut = onLeftOut;
  }

  /** Whether one more line may be logged; it counts as logged if so. */
  mayTell(): boolean {
    const now = this.clock.now();
    if (now - this.secondFrom >= SECOND_MS) {
      if (this.leftOut > 0) this.onLeftOut(this.leftOut);
      this.secondFrom = now;
      this.lines = 0;
      this.leftOut = 0;
    }
    if (this.lines < this.perSecondMax) {
      this.lines += 1;
      return true;
    }
    this.leftOut += 1;
    return false;
  }
}
