/**
 * Virtual time. Everything that happens in a simulation is an event in one heap ordered by (time, sequence),
 * so the same seed gives the same run. A simulated node sees time through a `SimClock` of its own, which may
 * drift and whose wall may jump; a stopped node's events are dropped, a paused one's wait.
 */
import { Heap } from '../src/base/heap.ts';
import type { Clock } from '../src/ports/clock.ts';

interface Event {
  at: number;
  sequence: number;
  readonly run: () => void;
  /** The life this event belongs to; dropped once it has ended. */
  readonly owner: Life | null;
  cancelled: boolean;
}

/** One run of one simulated process: what ends when it is killed. */
export interface Life {
  alive: boolean;
  /** Virtual time until which the process is paused (SIGSTOP); its events wait until then. */
  pausedUntil: number;
}

export class Scheduler {
  /** Milliseconds of virtual time since the start. */
  time = 0;
  eventCount = 0;
  private sequence = 0;
  private readonly events = new Heap<Event>(
    (a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence),
  );

  /** Runs at virtual time `at`, unless `owner` has ended by then. Returns a cancel function. */
  at(at: number, run: () => void, owner: Life | null = null): () => void {
    const event: Event = {
      at: Math.max(at, this.time),
      sequence: this.sequence++,
      run,
      owner,
      cancelled: false,
    };
    this.events.push(event);
    return () => {
      event.cancelled = true;
    };
  }

  after(ms: number, run: () => void, owner: Life | null = null): () => void {
    return this.at(this.time + ms, run, owner);
  }

  /** Runs the next event; false where there is none at or before `until`. */
  step(until: number): boolean {
    const next = this.events.peek();
    if (next === undefined || next.at > until) return false;
    this.events.pop();
    this.time = next.at;
    if (next.cancelled || (next.owner !== null && !next.owner.alive)) return true;
    if (next.owner !== null && next.owner.pausedUntil > this.time) {
      // Order among the waiting events is kept: they resume at one moment in the order of their times.
      next.at = next.owner.pausedUntil;
      next.sequence = this.sequence++;
      this.events.push(next);
      return true;
    }
    this.eventCount += 1;
    next.run();
    return true;
  }

  /** Runs everything up to and including virtual time `until`. */
  runUntil(until: number): void {
    while (this.step(until));
    this.time = Math.max(this.time, until);
  }
}

/** A node's own view of time. `rate` 1.01 runs one percent fast; `wallOffset` may be changed at any moment. */
export class SimClock implements Clock {
  wallOffset = 1_700_000_000_000;
  private readonly scheduler: Scheduler;
  private readonly life: Life;
  private readonly rate: number;

  constructor(scheduler: Scheduler, life: Life, rate = 1) {
    this.scheduler = scheduler;
    this.life = life;
    this.rate = rate;
  }

  now(): number {
    return this.scheduler.time * this.rate;
  }

  wallNow(): number {
    return Math.floor(this.scheduler.time * this.rate + this.wallOffset);
  }

  bootNow(): number {
    return this.now();
  }

  after(ms: number, run: () => void): () => void {
    return this.scheduler.after(ms / this.rate, run, this.life);
  }

  defer(run: () => void): void {
    this.scheduler.after(0, run, this.life);
  }
}
