/**
 * Bounds how long this door works in one turn of the event loop, because the node's own messages, and its lease with
 * them, wait meanwhile. Work that is left over goes on in the next turn, the work that waited longest first.
 */
import { RESP_SHORT_COMMANDS, RESP_TURN_MS } from '../../core/clients/redis-limits.ts';

export class Turns {
  /** No further command is begun in this turn. */
  isOver = false;
  /** Milliseconds on any clock that only goes forwards. */
  now: () => number = () => performance.now();
  private waiting: (() => void)[] = [];
  private isScheduled = false;
  /** Milliseconds; 0: the clock has not been read yet in this turn. */
  private endsAt = 0;
  private shortOnes = 0;

  /** Called before each piece of work. For work that takes only microseconds, the clock is not read every time. */
  spend(isShort: boolean): void {
    if (isShort) {
      this.shortOnes += 1;
      if (this.shortOnes < RESP_SHORT_COMMANDS) return;
    }
    this.shortOnes = 0;
    const now = this.now();
    if (this.endsAt === 0) {
      this.endsAt = now + RESP_TURN_MS;
      this.schedule();
    } else if (now >= this.endsAt) this.isOver = true;
  }

  /** Calls `run` once everything that this turn of the event loop has brought is done. */
  atEnd(run: () => void): void {
    this.waiting.push(run);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.begin());
  }

  private begin(): void {
    this.isScheduled = false;
    this.isOver = false;
    this.endsAt = 0;
    this.shortOnes = 0;
    const runs = this.waiting;
    this.waiting = [];
    for (let at = 0; at < runs.length; at += 1) {
      if (this.isOver) {
        this.waiting = [...runs.slice(at), ...this.waiting];
        break;
      }
      runs[at]!();
    }
    if (this.waiting.length > 0) this.schedule();
  }
}
