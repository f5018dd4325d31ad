/**
 * Bounds the lines that a log takes of one thing in a second; those left out are counted, and the count is told when the
 * second is over.
 */
import type { Clock } from '../ports/clock.ts';

const SECOND_MS = 1_000;

export class LineRate {
  private readonly perSecondMax: number;
  private readonly clock: Pick<Clock, 'now' | 'after'>;
  private readonly onLeftOut: (count: number) => void;
  private secondFrom = -Infinity;
  private lines = 0;
  private leftOut = 0;
  private cancelEnd: () => void = () => undefined;

  constructor(perSecondMax: number, clock: Pick<Clock, 'now' | 'after'>, onLeftOut: (count: number) => void) {
    this.perSecondMax = perSecondMax;
    this.clock = clock;
    this.onLeftOut = onLeftOut;
  }

  /** Whether one more line may be logged; it counts as logged if so. */
  mayTell(): boolean {
    const now = this.clock.now();
    if (now - this.secondFrom >= SECOND_MS) {
      this.tellLeftOut();
      this.secondFrom = now;
      this.lines = 0;
    }
    if (this.lines < this.perSecondMax) {
      this.lines += 1;
      return true;
    }
    this.leftOut += 1;
    if (this.leftOut === 1)
      this.cancelEnd = this.clock.after(this.secondFrom + SECOND_MS - now, () => this.tellLeftOut());
    return false;
  }

  private tellLeftOut(): void {
    this.cancelEnd();
    if (this.leftOut > 0) this.onLeftOut(this.leftOut);
    this.leftOut = 0;
  }
}
