/**
 * Bounds for how long the HTTP door begins requests in one turn of the event loop, because the node's own messages, and
 * its lease with them, wait meanwhile: a few clients that send many requests at once would otherwise hold it up for
 * seconds. Requests that are left over begin in later turns, in the order in which they came, but probes before all
 * others: whoever gets no answer to one in time ends the process.
 *
 * While connections arrive, turns are shorter: only one is taken in each, and a probe on a connection of its own would
 * stand in line behind those of clients for as many turns.
 */
import {
  HTTP_ARRIVAL_TURN_MS,
  HTTP_TURN_MS,
  HTTP_TURN_REQUESTS_MAX,
} from '../../core/clients/http-limits.ts';

export class RequestTurns {
  /** Milliseconds on any clock that only goes forwards. */
  now: () => number = () => performance.now();
  private readonly waiting: (() => void)[] = [];
  private readonly probesWaiting: (() => void)[] = [];
  /** 0: nothing was begun in this turn. */
  private endsAt = 0;
  private isArriving = false;

  /** A connection was taken in this turn. */
  arrived(): void {
    this.isArriving = true;
    if (this.endsAt !== 0) this.endsAt = Math.min(this.endsAt, this.now() + HTTP_ARRIVAL_TURN_MS);
  }

  /** Calls `run` now, or in a later turn. */
  begin(run: () => void, isProbe = false): void {
    const before = this.probesWaiting.length + (isProbe ? 0 : this.waiting.length);
    if (before === 0 && this.hasTime()) run();
    else (isProbe ? this.probesWaiting : this.waiting).push(run);
  }

  private hasTime(): boolean {
    const now = this.now();
    if (this.endsAt === 0) {
      this.endsAt = now + (this.isArriving ? HTTP_ARRIVAL_TURN_MS : HTTP_TURN_MS);
      setImmediate(() => this.end());
    }
    return now < this.endsAt;
  }

  /** What a request does after its first step counts too: Node does that between two of these callbacks. */
  private end(): void {
    this.endsAt = 0;
    this.isArriving = false;
    const count = Math.min(this.probesWaiting.length + this.waiting.length, HTTP_TURN_REQUESTS_MAX);
    for (let at = 0; at < count; at += 1)
      setImmediate(() => {
        if (this.hasTime()) (this.probesWaiting.shift() ?? this.waiting.shift())?.();
      });
  }
}
